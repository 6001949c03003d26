/**
 * Reads a body in the chunked coding, across any split of the bytes (RFC 9112 §7.1). Hot.
 *
 * Each body has its own reader. Data goes to the sink as it arrives. Sizes, extensions and trailers are checked byte by
 * byte and bounded. Extensions are dropped, which an intermediary may do (§7.1.1).
 */
import { isBarredTrailer } from '../barred-trailers.ts';
import { Fields } from '../fields.ts';
import { UNDERSCORED } from '../known.ts';
import type { IdentityPlan } from '../../plan/types/identity.ts';
import type { BodySink } from '../message.ts';
import { TOKEN } from '../token.ts';
import { HEX, VALUE } from './charset.ts';
import { parseFields } from './parser.ts';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const DONE = 7;

/** Digits of a chunk size after its leading zeros: up to 2^52, exact in a number (RFC 9112 §7.1: no overflow). */
const MOST_DIGITS = 13;
/** Leading zeros of a chunk size. Any number is valid, but useless. */
const MOST_ZEROS = 256;
/** Bytes of extensions in one body. Legitimate clients don't use extensions; attackers do. */
const MOST_EXTENSION = 4096;
/** Bytes and fields of a trailer section. */
const MOST_TRAILER = 8192;
const MOST_TRAILER_FIELDS = 64;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;

/** Position in an extension, `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted ) ] )`. */
const BEFORE_SEMICOLON = 0;
const BEFORE_NAME = 1;
const NAME = 2;
const AFTER_NAME = 3;
const BEFORE_VALUE = 4;
const TOKEN_VALUE = 5;
const QUOTED = 6;
const ESCAPED = 7;
const CLOSED_QUOTE = 8;

type Underscores = IdentityPlan['underscores'];

export class ChunkedReader {
  #state = SIZE;
  #digits = 0;
  #zeros = 0;
  #left = 0;
  #extensionState = BEFORE_SEMICOLON;
  /** Extension bytes of this chunk, and of the whole body without forgiven white space. */
  #extensionBytes = 0;
  #allExtensionBytes = 0;
  /** Accept white space at the end of a chunk size's line. */
  readonly #blanksForgiven: boolean;
  #trailer: Buffer | null = null;
  /** The trailer section without fields that must not be there (RFC 9110 §6.5.1); null: it has none. */
  trailers: Fields | null = null;

  /** The sink has returned false since this was last cleared. */
  full = false;
  /** Set by the owner when the sink is to get no further calls: a `read` in progress returns. */
  interrupted = false;
  readonly #underscores: Underscores;

