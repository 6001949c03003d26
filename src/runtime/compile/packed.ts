/** Data made small for the way between processes, and for lying about until somebody asks for it. Cold. */
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

export function pack(value: unknown): Uint8Array {
  return deflateRawSync(serialize(value), { level: 1 });
}

/** What was packed: whoever asks knows what that was. */
export function unpack(packed: Uint8Array): unknown {
  return deserialize(inflateRawSync(packed));
}
