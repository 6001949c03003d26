/**
 * Parses a Structured Field Dictionary (RFC 9651 §3.2, §4.2.2), strictly: one error makes all of it invalid. Hot.
 *
 * The parser reads the text once from left to right, and its length is bounded; parameters are checked and dropped. Of
 * duplicate keys the last counts (§4.2.2).
 */
import { isTokenChar } from './directive-reader.ts';

export type DictionaryValue =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'bytes' | 'display'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'list'; readonly value: readonly DictionaryValue[] };

/** null: it is not a dictionary, or longer than any useful one. An empty text is an empty dictionary. */
export function parseDictionary(text: string): ReadonlyMap<string, DictionaryValue> | null {
  return text.length > LONGEST ? null : new DictionaryParser(text).dictionary();
}

const LONGEST = 16_384;
const TRUE: DictionaryValue = { type: 'boolean', value: true };
const FALSE: DictionaryValue = { type: 'boolean', value: false };
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

class DictionaryParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): ReadonlyMap<string, DictionaryValue> | null {
    const members = new Map<string, DictionaryValue>();
    this.#skipSpaces();
    while (!this.#over()) {
      const key = this.#key();
      if (key === null) return null;
      const value = this.#take('=') ? this.#memberValue() : TRUE;
      if (value === null || !this.#parameters()) return null;
      members.set(key, value);
      this.#skipBlanks();
      if (this.#over()) return members;
      if (!this.#take(',')) return null;
      this.#skipBlanks();
      // A trailing comma.
      if (this.#over()) return null;
    }
    return members;
  }

  #memberValue(): DictionaryValue | null {
    return this.#take('(') ? this.#innerList() : this.#bareItem();
  }

  /** §4.2.1.2, behind its "(". The caller parses its own parameters. */
  #innerList(): DictionaryValue | null {
    const items: DictionaryValue[] = [];
    while (!this.#over()) {
      this.#skipSpaces();
      if (this.#take(')')) return { type: 'list', value: items };
      const item = this.#bareItem();
      if (item === null || !this.#parameters()) return null;
      items.push(item);
      const next = this.#peek();
      if (next !== ' ' && next !== ')') return null;
    }
    return null;
  }

  /** §4.2.3.1 */
  #bareItem(): DictionaryValue | null {
    const first = this.#peek();
    if (first === '"') return this.#string();
    if (first === '?') return this.#boolean();
    if (first === ':') return this.#bytes();
    if (first === '@') return this.#date();
    if (first === '%') return this.#display();
    if (first === '-' || isDigit(first)) return this.#number();
    return first === '*' || isLetter(first) ? this.#token() : null;
  }

  /** §4.2.3.2 */
  #parameters(): boolean {
    while (this.#take(';')) {
      this.#skipSpaces();
      if (this.#key() === null) return false;
      if (this.#take('=') && this.#bareItem() === null) return false;
    }
    return true;
  }

  /** §4.2.3.3 */
  #key(): string | null {
    const start = this.#at;
    const first = this.#peek();
    if (first !== '*' && !(first >= 'a' && first <= 'z')) return null;
    while (!this.#over() && isKeyChar(this.#peek())) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** §4.2.4: an integer of up to 15 digits, or up to 12 digits and 1 to 3 behind the point. */
  #number(): DictionaryValue | null {
    const start = this.#at;
    this.#take('-');
    const whole = this.#digits();
    if (whole === 0) return null;
    if (!this.#take('.')) {
      return whole > 15 ? null : { type: 'integer', value: Number(this.#text.slice(start, this.#at)) };
    }
    const fraction = this.#digits();
    if (whole > 12 || fraction < 1 || fraction > 3) return null;
    return { type: 'decimal', value: Number(this.#text.slice(start, this.#at)) };
  }

  /** Returns the number of digits. */
  #digits(): number {
    const start = this.#at;
    while (isDigit(this.#peek())) this.#at++;
    return this.#at - start;
  }

  /** §4.2.5 */
  #string(): DictionaryValue | null {
    let value = '';
    for (this.#at++; !this.#over(); this.#at++) {
      let character = this.#peek();
      if (character === '"') {
        this.#at++;
        return { type: 'string', value };
      }
      if (character === '\\') {
        this.#at++;
        character = this.#peek();
        if (character !== '"' && character !== '\\') return null;
      } else if (!isPrintable(character)) return null;
      value += character;
    }
    return null;
  }

  /** §4.2.6 */
  #token(): DictionaryValue {
    const start = this.#at;
    while (!this.#over() && isTokenPart(this.#text, this.#at)) this.#at++;
    return { type: 'token', value: this.#text.slice(start, this.#at) };
  }

  /** §4.2.7; the value stays in base64. */
  #bytes(): DictionaryValue | null {
    const end = this.#text.indexOf(':', this.#at + 1);
    if (end < 0) return null;
    const value = this.#text.slice(this.#at + 1, end);
    if (!BASE64.test(value)) return null;
    this.#at = end + 1;
    return { type: 'bytes', value };
  }

  /** §4.2.8 */
  #boolean(): DictionaryValue | null {
    this.#at++;
    if (this.#take('1')) return TRUE;
    return this.#take('0') ? FALSE : null;
  }

  /** §4.2.9 */
  #date(): DictionaryValue | null {
    this.#at++;
    const number = this.#peek() === '-' || isDigit(this.#peek()) ? this.#number() : null;
    return number?.type === 'integer' ? { type: 'date', value: number.value } : null;
  }

  /** §4.2.10; the value stays percent-encoded, but must be UTF-8. */
  #display(): DictionaryValue | null {
    const text = this.#text;
    if (text[this.#at + 1] !== '"') return null;
    const start = this.#at + 2;
    for (let at = start; at < text.length; at++) {
      const character = text[at]!;
      if (character === '"') {
        this.#at = at + 1;
        const value = text.slice(start, at);
        return isUtf8(value) ? { type: 'display', value } : null;
      }
      if (!isPrintable(character)) return null;
      if (character === '%') {
        if (!isLowerHex(text[at + 1]) || !isLowerHex(text[at + 2])) return null;
        at += 2;
      }
    }
    return null;
  }

  #over(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next character, or ''. */
  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpaces(): void {
    while (this.#peek() === ' ') this.#at++;
  }

  /** OWS */
  #skipBlanks(): void {
    while (this.#peek() === ' ' || this.#peek() === '\t') this.#at++;
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1;
}

function isLetter(character: string): boolean {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

function isKeyChar(character: string): boolean {
  return (character >= 'a' && character <= 'z') || isDigit(character) || '_-.*'.includes(character);
}

/** tchar, ":" or "/". */
function isTokenPart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return isTokenChar(code) || code === 58 || code === 47;
}

function isPrintable(character: string): boolean {
  return character >= ' ' && character <= '~' && character.length === 1;
}

function isLowerHex(character: string | undefined): boolean {
  return character !== undefined && /^[0-9a-f]$/.test(character);
}

/** For a text in which every "%" begins an encoded byte. */
function isUtf8(text: string): boolean {
  const bytes = Buffer.from(
    text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}
