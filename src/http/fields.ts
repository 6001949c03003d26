/**
 * The header fields of one message: the text as received, and a table of field offsets in it. Hot.
 *
 * The parser fills the table. Hooks read, remove and add fields. The serializer copies runs of untouched lines straight
 * from the text. A field therefore costs four integers, and a string only when something reads it.
 *
 *     text    "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n"
 *     table    line start │ name end │ value start │ value end     per field; its line ends at the next line's start
 *     ids      known.ts id, or REMOVED
 *     added    "Via: 1.1 prozy\r\n"                                lines added here
 */
import { knownId } from './known.ts';

const REMOVED = 255;
const WIDTH = 4;

export class Fields {
  /** Latin-1 text that the table points into. */
  text = '';
  /** Fields in the table, including removed ones. */
  count = 0;
  /** Offset after the CRLF of the table's last line. */
  end = 0;
  /** Bit `id` is set if there is a field with that known id, received or added. Of ids below 32. */
  seen = 0;
  /** The same of ids from 32 to 63, as bit `id - 32`. */
  #seenHigh = 0;
  table = new Int32Array(32 * WIDTH);
  ids = new Uint8Array(32);
  #removed = 0;
  /** The first `#addedCount` entries are added lines, each with its CRLF. The array is reused, as the table is. */
  readonly #added: string[] = [];
  /** The known id of each added line. */
  readonly #addedIds: number[] = [];
  #addedCount = 0;

  /** Empties the object for the parser. */
  reset(): void {
    this.text = '';
    this.count = 0;
    this.end = 0;
    this.seen = 0;
    this.#seenHigh = 0;
    this.#removed = 0;
    while (this.#addedCount > 0) this.#added[--this.#addedCount] = '';
  }

  /** Records one field for the parser; offsets are into `text`. */
  push(id: number, lineStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.count++;
    if (index === this.ids.length) this.#grow();
    const at = index * WIDTH;
    const table = this.table;
    table[at] = lineStart;
    table[at + 1] = nameEnd;
    table[at + 2] = valueStart;
    table[at + 3] = valueEnd;
    this.ids[index] = id;
    this.#see(id);
  }

  /** A shift counts modulo 32. */
  #see(id: number): void {
    if (id < 32) this.seen |= 1 << id;
    else this.#seenHigh |= 1 << id;
  }

  /** A field with this known id was removed: was it the last? */
  #unsee(id: number): void {
    if (id === 0 || this.indexOfKnown(id) >= 0) return;
    for (let i = 0; i < this.#addedCount; i++) if (this.#addedIds[i] === id) return;
    if (id < 32) this.seen &= ~(1 << id);
    else this.#seenHigh &= ~(1 << id);
  }

