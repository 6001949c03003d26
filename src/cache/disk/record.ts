/**
 * One response in a segment's file: a header of fixed size, the text of record-codec.ts, the body. Hot, once per write
 * and per read.
 *
 *     0 magic · 4 checksum of the rest of the header and the text · 8 checksum of the body · 12, 16 their lengths
 *     20 identity · 24 hash of the key · 32 number · 40 kind · 44 segment · 48 place in the segment
 *
 * A record contains its own place, so that the bytes of an old record from elsewhere are not accepted here.
 */
import { crc32 } from 'node:zlib';

export const HEADER = 64;
const MAGIC = 0x31727a70;
/** Bytes of the longest text, and of the longest record. */
export const MOST_TEXT = 4 * 1024 * 1024;
const MOST_RECORD = 1024 * 1024 * 1024;
const NO_BODY = Buffer.alloc(0);

/** The part of a record that the index holds. */
export interface RecordKey {
  readonly hash: number;
  readonly identity: number;
  readonly kind: number;
  /** Increases from record to record and from run to run: newer records have higher numbers. */
  readonly number: number;
}

export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/** A record that was read and verified. */
export interface ReadRecord extends RecordKey {
  readonly text: Buffer;
  readonly body: Buffer;
}

/** The parts of a record, in the order to write them. */
export function recordParts(key: RecordKey, text: Buffer, body: Buffer | null, place: Place): Buffer[] {
  const bytes = body ?? NO_BODY;
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(crc32(bytes), 8);
  header.writeUInt32LE(text.length, 12);
  header.writeUInt32LE(bytes.length, 16);
  header.writeUInt32LE(key.identity, 20);
  header.writeDoubleLE(key.hash, 24);
  header.writeDoubleLE(key.number, 32);
  header.writeUInt8(key.kind, 40);
  header.writeUInt32LE(place.segment, 44);
  header.writeUInt32LE(place.offset, 48);
  header.writeUInt32LE(crc32(text, crc32(header.subarray(8))), 4);
  return bytes.length === 0 ? [header, text] : [header, text, bytes];
}

/** Parses a header; null: there is none. Its checksum covers the text too; `readRecord` verifies it. */
export function readHeader(
  bytes: Buffer,
  at: number,
  place: Place,
): (RecordKey & { textSize: number; size: number }) | null {
  if (bytes.length - at < HEADER || bytes.readUInt32LE(at) !== MAGIC) return null;
  if (bytes.readUInt32LE(at + 44) !== place.segment || bytes.readUInt32LE(at + 48) !== place.offset) return null;
  const textSize = bytes.readUInt32LE(at + 12);
  const size = HEADER + textSize + bytes.readUInt32LE(at + 16);
  if (textSize > MOST_TEXT || size > MOST_RECORD) return null;
  const key = {
    hash: bytes.readDoubleLE(at + 24),
    identity: bytes.readUInt32LE(at + 20),
    kind: bytes.readUInt8(at + 40),
    number: bytes.readDoubleLE(at + 32),
  };
  return { ...key, textSize, size };
}

/** Are the header and the text behind it intact? */
export function isHeadSound(bytes: Buffer, at: number, textSize: number): boolean {
  return crc32(bytes.subarray(at + 8, at + HEADER + textSize)) === bytes.readUInt32LE(at + 4);
}

/** The record in exactly these bytes; null: they are no record, or a torn one. */
export function readRecord(bytes: Buffer, place: Place): ReadRecord | null {
  const header = readHeader(bytes, 0, place);
  if (header === null || header.size !== bytes.length || !isHeadSound(bytes, 0, header.textSize)) return null;
  const text = bytes.subarray(HEADER, HEADER + header.textSize);
  const body = bytes.subarray(HEADER + header.textSize);
  if (crc32(body) !== bytes.readUInt32LE(8)) return null;
  return { hash: header.hash, identity: header.identity, kind: header.kind, number: header.number, text, body };
}
