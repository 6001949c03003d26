/** Issuers that could not be reached: a few certificates find out, and the others wait with them. Cold. */
import type { Random } from '../kit/random.ts';
import type { AcmeError } from './client/acme-error.ts';
import { isPassing } from './client/patience.ts';
import type { Issuer } from './issuer.ts';
import type { Pause } from './managed-certificate.ts';
import { backoffTime } from './renewal-time.ts';

export class AwayIssuers {
  readonly #random: Random;
  /** By identity. */
  readonly #pauses = new Map<string, Pause>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Until when it is left alone (ms since 1970); 0: it is there. */
  until({ identity }: Issuer): number {
    return this.#pauses.get(identity)?.until ?? 0;
  }

  /** It has failed. `now`: ms since 1970. */
  failed({ identity }: Issuer, error: AcmeError, now: number): void {
    if (!isPassing(error)) return;
    const failures = (this.#pauses.get(identity)?.failures ?? 0) + 1;
    this.#pauses.set(identity, { failures, until: now + backoffTime(error, failures, this.#random) });
  }

  /** It answers, or an operator wants it to be asked. */
  back({ identity }: Issuer): void {
    this.#pauses.delete(identity);
  }
}
