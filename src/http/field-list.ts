/**
 * Immutable fields in few bytes, for complete replies. A cache stores very many of them. Hot.
 *
 * One text holds all fields, in a coding. A new list has the plain coding, which belongs to no protocol. The codec that
 * sends a list writes it in its own coding. If the list is a lasting one, this text takes the place of the other: the next
 * reply costs nothing, and the list is never in memory twice. Every coding can be read back, so the cache and the other
 * codecs read a list in the same way, whichever codec has sent it.
 *
 *     plain       Content-Type ␊ text/html ␊ ETag ␊ "1" ␊                                    │ the body
 *     HTTP/1.1    Content-Type: text/html ␍␊ ETag: "1" ␍␊ Content-Length: 8 ␍␊ ␍␊            │ the body
 *                 └────────────────── fields ───────────────────┘ └── between ──┘
 */
import { detachString } from '../kit/detach-string.ts';
import type { Fields } from './fields.ts';

export type FieldPair = readonly [name: string, value: string];

type Visit = (name: string, value: string, start: number, end: number) => void;

export interface FieldCoding {
  /** The text of one field. The text of a list is that of its fields in a row. */
  encode(name: string, value: string): string;
  /** The text between the fields and the body of a reply. `length`: of its content, in bytes; UNKNOWN_LENGTH: it is not told. */
  between(length: number): string;
  /** Calls back with every field in text[0, end), and with its place there. */
  forEach(text: string, end: number, visit: Visit): void;
  /** Adds the fields in text[0, end) to a message that has no fields yet. */
  copyTo(text: string, end: number, fields: Fields): void;
}

/** Bytes that a coding may add to the name and the value of a field. */
const MOST_ADDED = 4;

/** No name and no value contains a line feed (RFC 9110 §5.5). */
const PLAIN: FieldCoding = {
  encode: (name, value) => `${name}\n${value}\n`,
  between: () => '',
  forEach(text, end, visit) {
    for (let at = 0; at < end; ) {
      const middle = text.indexOf('\n', at);
      const last = text.indexOf('\n', middle + 1);
      visit(text.slice(at, middle), text.slice(middle + 1, last), at, last + 1);
      at = last + 1;
    }
  },
  copyTo(text, end, fields) {
    PLAIN.forEach(text, end, (name, value) => fields.add(name, value));
  },
};

export class FieldList {
  protected text: string;
  protected coding: FieldCoding;
  /** Where the fields end in the text. */
  protected end: number;
  /** It is used for many replies. */
  protected readonly lasting: boolean;
  /** Bytes that the text of its fields has at most, in whichever coding. */
  readonly size: number;

  protected constructor(text: string, coding: FieldCoding, end: number, size: number, lasting: boolean) {
    this.text = text;
    this.coding = coding;
    this.end = end;
    this.size = size;
    this.lasting = lasting;
  }

  static readonly NONE = new FieldList('', PLAIN, 0, 0, false);

  /** The names and values must be valid, as in `Fields.add`. */
  static of(pairs: readonly FieldPair[]): FieldList {
    let text = '';
    let size = 0;
    for (const [name, value] of pairs) {
      text += PLAIN.encode(name, value);
      size += name.length + value.length + MOST_ADDED;
    }
    return new FieldList(text, PLAIN, text.length, size, false);
  }

  /** A copy of a message's fields. */
  static from(fields: Fields): FieldList {
    const pairs: FieldPair[] = [];
    fields.forEach((name, value) => pairs.push([name, value]));
    return FieldList.of(pairs);
  }

  /** Calls back with every field, in order. */
  forEach(visit: (name: string, value: string) => void): void {
    this.coding.forEach(this.text, this.end, visit);
  }

  /** All fields, in order. */
  get pairs(): FieldPair[] {
    const pairs: FieldPair[] = [];
    this.forEach((name, value) => pairs.push([name, value]));
    return pairs;
  }

  /** The values of a field by its lower-case name, joined with ", " (RFC 9110 §5.3), or undefined. */
  get(name: string): string | undefined {
    let found: string | undefined;
    this.forEach((one, value) => {
      if (one.toLowerCase() === name) found = found === undefined ? value : `${found}, ${value}`;
    });
    return found;
  }

  /** The fields whose lower-case names pass the test. */
  filter(passes: (name: string) => boolean): FieldList {
    let text = '';
    let size = 0;
    this.coding.forEach(this.text, this.end, (name, value, start, end) => {
      if (!passes(name.toLowerCase())) return;
      text += this.text.slice(start, end);
      size += name.length + value.length + MOST_ADDED;
    });
    return new FieldList(text, this.coding, text.length, size, false);
  }

  /** These fields, and then those of another list. */
  concat(other: FieldList): FieldList {
    const text = this.text.slice(0, this.end) + other.fieldsIn(this.coding);
    return new FieldList(text, this.coding, text.length, this.size + other.size, false);
  }

  /** Copies the fields to a message that has no fields yet. */
  copyTo(fields: Fields): void {
    this.coding.copyTo(this.text, this.end, fields);
  }

  /** The same list, for many replies: it keeps no other text alive. */
  kept(): FieldList {
    return new FieldList(detachString(this.text), this.coding, this.end, this.size, true);
  }

  protected fieldsIn(coding: FieldCoding): string {
    if (this.coding === coding) return this.text.slice(0, this.end);
    let text = '';
    this.forEach((name, value) => (text += coding.encode(name, value)));
    return text;
  }

  /** Its text in a coding; a lasting list keeps that text in place of its own. */
  textIn(coding: FieldCoding): string {
    if (this.coding === coding) return this.text;
    const fields = this.fieldsIn(coding);
    return this.replace(coding, fields, fields.length);
  }

  protected replace(coding: FieldCoding, text: string, end: number): string {
    if (!this.lasting) return text;
    this.text = detachString(text);
    this.coding = coding;
    this.end = end;
    return this.text;
  }

  /** These fields and the body of a reply. `length`: as in FieldCoding. */
  withBody(body: string, length: number): ReplyContent {
    const { coding, end } = this;
    const text = this.text.slice(0, end) + coding.between(length) + body;
    return new ReplyContent(text, coding, end, this.size, false, length, body.length);
  }
}

/**
 * The fields of a reply and its body behind them in the same text: with very many stored replies, each further object is a
 * further wait for memory.
 */
export class ReplyContent extends FieldList {
  /** As in FieldCoding: it need not be that of the body. */
  readonly #length: number;
  /** Length of the body in the text. Each of its characters is one byte. */
  readonly bodyLength: number;

  constructor(
    text: string,
    coding: FieldCoding,
    end: number,
    size: number,
    lasting: boolean,
    length: number,
    bodyLength: number,
  ) {
    super(text, coding, end, size, lasting);
    this.#length = length;
    this.bodyLength = bodyLength;
  }

  get body(): string {
    return this.text.slice(this.text.length - this.bodyLength);
  }

  override kept(): ReplyContent {
    const { text, coding, end, size, bodyLength } = this;
    return new ReplyContent(detachString(text), coding, end, size, true, this.#length, bodyLength);
  }

  /** The fields and the body. */
  override textIn(coding: FieldCoding): string {
    if (this.coding === coding) return this.text;
    const fields = this.fieldsIn(coding);
    return this.replace(coding, fields + coding.between(this.#length) + this.body, fields.length);
  }
}