  #grow(): void {
    const table = new Int32Array(this.table.length * 2);
    table.set(this.table);
    this.table = table;
    const ids = new Uint8Array(this.ids.length * 2);
    ids.set(this.ids);
    this.ids = ids;
  }

  /** Reports whether there is a field with this known id; `known` has its value then. */
  has(id: number): boolean {
    return ((id < 32 ? this.seen : this.#seenHigh) & (1 << id)) !== 0;
  }

  /** Returns the table index of the first received field with this known id at or after `from`, or -1. */
  indexOfKnown(id: number, from = 0): number {
    const ids = this.ids;
    for (let i = from; i < this.count; i++) if (ids[i] === id) return i;
    return -1;
  }

  /** The name of the field at a table index, in its original case. */
  nameAt(index: number): string {
    return this.text.slice(this.table[index * WIDTH], this.table[index * WIDTH + 1]);
  }

  /** The value of the field at a table index, without surrounding white space. */
  valueAt(index: number): string {
    return this.text.slice(this.table[index * WIDTH + 2], this.table[index * WIDTH + 3]);
  }

  /** Reports whether the field at a table index has exactly this value. Allocates no string. */
  isValueAt(index: number, value: string): boolean {
    const start = this.table[index * WIDTH + 2]!;
    return this.table[index * WIDTH + 3]! - start === value.length && this.text.startsWith(value, start);
  }

  /**
   * Reports whether exactly one received field has this known id and its value is this word (in lower case; the field may have
   * any case). Allocates no string.
   */
  says(id: number, word: string): boolean {
    const index = this.indexOfKnown(id);
    if (index < 0 || this.indexOfKnown(id, index + 1) >= 0) return false;
    return isNamed(this.text, this.table[index * WIDTH + 2]!, this.table[index * WIDTH + 3]!, word);
  }

  /** True if no field has been removed or added. */
  get untouched(): boolean {
    return this.#removed === 0 && this.#addedCount === 0;
  }

  /** The values of a known field, joined with ", " (RFC 9110 §5.3), or undefined. */
  known(id: number): string | undefined {
    if (!this.has(id)) return undefined;
    let value: string | undefined;
    for (let i = this.indexOfKnown(id); i >= 0; i = this.indexOfKnown(id, i + 1))
      value = value === undefined ? this.valueAt(i) : `${value}, ${this.valueAt(i)}`;
    for (let i = 0; i < this.#addedCount; i++) {
      if (this.#addedIds[i] !== id) continue;
      const added = valueOf(this.#added[i]!);
      value = value === undefined ? added : `${value}, ${added}`;
    }
    return value;
  }

  /** The values of a field by its lower-case name, joined with ", " (RFC 9110 §5.3), or undefined. */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (let i = 0; i < this.count; i++) {
      if (this.#named(i, name)) found = found === undefined ? this.valueAt(i) : `${found}, ${this.valueAt(i)}`;
    }
    for (let i = 0; i < this.#addedCount; i++) {
      const line = this.#added[i]!;
      if (isNamed(line, 0, line.indexOf(':'), name))
        found = found === undefined ? valueOf(line) : `${found}, ${valueOf(line)}`;
    }
    return found;
  }

  /** Adds a field after all others. Name and value must be valid; the plan has checked those from a config. */
  add(name: string, value: string): void {
    this.addLine(`${name}: ${value}\r\n`);
  }

  /**
   * Adds a whole line, `name: value` and CRLF. Lines that never change need not be assembled each time. `id`: the known
   * id of its name; callers that know it save the search.
   */
  addLine(line: string, id = idOfLine(line)): void {
    this.#added[this.#addedCount] = line;
    this.#addedIds[this.#addedCount++] = id;
    this.#see(id);
  }

  /** The lines added here, each with its CRLF, as they are now. */
  get added(): readonly string[] {
    return this.#added.slice(0, this.#addedCount);
  }

  /** Removes every field with that lower-case name. */
  remove(name: string): void {
    for (let i = 0; i < this.count; i++) if (this.#named(i, name)) this.removeAt(i);
    for (let i = this.#addedCount - 1; i >= 0; i--) {
      const line = this.#added[i]!;
      if (isNamed(line, 0, line.indexOf(':'), name)) this.#dropAdded(i);
    }
  }

  /** Removes the line added at `index`. */
  #dropAdded(index: number): void {
    const added = this.#added;
    const ids = this.#addedIds;
    const id = ids[index]!;
    const last = --this.#addedCount;
    for (let i = index; i < last; i++) {
      added[i] = added[i + 1]!;
      ids[i] = ids[i + 1]!;
    }
    added[last] = '';
    this.#unsee(id);
  }

  /** Removes every field whose name begins with this lower-case text. */
  removePrefixed(prefix: string): void {
    const { text, table } = this;
    for (let i = 0; i < this.count; i++) {
      const start = table[i * WIDTH]!;
      const named = table[i * WIDTH + 1]! - start >= prefix.length;
      if (named && this.ids[i] !== REMOVED && isNamed(text, start, start + prefix.length, prefix)) this.removeAt(i);
    }
    for (let i = this.#addedCount - 1; i >= 0; i--) {
      const line = this.#added[i]!;
      if (line.length > prefix.length && isNamed(line, 0, prefix.length, prefix)) this.#dropAdded(i);
    }
  }

  /** Replaces all fields of that name with one value. `name` may have any case. */
  set(name: string, value: string): void {
    this.remove(name.toLowerCase());
    this.add(name, value);
  }

  /** Removes the field at a table index. */
  removeAt(index: number): void {
    const id = this.ids[index]!;
    if (id === REMOVED) return;
    this.ids[index] = REMOVED;
    this.#removed++;
    this.#unsee(id);
  }

  /** Removes every field with this known id. */
  removeKnown(id: number): void {
    if (!this.has(id)) return;
    for (let i = 0; i < this.count; i++) if (this.ids[i] === id) this.removeAt(i);
    for (let i = this.#addedCount - 1; i >= 0; i--) if (this.#addedIds[i] === id) this.#dropAdded(i);
  }

  /** Removes, in one pass, every received field whose known id is in this mask of `1 << id`, for ids below 32. */
  removeAll(mask: number): void {
    if ((this.seen & mask) === 0) return;
    const ids = this.ids;
    for (let i = 0; i < this.count; i++) {
      const id = ids[i]!;
      if (id >= 32 || (mask & (1 << id)) === 0) continue;
      ids[i] = REMOVED;
      this.#removed++;
    }
    this.seen &= ~mask;
    for (let i = 0; i < this.#addedCount; i++) this.#see(this.#addedIds[i]!);
  }

  /** All remaining fields, as lines that end in CRLF. Untouched runs are copied whole. */
  lines(): string {
    let out = '';
    if (this.#removed === 0) {
      if (this.count > 0) out = this.text.slice(this.table[0], this.end);
    } else {
      const { ids, table, count } = this;
      let runStart = -1;
      for (let i = 0; i < count; i++) {
        if (ids[i] === REMOVED) {
          if (runStart >= 0) out += this.text.slice(runStart, table[i * WIDTH]);
          runStart = -1;
        } else if (runStart < 0) runStart = table[i * WIDTH]!;
      }
      if (runStart >= 0) out += this.text.slice(runStart, this.end);
    }
    for (let i = 0; i < this.#addedCount; i++) out += this.#added[i]!;
    return out;
  }

  /** Calls back with every remaining field, in order. Cold: for logs, tests and other codecs. */
  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.count; i++) if (this.ids[i] !== REMOVED) visit(this.nameAt(i), this.valueAt(i));
    for (let i = 0; i < this.#addedCount; i++) {
      const line = this.#added[i]!;
      visit(line.slice(0, line.indexOf(':')), valueOf(line));
    }
  }

  /** Copies another object's fields into this one, which must be empty. */
  copy(other: Fields): void {
    const { count } = other;
    while (this.ids.length < count) this.#grow();
    this.text = other.text;
    this.count = count;
    this.end = other.end;
    this.seen = other.seen;
    this.#seenHigh = other.#seenHigh;
    // Messages have few fields: a view on either array would cost more than the loop.
    for (let i = 0; i < count * WIDTH; i++) this.table[i] = other.table[i]!;
    for (let i = 0; i < count; i++) this.ids[i] = other.ids[i]!;
    this.#removed = other.#removed;
    for (let i = 0; i < other.#addedCount; i++) this.addLine(other.#added[i]!, other.#addedIds[i]);
  }

  /** Builds the fields of a message that did not come over the network. */
  static of(pairs: readonly (readonly [name: string, value: string])[]): Fields {
    const fields = new Fields();
    for (const [name, value] of pairs) fields.add(name, value);
    return fields;
  }

  #named(index: number, name: string): boolean {
    if (this.ids[index] === REMOVED) return false;
    return isNamed(this.text, this.table[index * WIDTH]!, this.table[index * WIDTH + 1]!, name);
  }
}

/** Reports whether text[start, end) equals this lower-case name or word, ignoring case. */
function isNamed(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    let c = text.charCodeAt(start + i);
    if (c >= 65 && c <= 90) c |= 0x20;
    if (c !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The known id of the name in a line, or 0. */
function idOfLine(line: string): number {
  return knownId(line.slice(0, line.indexOf(':')).toLowerCase());
}

/** The value in an added line. */
function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 2, -2);
}
