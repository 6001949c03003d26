/** Writes ASCII text and numbers into bytes without creating intermediate strings. Hot. */
import { jsonText } from './json-text.ts';

const ZERO = 0x30;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
/** The largest number whose digits are computed with 32-bit arithmetic. */
const SMALL = 0x7fffffff;

export class AsciiWriter {
  bytes: Buffer;
  /** Bytes written. */
  at = 0;

  /** Callers ensure that there is room. */
  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Text that is known to be ASCII. */
  text(text: string): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /** Any text as the inside of a JSON string: up to six bytes for each character. */
  quoted(text: string): void {
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.text(jsonText(text).slice(1, -1));
        return;
      }
      bytes[at++] = code;
    }
    this.at = at;
  }

  /** A whole number from 0. */
  integer(value: number): void {
    if (value > SMALL) {
      this.text(String(value));
      return;
    }
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
    const { bytes, at } = this;
    let rest = value;
    for (let i = at + digits - 1; i >= at; i--) {
      const next = (rest / 10) | 0;
      bytes[i] = ZERO + rest - next * 10;
      rest = next;
    }
    this.at = at + digits;
  }

  /** Milliseconds with three decimals. */
  milliseconds(ms: number): void {
    const whole = Math.floor(ms);
    this.integer(whole);
    this.bytes[this.at++] = DOT;
    this.thousandths(Math.floor((ms - whole) * 1000));
  }

  /** Three digits. */
  thousandths(value: number): void {
    const hundreds = (value / 100) | 0;
    const tens = ((value - hundreds * 100) / 10) | 0;
    const { bytes, at } = this;
    bytes[at] = ZERO + hundreds;
    bytes[at + 1] = ZERO + tens;
    bytes[at + 2] = ZERO + value - hundreds * 100 - tens * 10;
    this.at = at + 3;
  }
}
