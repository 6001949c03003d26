/** When a certificate is renewed, and when an attempt that failed is made again. Pure. */
import type { Random } from '../kit/random.ts';
import type { RenewalInfo } from './client/account.ts';
import type { AcmeError } from './client/acme-error.ts';
import { isPassing } from './client/patience.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds since 1970. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
}

/** The share of its life that a certificate has left when it is renewed without advice of its authority. */
const LEFT = 1 / 3;
/** Renewals of certificates that were obtained together are spread over this share of their life. */
const SPREAD = 1 / 30;
/** The share that is left at the latest, whatever the authority suggests. */
const LEAST_LEFT = 1 / 10;
/** The share that has passed at the earliest, and a day is enough: an authority that always says "now" is not obeyed. */
const LEAST_PASSED = 1 / 10;

/** The time to renew at (ms since 1970): a point in the suggested window (RFC 9773 §4.2), else a third before the end. */
export function renewalTime({ from, to }: Lifetime, suggested: RenewalInfo | null, random: Random): number {
  const life = to - from;
  if (suggested === null) return to - life * (LEFT + SPREAD * random());
  const chosen = suggested.start + (suggested.end - suggested.start) * random();
  return Math.min(Math.max(chosen, from + Math.min(life * LEAST_PASSED, DAY)), to - life * LEAST_LEFT);
}

/** Milliseconds until the authority is asked for its window again; `failures`: of asking, in a row. */
export function nextAdvice(suggested: RenewalInfo | null, failures: number): number {
  if (failures > 0) return Math.min(HOUR * 2 ** Math.min(failures - 1, 30), DAY);
  if (suggested === null) return DAY;
  return Math.min(Math.max(suggested.retryAfter ?? 6 * HOUR, MINUTE), DAY);
}

interface Backoff {
  readonly first: number;
  readonly max: number;
}

/** Something on the way or at the authority, which passes. */
const PASSING: Backoff = { first: MINUTE, max: HOUR };
/** The authority asks for less. */
const LIMITED: Backoff = { first: HOUR, max: DAY };
/** A name that does not lead to us, or a hook that fails: Let's Encrypt allows 5 failures of a name in an hour. */
const VALIDATION: Backoff = { first: 5 * MINUTE, max: DAY };
/** A person has to do something. */
const LASTING: Backoff = { first: HOUR, max: DAY };
/** Another gateway does it. */
const ELSEWHERE: Backoff = { first: MINUTE, max: MINUTE };

const BY_CODE: Readonly<Record<string, Backoff>> = {
  rate_limited: LIMITED,
  dns: VALIDATION,
  connection: VALIDATION,
  unauthorized: VALIDATION,
  incorrect_response: VALIDATION,
  tls: VALIDATION,
  order_invalid: VALIDATION,
  hook_failed: VALIDATION,
  too_slow: VALIDATION,
  bad_response: VALIDATION,
  lost_lock: ELSEWHERE,
  stopped: ELSEWHERE,
};

/** What an authority may ask for at most. */
const LONGEST_ASKED = 7 * DAY;
/** The longest pause is up to so much longer, so that gateways don't come back together. */
const JITTER = 0.2;

/** Milliseconds until the next attempt at the same issuer; `failures`: in a row, this one included. */
export function backoffTime(error: AcmeError, failures: number, random: Random): number {
  const { first, max } = isPassing(error) ? PASSING : (BY_CODE[error.code] ?? LASTING);
  const own = Math.min(first * 2 ** Math.min(failures - 1, 30), max) * (1 + JITTER * random());
  return Math.max(own, Math.min(error.retryAfter ?? 0, LONGEST_ASKED));
}
