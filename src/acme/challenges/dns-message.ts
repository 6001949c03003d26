/** The DNS messages of a dynamic update (RFC 1035 §4, RFC 2136), signed with TSIG (RFC 8945). Cold. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TxtRecord } from './dns01.ts';

export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';

export interface TsigKey {
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

export const HEADER = 12;
const OPCODE_UPDATE = 5 << 11;
const TYPE = { SOA: 6, TXT: 16, TSIG: 250 } as const;
const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
/** Of the record (s). */
const TTL = 60;
/** How far clocks may be apart (s), as RFC 8945 §10 recommends. */
const FUDGE = 300;

function u16(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [(value >> 8) & 255, value & 255]));
}

function u32(value: number): Buffer {
  return u16(value >>> 16, value & 0xffff);
}

/** Uncompressed, in lower case (the canonical form that TSIG wants). */
export function wireName(name: string): Buffer {
  const labels = name === '' ? [] : name.toLowerCase().split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

/** Adds or removes one value (RFC 2136 §2.5.1, §2.5.4). */
export function updateMessage(id: number, zone: string, { name, value }: TxtRecord, add: boolean): Buffer {
  const text = Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
  const change = Buffer.concat([
    wireName(name),
    u16(TYPE.TXT, add ? CLASS.IN : CLASS.NONE),
    u32(add ? TTL : 0),
    u16(text.length),
    text,
  ]);
  return Buffer.concat([u16(id, OPCODE_UPDATE, 1, 0, 1, 0), wireName(zone), u16(TYPE.SOA, CLASS.IN), change]);
}

/** A query for the SOA record of a name. */
export function soaQuery(id: number, name: string): Buffer {
  return Buffer.concat([u16(id, 0, 1, 0, 0, 0), wireName(name), u16(TYPE.SOA, CLASS.IN)]);
}

export interface Signed {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** `now`: ms since 1970. `before`: the MAC of the request, for a response (RFC 8945 §5.3). */
export function signMessage(message: Buffer, key: TsigKey, now: number, before: Buffer | null = null): Signed {
  const time = timeBytes(Math.floor(now / 1000));
  const mac = macOf(message, key, { time, fudge: FUDGE, error: 0, other: Buffer.alloc(0) }, before);
  const data = Buffer.concat([
    wireName(key.algorithm),
    time,
    u16(FUDGE, mac.length),
    mac,
    u16(message.readUInt16BE(0), 0, 0),
  ]);
  const record = Buffer.concat([wireName(key.name), u16(TYPE.TSIG, CLASS.ANY), u32(0), u16(data.length), data]);
  const counted = Buffer.from(message);
  counted.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { message: Buffer.concat([counted, record]), mac };
}

interface Variables {
  readonly time: Buffer;
  readonly fudge: number;
  readonly error: number;
  readonly other: Buffer;
}

/** RFC 8945 §4.3.3. */
function macOf(message: Buffer, key: TsigKey, { time, fudge, error, other }: Variables, before: Buffer | null): Buffer {
  const hmac = createHmac(key.algorithm.slice('hmac-'.length), key.secret);
  if (before !== null) hmac.update(u16(before.length)).update(before);
  return hmac
    .update(message)
    .update(wireName(key.name))
    .update(u16(CLASS.ANY))
    .update(u32(0))
    .update(wireName(key.algorithm))
    .update(time)
    .update(u16(fudge, error, other.length))
    .update(other)
    .digest();
}

function timeBytes(seconds: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(seconds, 0, 6);
  return bytes;
}

export const RCODES: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
};

/** The low four bits of the flags. */
export function rcodeOf(message: Buffer): number {
  return message.readUInt16BE(2) & 15;
}

/** Whether the answer section of a response has an SOA record. Throws a RangeError where the message is damaged. */
export function hasSoa(message: Buffer): boolean {
  const [questions, answers] = [message.readUInt16BE(4), message.readUInt16BE(6)];
  let at = HEADER;
  for (let i = 0; i < questions; i++) at = skipName(message, at) + 4;
  for (let i = 0; i < answers; i++) {
    const record = recordAt(message, at);
    if (record.type === TYPE.SOA) return true;
    at = record.end;
  }
  return false;
}

interface RawRecord {
  readonly start: number;
  readonly type: number;
  readonly data: Buffer;
  readonly end: number;
}

function recordAt(message: Buffer, start: number): RawRecord {
  const at = skipName(message, start);
  const length = message.readUInt16BE(at + 8);
  const end = at + 10 + length;
  if (end > message.length) throw new RangeError('a record is longer than its message');
  return { start, type: message.readUInt16BE(at), data: message.subarray(at + 10, end), end };
}

/** Returns the place behind a name. */
function skipName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

/**
 * Whether the last record is a TSIG of that key over the response to a request (RFC 8945 §5.4). `now`: ms since 1970.
 * Throws a RangeError where the message is damaged.
 */
export function verifyResponse(response: Buffer, key: TsigKey, requestMac: Buffer, now: number): boolean {
  const counts = [4, 6, 8, 10].map((place) => response.readUInt16BE(place));
  let at = HEADER;
  for (let i = 0; i < counts[0]!; i++) at = skipName(response, at) + 4;
  let last: RawRecord | null = null;
  for (let i = counts[1]! + counts[2]! + counts[3]!; i > 0; i--) {
    last = recordAt(response, at);
    at = last.end;
  }
  if (last?.type !== TYPE.TSIG || counts[3] === 0) return false;
  const algorithm = wireName(key.algorithm);
  const { data } = last;
  const name = response.subarray(last.start, last.start + wireName(key.name).length);
  if (!name.toString('latin1').toLowerCase().startsWith(wireName(key.name).toString('latin1'))) return false;
  if (!data.subarray(0, algorithm.length).equals(algorithm)) return false;
  let place = algorithm.length;
  const time = data.subarray(place, place + 6);
  const fudge = data.readUInt16BE(place + 6);
  const size = data.readUInt16BE(place + 8);
  const mac = data.subarray(place + 10, place + 10 + size);
  place += 10 + size;
  const [original, error, otherLength] = [0, 2, 4].map((step) => data.readUInt16BE(place + step)) as [
    number,
    number,
    number,
  ];
  const other = data.subarray(place + 6, place + 6 + otherLength);
  const unsigned = Buffer.from(response.subarray(0, last.start));
  unsigned.writeUInt16BE(original, 0);
  unsigned.writeUInt16BE(counts[3]! - 1, 10);
  const wanted = macOf(unsigned, key, { time, fudge, error, other }, requestMac);
  const seconds = time.readUIntBE(0, 6);
  return mac.length === wanted.length && timingSafeEqual(mac, wanted) && Math.abs(now / 1000 - seconds) <= fudge;
}
