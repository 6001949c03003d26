/** The Date field of a response (RFC 9110 §5.6.7, §6.6.1), formatted once a second. Hot. */
import type { Clock } from '../kit/clock.ts';

export class DateField {
  readonly #clock: Clock;
  #second = -1;
  #line = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `Date: …` and CRLF. */
  line(): string {
    this.#refresh();
    return this.#line;
  }

  #refresh(): void {
    const now = this.#clock.wall();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = `Date: ${new Date(now).toUTCString()}\r\n`;
    }
  }
}
