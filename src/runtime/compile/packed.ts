/** Compresses data for transfer between processes and for storage until it is needed. Cold. */
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

export function pack(value: unknown): Uint8Array {
  return deflateRawSync(serialize(value), { level: 1 });
}

/** The caller knows the type of the packed data. */
export function unpack(packed: Uint8Array): unknown {
  return deserialize(inflateRawSync(packed));
}