  /** `underscores` says how to treat trailer fields with an underscore or another mark in their name. */
  constructor(blanksForgiven: boolean, underscores: Underscores = 'pass') {
    this.#blanksForgiven = blanksForgiven;
    this.#underscores = underscores;
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Reads bytes[start, end). Returns where it stopped, at most at the body's end, or -1 if they are malformed. */
  read(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    this.interrupted = false;
    while (at < end) {
      switch (this.#state) {
        case SIZE: {
          const digit = HEX[bytes[at]!]!;
          if (digit !== 255) {
            if (digit === 0 && this.#left === 0) {
              if (++this.#zeros > MOST_ZEROS) return -1;
            } else if (++this.#digits > MOST_DIGITS) return -1;
            this.#left = this.#left * 16 + digit;
            at++;
            break;
          }
          if (this.#digits + this.#zeros === 0) return -1;
          this.#state = EXTENSION;
          this.#extensionState = BEFORE_SEMICOLON;
          break;
        }
        case EXTENSION:
          at = this.#extension(bytes, at, end);
          if (at < 0) return -1;
          break;
        case SIZE_LF:
          if (bytes[at] !== LF) return -1;
          at++;
          this.#digits = 0;
          this.#zeros = 0;
          this.#state = this.#left === 0 ? TRAILERS : DATA;
          break;
        case DATA: {
          const stop = Math.min(end, at + this.#left);
          this.#left -= stop - at;
          if (!sink.data(bytes, at, stop)) this.full = true;
          at = stop;
          if (this.#left === 0) this.#state = DATA_CR;
          if (this.interrupted) return at;
          break;
        }
        case DATA_CR:
          if (bytes[at] !== CR) return -1;
          at++;
          this.#state = DATA_LF;
          break;
        case DATA_LF:
          if (bytes[at] !== LF) return -1;
          at++;
          this.#state = SIZE;
          break;
        case TRAILERS:
          return this.#readTrailers(bytes, at, end);
        default:
          return at;
      }
    }
    return at;
  }

  /** Reads from the byte after the size to the CR that ends the line. */
  #extension(bytes: Buffer, start: number, end: number): number {
    let at = start;
    let state = this.#extensionState;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === CR) {
        // Refuse trailing white space, a missing name or value, and an unterminated quoted string.
        const bare = state === BEFORE_SEMICOLON && at === start && this.#extensionBytes === 0;
        const complete = bare || state === NAME || state === TOKEN_VALUE || state === CLOSED_QUOTE;
        const blank = state === BEFORE_SEMICOLON || state === AFTER_NAME;
        if (!complete && !(blank && this.#blanksForgiven)) return -1;
        this.#extensionBytes = 0;
        this.#state = SIZE_LF;
        return at + 1;
      }
      if (++this.#extensionBytes > MOST_EXTENSION) return -1;
      const forgiven = this.#blanksForgiven && (byte === 0x20 || byte === 0x09);
      if (!forgiven && ++this.#allExtensionBytes > MOST_EXTENSION) return -1;
      state = nextExtensionState(state, byte);
      if (state < 0) return -1;
    }
    this.#extensionState = state;
    return at;
  }

  #readTrailers(bytes: Buffer, start: number, end: number): number {
    const had = this.#trailer?.length ?? 0;
    // The trailer section rarely arrives in parts. When it does, the parts are joined and read again.
    const all =
      this.#trailer === null ? bytes.subarray(start, end) : Buffer.concat([this.#trailer, bytes.subarray(start, end)]);
    const fields = new Fields();
    const last = Math.min(all.length, MOST_TRAILER);
    const stop = parseFields(all, 0, 0, last, MOST_TRAILER_FIELDS, fields);
    if (stop < 0 || (stop === 0 && all.length >= MOST_TRAILER)) return -1;
    if (stop === 0) {
      this.#trailer = Buffer.from(all);
      return end;
    }
    fields.text = all.toString('latin1', 0, stop);
    // The fields that the gateway knows by name affect framing, routing or identity: none may be in trailers.
    for (let i = 0; i < fields.count; i++) {
      const id = fields.ids[i]!;
      if (id === UNDERSCORED && this.#underscores === 'refuse') return -1;
      if (isBarredTrailer(id, fields.nameAt(i), this.#underscores)) fields.removeAt(i);
    }
    if (fields.lines() !== '') this.trailers = fields;
    this.#state = DONE;
    return start + stop - had;
  }
}

function nextExtensionState(state: number, byte: number): number {
  const blank = byte === 0x20 || byte === 0x09;
  switch (state) {
    case BEFORE_SEMICOLON:
    case CLOSED_QUOTE:
    case AFTER_NAME:
      if (byte === SEMICOLON) return BEFORE_NAME;
      if (byte === EQUALS && state === AFTER_NAME) return BEFORE_VALUE;
      if (!blank) return -1;
      return state === CLOSED_QUOTE ? BEFORE_SEMICOLON : state;
    case BEFORE_NAME:
      if (blank) return BEFORE_NAME;
      return TOKEN[byte] === 1 ? NAME : -1;
    case NAME:
      if (TOKEN[byte] === 1) return NAME;
      if (byte === SEMICOLON) return BEFORE_NAME;
      if (byte === EQUALS) return BEFORE_VALUE;
      return blank ? AFTER_NAME : -1;
    case BEFORE_VALUE:
      if (blank) return BEFORE_VALUE;
      if (byte === QUOTE) return QUOTED;
      return TOKEN[byte] === 1 ? TOKEN_VALUE : -1;
    case TOKEN_VALUE:
      if (TOKEN[byte] === 1) return TOKEN_VALUE;
      if (byte === SEMICOLON) return BEFORE_NAME;
      return blank ? BEFORE_SEMICOLON : -1;
    case QUOTED:
      if (byte === QUOTE) return CLOSED_QUOTE;
      if (byte === BACKSLASH) return ESCAPED;
      return VALUE[byte] === 1 ? QUOTED : -1;
    default:
      return VALUE[byte] === 1 ? QUOTED : -1;
  }
}
