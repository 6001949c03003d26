/**
 * Reads how many bytes the kernel holds that a peer has not acknowledged yet, where the kernel reports it. Cold.
 *
 * A socket with a full send buffer becomes writable only when a third of the buffer is free: at 20 KiB/s and 4 MiB,
 * that is once in 55 s. Until then neither libuv nor Node can tell a slow reader from a peer that does not read at all.
 * Linux lists each TCP socket with its unacknowledged bytes (`tx_queue` in /proc/net/tcp and /proc/net/tcp6,
 * proc_net_tcp.rst). The list is read only for peers that are about to time out, once for all requests that arrive
 * meanwhile, in parts of a tenth of a millisecond.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { endianness } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { TransportAddresses } from './transport.ts';

/** Bytes of a list (150 a line) that are read in one turn of the event loop. */
const PART = 16 * 1024;

export interface QueueTaker {
  /** `bytes`: written bytes that the peer has not acknowledged; -1: unknown. Never called from within `ask`. */
  onSendQueue(bytes: number): void;
}

/** Yields the text of the lists in parts. May fail. */
export type ReadLists = () => AsyncIterable<string>;

export class SendQueues {
  readonly #read: ReadLists | null;
  /** Keyed by the two addresses in the form of a line. */
  #asked = new Map<string, QueueTaker[]>();
  #reading = false;

  /** `read` is null if the system has no such lists. */
  constructor(read: ReadLists | null) {
    this.#read = read;
  }

  /** Returns false if the connection is not in such lists; otherwise the taker is called later. */
  ask({ localAddress, localPort, remoteAddress, remotePort }: TransportAddresses, taker: QueueTaker): boolean {
    if (this.#read === null) return false;
    const [local, remote] = [wordsOf(localAddress), wordsOf(remoteAddress)];
    if (local === null || remote === null || remotePort === 0) return false;
    const key = `${local}:${hexPort(localPort)} ${remote}:${hexPort(remotePort)}`;
    const takers = this.#asked.get(key);
    if (takers === undefined) this.#asked.set(key, [taker]);
    else takers.push(taker);
    if (!this.#reading) void this.#answer(this.#read);
    return true;
  }

  async #answer(read: ReadLists): Promise<void> {
    this.#reading = true;
    // All requests from this turn of the event loop share one reading.
    await Promise.resolve();
    while (this.#asked.size > 0) {
      const asked = this.#asked;
      this.#asked = new Map();
      try {
        let rest = '';
        for await (const part of read()) {
          const lines = (rest + part).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) tell(line, asked);
          if (asked.size === 0) break;
        }
      } catch {
        // The list can't be read: the result for the remaining requests is unknown.
      }
      for (const takers of asked.values()) for (const taker of takers) taker.onSendQueue(-1);
    }
    this.#reading = false;
  }
}

/** `  12: 0100007F:1F90 0100007F:8AD2 01 003EFAE4:00000000 …`: number, local, remote, state, tx_queue:rx_queue. */
function tell(line: string, asked: Map<string, QueueTaker[]>): void {
  const start = line.indexOf(': ') + 2;
  const middle = line.indexOf(' ', start);
  const end = line.indexOf(' ', middle + 1);
  if (start < 2 || middle < 0 || end < 0) return;
  const key = shortened(line.slice(start, middle), line.slice(middle + 1, end));
  const takers = asked.get(key);
  if (takers === undefined) return;
  const bytes = Number.parseInt(line.slice(end + 4, end + 12), 16);
  asked.delete(key);
  for (const taker of takers) taker.onSendQueue(Number.isNaN(bytes) ? -1 : bytes);
}

/** Reduces IPv4 in IPv6 (::ffff:a.b.c.d) to four bytes, as `plainAddress` does. */
function shortened(local: string, remote: string): string {
  return local.startsWith(MAPPED) && remote.startsWith(MAPPED)
    ? `${local.slice(MAPPED.length)} ${remote.slice(MAPPED.length)}`
    : `${local} ${remote}`;
}

const LITTLE = endianness() === 'LE';
const MAPPED = `0000000000000000${LITTLE ? 'FFFF0000' : '0000FFFF'}`;

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/** Converts an address to the lists' form: 4-byte words in hex, each in the machine's order. null: not an address. */
function wordsOf(address: string): string | null {
  const bytes = isIPv4(address) ? address.split('.').map(Number) : isIPv6(address) ? bytesOf(address) : null;
  if (bytes === null) return null;
  let words = '';
  for (let i = 0; i < bytes.length; i += 4) {
    const word = bytes.slice(i, i + 4);
    for (const byte of LITTLE ? word.toReversed() : word) words += byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return words;
}

/** Converts an IPv6 address in any form except those with a dotted end. */
function bytesOf(address: string): number[] | null {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groups(head), tail === undefined ? [] : groups(tail)];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
  if (all.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return null;
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

/** These reads only enter the kernel, so they need no thread. But a long list must not block traffic. */
async function* kernelLists(): AsyncGenerator<string> {
  const part = Buffer.alloc(PART);
  let read = 0;
  for (const path of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const file = openSync(path, 'r');
    try {
      for (let size = readSync(file, part); size > 0; size = readSync(file, part)) {
        yield part.toString('latin1', 0, size);
        read += size;
        if (read < PART) continue;
        read = 0;
        await setImmediate();
      }
    } finally {
      closeSync(file);
    }
  }
}

/** The lists of this machine. */
export const sendQueues = new SendQueues(process.platform === 'linux' ? kernelLists : null);
