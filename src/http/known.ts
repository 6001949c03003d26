/**
 * The field names that the gateway itself has an opinion about, as small integers. Hot.
 *
 * The parser tags each field with its id while it reads, so that later questions ("is there a Transfer-Encoding?") are
 * one bit test and removing the hop-by-hop fields is one pass without a string compare. 0 means any other name.
 */

export const HOST = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
export const TE = 7;
export const TRAILER = 8;
export const KEEP_ALIVE = 9;
export const PROXY_CONNECTION = 10;
export const PROXY_AUTHENTICATE = 11;
export const PROXY_AUTHORIZATION = 12;
const VIA = 13;
export const FORWARDED = 14;
export const X_FORWARDED_FOR = 15;
export const X_FORWARDED_PROTO = 16;
export const X_FORWARDED_HOST = 17;
export const DATE = 18;
export const HTTP2_SETTINGS = 19;
export const X_FORWARDED_PORT = 20;
export const MAX_FORWARDS = 21;
export const USER_AGENT = 22;
export const CACHE_CONTROL = 23;
export const PRAGMA = 24;
export const AUTHORIZATION = 25;
export const IF_NONE_MATCH = 26;
export const IF_MODIFIED_SINCE = 27;
export const IF_MATCH = 28;
export const IF_UNMODIFIED_SINCE = 29;
export const RANGE = 30;

const NAMES: readonly (readonly [string, number])[] = [
  ['host', HOST],
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['te', TE],
  ['trailer', TRAILER],
  ['keep-alive', KEEP_ALIVE],
  ['proxy-connection', PROXY_CONNECTION],
  ['proxy-authenticate', PROXY_AUTHENTICATE],
  ['proxy-authorization', PROXY_AUTHORIZATION],
  ['via', VIA],
  ['forwarded', FORWARDED],
  ['x-forwarded-for', X_FORWARDED_FOR],
  ['x-forwarded-proto', X_FORWARDED_PROTO],
  ['x-forwarded-host', X_FORWARDED_HOST],
  ['date', DATE],
  ['http2-settings', HTTP2_SETTINGS],
  ['x-forwarded-port', X_FORWARDED_PORT],
  ['max-forwards', MAX_FORWARDS],
  ['user-agent', USER_AGENT],
  ['cache-control', CACHE_CONTROL],
  ['pragma', PRAGMA],
  ['authorization', AUTHORIZATION],
  ['if-none-match', IF_NONE_MATCH],
  ['if-modified-since', IF_MODIFIED_SINCE],
  ['if-match', IF_MATCH],
  ['if-unmodified-since', IF_UNMODIFIED_SINCE],
  ['range', RANGE],
];

const byName = new Map(NAMES);

/** The id of a lower-case name, or 0. */
export function knownId(name: string): number {
  return byName.get(name) ?? 0;
}

/** Known names by `slot(length, first, last)`; a slot holds at most two, so a lookup compares at most two names. */
const SLOTS = 1024;
const bytes: (Uint8Array | undefined)[] = [];
const firstInSlot = new Uint8Array(SLOTS);
const secondInSlot = new Uint8Array(SLOTS);

function slotOf(length: number, first: number, last: number): number {
  return ((length * 31) ^ (first * 9) ^ (last << 5)) & (SLOTS - 1);
}

for (const [name, id] of NAMES) {
  const raw = Uint8Array.from(Buffer.from(name, 'latin1'));
  bytes[id] = raw;
  const slot = slotOf(raw.length, raw[0]!, raw[raw.length - 1]!);
  if (firstInSlot[slot] === 0) firstInSlot[slot] = id;
  else if (secondInSlot[slot] === 0) secondInSlot[slot] = id;
  else throw new Error(`known.ts: three names share slot ${slot}; change slotOf`);
}

function sameName(id: number, buffer: Uint8Array, start: number, length: number): boolean {
  const name = bytes[id]!;
  if (name.length !== length) return false;
  // Known names are letters, digits and hyphens; `| 0x20` folds case and leaves digits and "-" as they are.
  for (let i = 0; i < length; i++) if ((buffer[start + i]! | 0x20) !== name[i]) return false;
  return true;
}

/** The id of the name in buffer[start, end), any case, or 0. `end` is greater than `start`. */
export function knownIdOfBytes(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const slot = slotOf(length, buffer[start]! | 0x20, buffer[end - 1]! | 0x20);
  const first = firstInSlot[slot]!;
  if (first === 0) return 0;
  if (sameName(first, buffer, start, length)) return first;
  const second = secondInSlot[slot]!;
  return second !== 0 && sameName(second, buffer, start, length) ? second : 0;
}
