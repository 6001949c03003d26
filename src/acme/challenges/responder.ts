/**
 * The answers that authorities may ask listeners for at the moment: HTTP-01 (RFC 8555 §8.3) and TLS-ALPN-01 (RFC 8737).
 *
 * Listeners ask for every request below the well-known path and for every handshake with that protocol, from peers that
 * we don't know: a question costs one lookup.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { AcmeError } from '../client/acme-error.ts';
import type { Challenge, Solver } from '../client/order.ts';
import { challengeCertificate } from '../x509/certificates.ts';
import { addressBytes } from '../x509/extensions.ts';
import { generateKey, privateKeyPem } from '../x509/keys.ts';

/** PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface ChallengeResponder {
  /** The content of `/.well-known/acme-challenge/<token>`; null: 404. */
  http01(token: string): string | null;
  /** For a handshake with the protocol `acme-tls/1`; null: the handshake fails. */
  tlsAlpn01(serverName: string): KeyPair | null;
}

/** How long a challenge certificate lasts (ms), and how much earlier than now it begins: clocks differ. */
const LIFETIME = 7 * 86_400_000;
const SKEW = 3_600_000;

/** The pending challenges of other gateways. */
export interface ForeignChallenges {
  /** Key authorizations by token. */
  readonly tokens: Map<string, string>;
  /** By server name. */
  readonly pairs: Map<string, KeyPair>;
}

export class PendingChallenges implements ChallengeResponder {
  /** null: there is no other gateway. */
  foreign: ForeignChallenges | null = null;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, string>();
  readonly #pairs = new Map<string, KeyPair>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  http01(token: string): string | null {
    return this.#tokens.get(token) ?? this.foreign?.tokens.get(token) ?? null;
  }

  tlsAlpn01(serverName: string): KeyPair | null {
    const name = serverName.toLowerCase();
    return this.#pairs.get(name) ?? this.foreign?.pairs.get(name) ?? null;
  }

  /** Challenges that are presented. */
  get size(): number {
    return this.#tokens.size + this.#pairs.size;
  }

  readonly httpSolver: Solver = {
    type: 'http-01',
    present: ({ token, keyAuthorization }) => Promise.resolve(entered(this.#tokens, token, keyAuthorization)),
  };

  readonly tlsSolver: Solver = {
    type: 'tls-alpn-01',
    present: async ({ identifier, keyAuthorization }: Challenge) => {
      const digest = createHash('sha256').update(keyAuthorization).digest();
      const key = await generateKey('p256');
      const now = this.#clock.wall();
      const validity = { from: now - SKEW, to: now + LIFETIME };
      const cert = challengeCertificate(identifier.value, digest, key, validity);
      const pair = { cert, key: privateKeyPem(key) };
      return entered(this.#pairs, serverNameOf(identifier), pair);
    },
  };
}

/** Returns what takes it back, unless a later one is in its place. */
function entered<V>(table: Map<string, V>, name: string, value: V): () => Promise<void> {
  if (table.size >= MOST_PENDING) throw new AcmeError('hook_failed', `${MOST_PENDING} challenges are pending`);
  table.set(name, value);
  return () => {
    if (table.get(name) === value) table.delete(name);
    return Promise.resolve();
  };
}

const MOST_PENDING = 10_000;

/** RFC 8738 §6: the server name of an address is its name in the reverse zones (RFC 3596 §2.5). */
export function serverNameOf({ type, value }: Challenge['identifier']): string {
  if (type === 'dns') return value;
  const bytes = [...addressBytes(value)];
  if (bytes.length === 4) return `${bytes.toReversed().join('.')}.in-addr.arpa`;
  const digits = bytes.flatMap((byte) => [byte >> 4, byte & 15]).map((digit) => digit.toString(16));
  return `${digits.toReversed().join('.')}.ip6.arpa`;
}
