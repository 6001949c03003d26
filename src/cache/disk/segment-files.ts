/**
 * Reads from segment files: two at a time, the others queue. Hot, once per read.
 *
 * Node has four threads for files and other blocking work. A disk that hangs blocks two of them and no more; requests
 * that wait for it have their own deadline.
 */
import { close, open, read } from 'node:fs';
import type { Directory } from './directory.ts';

const AT_ONCE = 2;
/** Limit of bytes for all pending reads together. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Limit of open files. */
const MOST_OPEN = 64;

export interface Job {
  readonly segment: number;
  readonly offset: number;
  readonly size: number;
  /** Is any request still waiting for it? */
  isWanted(): boolean;
  /** `bytes`: exactly as many as requested; null: the read failed, and `code` is the system's error code, or ''. */
  done(bytes: Buffer | null, code: string): void;
}

interface File {
  readonly segment: number;
  /** -1: it is being opened. */
  fd: number;
  users: number;
  gone: boolean;
}

export class SegmentFiles {
  readonly #directory: Directory;
  /** Least recently used first. */
  readonly #files: File[] = [];
  readonly #line: Job[] = [];
  #active = 0;
  #bytes = 0;
  #closed = false;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** false: too many reads are pending. */
  ask(job: Job): boolean {
    if (this.#closed || this.#bytes + job.size > MOST_BYTES) return false;
    this.#bytes += job.size;
    this.#line.push(job);
    this.#next();
    return true;
  }

  #indexOf(segment: number): number {
    return this.#files.findIndex((file) => file.segment === segment);
  }

  #next(): void {
    while (this.#active < AT_ONCE) {
      const job = this.#line.shift();
      if (job === undefined) return;
      if (this.#closed || !job.isWanted()) {
        this.#bytes -= job.size;
        job.done(null, '');
        continue;
      }
      this.#active++;
      this.#begin(job);
    }
  }

  #begin(job: Job): void {
    const at = this.#indexOf(job.segment);
    const file = this.#files[at];
    // If another job is opening the file at this moment, this one opens it again instead of waiting.
    if (file === undefined || file.fd < 0) {
      this.#open(job);
      return;
    }
    this.#files.push(...this.#files.splice(at, 1));
    file.users++;
    this.#read(job, file);
  }

  #open(job: Job): void {
    const file: File = { segment: job.segment, fd: -1, users: 1, gone: false };
    open(this.#directory.segmentFile(job.segment, 'records'), 'r', (error, fd) => {
      if (error !== null) {
        this.#finish(job, null, error.code ?? 'ERROR');
        return;
      }
      file.fd = fd;
      this.#keep(file);
      this.#read(job, file);
    });
  }

  #keep(file: File): void {
    if (this.#closed || this.#indexOf(file.segment) >= 0) {
      file.gone = true;
      return;
    }
    this.#files.push(file);
    if (this.#files.length > MOST_OPEN) this.forget(this.#files[0]!.segment);
  }

  #read(job: Job, file: File): void {
    const bytes = Buffer.allocUnsafeSlow(job.size);
    read(file.fd, bytes, 0, job.size, job.offset, (error, count) => {
      file.users--;
      this.#closeIfDone(file);
      if (error !== null) this.#finish(job, null, error.code ?? 'ERROR');
      else this.#finish(job, count === job.size ? bytes : null, count === job.size ? '' : 'EOF');
    });
  }

  #finish(job: Job, bytes: Buffer | null, code: string): void {
    this.#active--;
    this.#bytes -= job.size;
    job.done(bytes, code);
    this.#next();
  }

  /** No more reads from that segment. */
  forget(segment: number): void {
    const at = this.#indexOf(segment);
    if (at < 0) return;
    const file = this.#files.splice(at, 1)[0]!;
    file.gone = true;
    this.#closeIfDone(file);
  }

  #closeIfDone(file: File): void {
    if (file.gone && file.users === 0) close(file.fd, () => {});
  }

  /** Reads in progress finish; the others get null. */
  close(): void {
    this.#closed = true;
    for (const { segment } of this.#files.slice()) this.forget(segment);
    for (const job of this.#line.splice(0)) {
      this.#bytes -= job.size;
      job.done(null, '');
    }
  }
}
