/**
 * Reads the ClientHello of a TLS connection before OpenSSL does (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). Hot: once per
 * connection.
 *
 *     push ──▶ more … ──▶ hello | not_tls | malformed | too_large
 *
 * So the certificate, the settings and even the pool can be chosen without decrypting anything. It may be fragmented
 * over any number of records and reads; what it consists of is bounded.
 */

/** Bytes of one ClientHello. Post-quantum key shares need about 2 KiB. */
const MOST_HELLO = 32 * 1024;
/** Bytes of the records that carry it. */
const MOST_RECORDS = 64 * 1024;
/** RFC 8446 §5.1. */
const MOST_FRAGMENT = 16 * 1024;

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;

export interface ClientHello {
  /** The server name in lower case (RFC 6066 §3), or '' if the client names none. With ECH, the outer name. */
  readonly serverName: string;
  /** The protocols that the client offers (RFC 7301 §3.1), most wanted first. */
  readonly protocols: readonly string[];
}

/** `not_tls`: the first byte is no handshake record. */
export type HelloRefusal = 'not_tls' | 'malformed' | 'too_large';

export class ClientHelloReader {
  /** Holds all bytes so far, and has room for more. */
  #bytes: Buffer = Buffer.alloc(0);
  #size = 0;
  /** The handshake message without the headers of its records. */
  #message: Buffer[] = [];
  #length = 0;
  /** The length that the message states; -1: not known yet. */
  #stated = -1;
  /** Where in `received` the next record begins. */
  #next = 0;

  /** All bytes so far. */
  get received(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Takes the next bytes, a copy of them. Returns null if the message is not complete. */
  push(bytes: Buffer, start: number, end: number): ClientHello | HelloRefusal | null {
    this.#keep(bytes, start, end);
    const { received } = this;
    if (received[0] !== HANDSHAKE) return 'not_tls';
    for (;;) {
      const at = this.#next;
      if (received.length < at + RECORD_HEADER) break;
      // A record of another kind, or of a version that never was, within the message (RFC 8446 §5.1).
      if (received[at] !== HANDSHAKE || received[at + 1] !== 3) return 'malformed';
      const length = received.readUInt16BE(at + 3);
      if (length === 0 || length > MOST_FRAGMENT) return 'malformed';
      const until = at + RECORD_HEADER + length;
      if (received.length < until) break;
      this.#message.push(received.subarray(at + RECORD_HEADER, until));
      this.#length += length;
      this.#next = until;
      const whole = this.#whole();
      if (whole !== null) return whole;
    }
    return received.length > MOST_RECORDS ? 'too_large' : null;
  }

  /** The room doubles, so that bytes that come one by one cost no more than all at once. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const size = this.#size + end - start;
    if (size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#size, start, end);
    this.#size = size;
  }

  #whole(): ClientHello | HelloRefusal | null {
    if (this.#length < MESSAGE_HEADER) return null;
    if (this.#stated < 0) {
      const begin = this.#joined();
      if (begin[0] !== CLIENT_HELLO) return 'malformed';
      this.#stated = begin.readUIntBE(1, 3);
      if (this.#stated > MOST_HELLO) return 'too_large';
    }
    const rest = this.#length - MESSAGE_HEADER;
    if (rest < this.#stated) return null;
    // Nothing may follow a ClientHello before the server answers.
    return rest > this.#stated ? 'malformed' : readHello(this.#joined().subarray(MESSAGE_HEADER));
  }

  #joined(): Buffer {
    return this.#message.length === 1 ? this.#message[0]! : Buffer.concat(this.#message);
  }
}

/** Reads vectors with a length in front; remembers if one is longer than what holds it. */
class Vectors {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  broken = false;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get more(): boolean {
    return this.#at < this.#end && !this.broken;
  }

  number(size: 1 | 2): number {
    if (this.#at + size > this.#end) {
      this.broken = true;
      return 0;
    }
    const number = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return number;
  }

  skip(length: number): void {
    if (this.#at + length > this.#end) this.broken = true;
    else this.#at += length;
  }

  /** The vector whose length the next `size` bytes tell. */
  vector(size: 1 | 2): Vectors {
    const length = this.number(size);
    const start = this.#at;
    this.skip(length);
    return this.broken ? new Vectors(this.#bytes, 0, 0) : new Vectors(this.#bytes, start, start + length);
  }

  get length(): number {
    return this.#end - this.#at;
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at, this.#end);
  }
}

function readHello(bytes: Buffer): ClientHello | HelloRefusal {
  const body = new Vectors(bytes);
  body.skip(2 + 32);
  if (body.vector(1).length > 32) return 'malformed';
  const suites = body.vector(2).length;
  if (suites === 0 || suites % 2 !== 0) return 'malformed';
  if (body.vector(1).length === 0) return 'malformed';
  let serverName = '';
  let protocols: string[] = [];
  if (body.more) {
    const extensions = body.vector(2);
    const seen = new Set<number>();
    while (extensions.more) {
      const type = extensions.number(2);
      const data = extensions.vector(2);
      // RFC 8446 §4.2: no two of the same type.
      if (extensions.broken || seen.has(type)) return 'malformed';
      seen.add(type);
      if (type === SERVER_NAME) {
        const name = readServerName(data);
        if (name === null) return 'malformed';
        serverName = name;
      } else if (type === ALPN) {
        const list = readProtocols(data);
        if (list === null) return 'malformed';
        protocols = list;
      }
    }
    if (extensions.broken) return 'malformed';
  }
  return body.broken || body.more ? 'malformed' : { serverName, protocols };
}

/** RFC 6066 §3: a list with one name of each type; there is one type. Without a trailing dot. */
function readServerName(data: Vectors): string | null {
  const list = data.vector(2);
  const type = list.number(1);
  const name = list.vector(2);
  if (list.broken || data.broken || list.more || data.more || type !== 0) return null;
  const text = name.text();
  return /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$/.test(text) ? text.toLowerCase() : null;
}

/** RFC 7301 §3.1: at least one protocol, none of them empty. */
function readProtocols(data: Vectors): string[] | null {
  const list = data.vector(2);
  const protocols: string[] = [];
  while (list.more) {
    const protocol = list.vector(1);
    if (protocol.length === 0) return null;
    protocols.push(protocol.text());
  }
  return list.broken || data.broken || data.more || protocols.length === 0 ? null : protocols;
}
