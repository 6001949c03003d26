/** Logs once a day which certificates of files have expired, or should have been renewed. Cold. */
import { type Expiry, expiry } from '../../kit/certificate.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { Plan } from '../../plan/types.ts';

const EVENTS: Readonly<Record<Expiry['state'], string>> = {
  expired: 'a certificate has expired',
  expiring: 'a certificate expires soon',
  not_yet_valid: 'a certificate is not valid yet',
};

const DAY = 24 * 3600 * 1000;

/** Certificates named each day; of more, the log says how many. */
const MOST = 20;

export class ExpiryLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #plan: () => Plan | null;
  #timer: Timer | null = null;

  /** `plan`: the one in effect. */
  constructor(clock: Clock, log: Log, plan: () => Plan | null) {
    this.#clock = clock;
    this.#log = log;
    this.#plan = plan;
  }

  /** The reload has told of those that it brings; a day later they are told again. */
  follow(plan: Plan): void {
    if (plan.certificates.length === 0) this.close();
    else this.#timer ??= this.#clock.every(DAY, () => this.#tell());
  }

  #tell(): void {
    const now = this.#clock.wall();
    const told = (this.#plan()?.certificates ?? []).flatMap((one) => {
      const found = one.type === 'file' ? expiry(one, now) : null;
      return one.type === 'file' && found !== null ? [{ one, found }] : [];
    });
    for (const { one, found } of told.slice(0, MOST)) {
      const fields = { certificate: one.name, file: one.file, not_after: new Date(one.notAfter).toISOString() };
      this.#log.warn(EVENTS[found.state], fields);
    }
    if (told.length > MOST) this.#log.warn('further certificates must be renewed', { count: told.length - MOST });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
