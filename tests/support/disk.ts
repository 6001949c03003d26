/** A cache's disk without a gateway: a directory of its own, and responses to put there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenDisk, type OpenDiskParts } from '../../src/cache/disk/open-disk.ts';
import type { Refusal } from '../../src/cache/disk/directory.ts';
import { type Part, type StoredHead, StoredResponse } from '../../src/cache/store/stored-response.ts';
import { FieldList } from '../../src/http/field-list.ts';
import { type Clock, systemClock } from '../../src/kit/clock.ts';
import { type DiskMetrics, diskMetrics } from '../../src/observe/metrics.ts';
import { exchange, type ExchangeParts } from './exchange.ts';
import { until } from './gateway.ts';

export interface Place extends Disposable {
  readonly path: string;
}

/** A directory that goes when it is disposed of. */
export function place(): Place {
  const path = mkdtempSync(join(tmpdir(), 'prozy-disk-'));
  return { path: join(path, 'cache'), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export class TestDisk implements AsyncDisposable {
  readonly disk: OpenDisk;
  readonly metrics: DiskMetrics;
  readonly failures: string[];
  readonly found: [string, StoredResponse][];
  lost: boolean;

  private constructor(disk: OpenDisk, parts: Pick<TestDisk, 'metrics' | 'failures' | 'found'>, lost: boolean) {
    this.disk = disk;
    this.metrics = parts.metrics;
    this.failures = parts.failures;
    this.found = parts.found;
    this.lost = lost;
  }

  static async try(path: string, options: Partial<OpenDiskParts> & { shape?: string; doubtAll?: boolean } = {}) {
    const metrics = diskMetrics();
    const failures: string[] = [];
    const found: [string, StoredResponse][] = [];
    let test: TestDisk | null = null;
    const opened = await OpenDisk.open(path, options.shape ?? 'shape', options.doubtAll ?? false, {
      maxSize: 64 * 1024 * 1024,
      clock: systemClock,
      metrics,
      found: (key, stored) => found.push([key, stored]),
      failed: (error) => failures.push((error as NodeJS.ErrnoException).code ?? (error as Error).message),
      lost: () => {
        if (test !== null) test.lost = true;
      },
      ...options,
    });
    if (!(opened instanceof OpenDisk)) return opened;
    test = new TestDisk(opened, { metrics, failures, found }, false);
    await opened.loaded;
    return test;
  }

  static async open(path: string, options: Parameters<typeof TestDisk.try>[1] = {}): Promise<TestDisk> {
    const opened: TestDisk | Refusal = await TestDisk.try(path, options);
    if (opened instanceof TestDisk) return opened;
    throw new Error(`${opened.code}: ${opened.message}`);
  }

  put(
    key: string,
    body: string | Buffer | null,
    head: Partial<StoredHead> = {},
    part: Part | null = null,
  ): StoredResponse {
    const stored = response(body, head, part);
    this.disk.put(key, stored);
    return stored;
  }

  /** What is given for such a request; null: nothing. */
  seek(key: string, parts: ExchangeParts = {}, scope = 'all'): Promise<StoredResponse | null> {
    const { promise, resolve } = Promise.withResolvers<StoredResponse | null>();
    const lookup = this.disk.look({ key, scope, x: exchange(parts), statusHeader: true }, { onDisk: resolve });
    return lookup === null ? Promise.resolve(null) : promise;
  }

  async body(key: string, parts: ExchangeParts = {}, scope = 'all'): Promise<string | null> {
    return (await this.seek(key, parts, scope))?.body()?.toString('latin1') ?? null;
  }

  written(): Promise<void> {
    return until(() => this.disk.waiting === 0, 'all is written');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disk.close(5000);
  }
}

export function response(
  body: string | Buffer | null,
  head: Partial<StoredHead> = {},
  part: Part | null = null,
  clock: Clock = systemClock,
): StoredResponse {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  return new StoredResponse(
    {
      scope: 'all',
      varyNames: [],
      variant: '',
      status: 200,
      reason: 'OK',
      fields: FieldList.of([['Content-Type', 'text/plain']]),
      etag: '"1"',
      modified: undefined,
      lastModified: Number.NaN,
      date: clock.wall(),
      bornAt: clock.now(),
      lifetime: 1000,
      neverFresh: false,
      forAuthorized: false,
      noCache: false,
      mustRevalidate: false,
      staleWhileRevalidate: -1,
      staleIfError: -1,
      tags: [],
      ...head,
    },
    bytes,
    part,
    bytes?.length ?? -1,
    true,
  );
}
