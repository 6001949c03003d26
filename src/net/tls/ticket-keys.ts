/**
 * The keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1): the newest encrypts, all of them decrypt.
 *
 * A key is derived from a secret and the TLS policy, so that a ticket is worth nothing under another policy. The
 * gateway makes its own secrets and replaces them after 12 to 24 hours, or takes them from key files.
 */
import { constants, hkdfSync, randomBytes, randomFillSync } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import { onTicketKey, type TicketKeyResult } from '../stream-handles.ts';

/** Seconds during which a session can be resumed (RFC 8446 §4.6.1: at most a week). */
export const SESSION_TIMEOUT = 24 * 3600;

const HOUR = 3600_000;
/** Milliseconds that a secret encrypts, at least and at most: gateways that start together don't change together. */
const SHORTEST = 12 * HOUR;
const LONGEST = 24 * HOUR;

/** Bytes of each of the three parts of a key: its name, for HMAC-SHA-256, and for AES-128-CBC. */
const PART = 16;

/** The gateway's own secrets. */
export class TicketSecrets {
  /** The newest first. `until`: monotonic ms after which no ticket under it is valid; Infinity: it encrypts. */
  #secrets: readonly { readonly bytes: Buffer; readonly until: number }[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #rotated: () => void;
  #timer: Timer | null = null;
  #closed = false;

  /** `rotated`: `current` has changed. */
  constructor(clock: Clock, random: Random, rotated: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#rotated = rotated;
  }

  /** The newest first. The first call makes the first secret, which will be replaced in time. */
  get current(): readonly Buffer[] {
    if (this.#secrets.length === 0) this.#rotate();
    return this.#secrets.map(({ bytes }) => bytes);
  }

  #rotate(): void {
    const now = this.#clock.now();
    const until = now + SESSION_TIMEOUT * 1000;
    const older = this.#secrets.map((one, i) => (i === 0 ? { ...one, until } : one)).filter((one) => one.until > now);
    this.#secrets = [{ bytes: randomBytes(32), until: Number.POSITIVE_INFINITY }, ...older];
    if (this.#closed) return;
    this.#timer = this.#clock.after(SHORTEST + this.#random() * (LONGEST - SHORTEST), () => {
      this.#rotate();
      this.#rotated();
    });
  }

  /** No more of them are made. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }
}

interface TicketKey {
  readonly name: Buffer;
  readonly hmac: Buffer;
  readonly aes: Buffer;
}

function keyOf(secret: Buffer, policy: string): TicketKey {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `ticket key of ${policy}`, 3 * PART));
  return { name: key.subarray(0, PART), hmac: key.subarray(PART, 2 * PART), aes: key.subarray(2 * PART) };
}

/**
 * For the options of the context: what `useTicketKeys` cannot do where Node lacks the callback. There, only the newest
 * key counts, and a rotation drops the older tickets.
 */
export function ticketOptions([newest]: readonly Buffer[], policy: string): { ticketKeys?: Buffer; noTickets: number } {
  if (onTicketKey !== null) return { noTickets: 0 };
  if (newest === undefined) return { noTickets: constants.SSL_OP_NO_TICKET };
  const { name, hmac, aes } = keyOf(newest, policy);
  return { ticketKeys: Buffer.concat([name, hmac, aes]), noTickets: 0 };
}

/** Makes a context use the keys of these secrets, the newest first; without any, it issues and accepts no tickets. */
export function useTicketKeys(context: SecureContext, secrets: readonly Buffer[], policy: string): void {
  if (onTicketKey === null) return;
  const keys = secrets.map((secret) => keyOf(secret, policy));
  const [newest] = keys;
  // The parts must be there even where there is no key.
  const { name, hmac, aes } = newest ?? keyOf(randomBytes(32), policy);
  const unknown: TicketKeyResult = [0, hmac, aes];
  const issue: TicketKeyResult = [newest === undefined ? 0 : 1, hmac, aes, name, NO_VECTOR];
  // 2: with a new ticket. A client uses each ticket once (RFC 8446 appendix C.4), and older keys run out.
  const known = keys.map((key): TicketKeyResult => [2, key.hmac, key.aes]);
  onTicketKey(context, (wanted, _vector, encrypt) => {
    if (encrypt) {
      issue[4] = nextVector();
      return issue;
    }
    for (let i = 0; i < keys.length; i++) if (keys[i]!.name.equals(wanted)) return known[i]!;
    return unknown;
  });
}

const NO_VECTOR = Buffer.alloc(PART);
/** Random bytes in advance: a system call for each ticket would cost more than its encryption. */
const vectors = Buffer.alloc(256 * PART);
let nextVectorAt = vectors.length;

function nextVector(): Buffer {
  if (nextVectorAt === vectors.length) {
    randomFillSync(vectors);
    nextVectorAt = 0;
  }
  nextVectorAt += PART;
  return vectors.subarray(nextVectorAt - PART, nextVectorAt);
}
