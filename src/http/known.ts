/**
 * The field names that the gateway itself handles, as small integers. Hot.
 *
 * The parser tags each field with its id as it reads. A later question ("is there a Transfer-Encoding?") is then one
 * bit test, and removing the hop-by-hop fields is one pass without string comparisons. Names that the gateway always
 * treats alike share an id, because an id is a bit of a 32-bit mask.
 */

/** Any name that is not listed here. */
export const OTHER = 0;
export const HOST = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
export const TE = 7;
export const TRAILER = 8;
export const KEEP_ALIVE = 9;
/**
 * Proxy-Connection, Proxy-Authorization and HTTP2-Settings: for one connection only. Proxy goes with them: CGI turns it
 * into HTTP_PROXY, which programs read as their own proxy (CVE-2016-5385).
 */
export const FOR_THIS_HOP = 10;
/** Location, Content-Location, Refresh and Set-Cookie: their URLs and paths may need to be rewritten. */
export const REFERENCE = 11;
export const PROXY_AUTHENTICATE = 12;
export const VIA = 13;
export const FORWARDED = 14;
export const X_FORWARDED_FOR = 15;
export const X_FORWARDED_PROTO = 16;
export const X_FORWARDED_HOST = 17;
export const DATE = 18;
/** Any name with a character other than letters, digits and hyphens: many frameworks read each of them as a hyphen. */
export const UNDERSCORED = 19;
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
/** Every other field in which proxies report the client, its URL or its protocol: see IDENTITY_NAMES. */
export const IDENTITY = 31;
/**
 * Digests of the content, or of the representation with its codings: Content-Digest, Repr-Digest (RFC 9530), and their
 * predecessors Digest (RFC 3230) and Content-MD5 (RFC 1864).
 */
export const DIGEST = 32;
export const ACCEPT_RANGES = 33;
export const CONTENT_ENCODING = 34;

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
  ['proxy', FOR_THIS_HOP],
  ['proxy-connection', FOR_THIS_HOP],
  ['proxy-authenticate', PROXY_AUTHENTICATE],
  ['proxy-authorization', FOR_THIS_HOP],
  ['via', VIA],
  ['forwarded', FORWARDED],
  ['x-forwarded-for', X_FORWARDED_FOR],
  ['x-forwarded-proto', X_FORWARDED_PROTO],
  ['x-forwarded-host', X_FORWARDED_HOST],
  ['date', DATE],
  ['http2-settings', FOR_THIS_HOP],
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
  ['location', REFERENCE],
  ['content-location', REFERENCE],
  ['refresh', REFERENCE],
  ['set-cookie', REFERENCE],
  ['content-digest', DIGEST],
  ['repr-digest', DIGEST],
  ['digest', DIGEST],
  ['content-md5', DIGEST],
  ['accept-ranges', ACCEPT_RANGES],
  ['content-encoding', CONTENT_ENCODING],
];

/** Further fields that proxies and CDNs write and backends believe. No browser sends them. See docs/identity.md. */
const IDENTITY_NAMES = (
  'x-forwarded x-real-ip x-client-ip x-cluster-client-ip true-client-ip client-ip cf-connecting-ip cf-connecting-ipv6 ' +
  'fastly-client-ip x-remote-ip x-remote-addr x-originating-ip x-azure-clientip x-azure-socketip x-envoy-external-address ' +
  'x-envoy-original-path x-rewrite-url x-url-scheme x-scheme x-host front-end-https x-arr-ssl x-arr-clientcert ' +
  'client-cert client-cert-chain x-client-cert x-client-certificate remote-user remote-groups remote-name remote-email ' +
  'x-remote-user x-remote-groups x-webauth-user x-prozy-mirror proxy-client-ip wl-proxy-client-ip fly-client-ip ' +
  'x-proxyuser-ip x-forward-for x-http-host-override x-authenticated-user'
).split(' ');
const IDENTITY_PREFIXES = ['x-forwarded-', 'x-original-', 'x-ssl-', 'ssl-client-', 'x-amzn-mtls-', 'x-auth-request-'];

const KNOWN: readonly (readonly [string, number])[] = [
  ...NAMES,
  ...IDENTITY_NAMES.map((name) => [name, IDENTITY] as const),
];
const byName = new Map(KNOWN);

const UNUSUAL = /[^a-z0-9-]/;
const UNUSUAL_ALL = /[^a-z0-9]/g;

/** Returns the lower-case name that frameworks may take this one for: every mark read as a hyphen. */
export function alike(name: string): string {
  return name.toLowerCase().replace(UNUSUAL_ALL, '-');
}

/** Returns the id of a lower-case name, or 0. */
export function knownId(name: string): number {
  const id = byName.get(name);
  if (id !== undefined) return id;
  if (UNUSUAL.test(name)) return UNDERSCORED;
  return IDENTITY_PREFIXES.some((prefix) => name.startsWith(prefix)) ? IDENTITY : 0;
}

/** Returns the id of the name that frameworks may take this one for: any case, marks read as hyphens. Cold. */
export function idOfAlike(name: string): number {
  return knownId(alike(name));
}

/** Known names by `slot(length, first, middle, last)`. A slot, and so a lookup, has at most two candidates. */
const SLOTS = 1024;
const bytes = KNOWN.map(([name]) => Uint8Array.from(Buffer.from(name, 'latin1')));
/** Indexes in KNOWN, from 1; 0 means none. */
const firstInSlot = new Uint8Array(SLOTS);
const secondInSlot = new Uint8Array(SLOTS);

function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length ^ (first * 5) ^ (middle << 5) ^ (last << 3)) & (SLOTS - 1);
}

bytes.forEach((raw, i) => {
  const slot = slotOf(raw.length, raw[0]!, raw[raw.length >> 1]! | 0x20, raw[raw.length - 1]!);
  if (firstInSlot[slot] === 0) firstInSlot[slot] = i + 1;
  else if (secondInSlot[slot] === 0) secondInSlot[slot] = i + 1;
  else throw new Error(`known.ts: three names share slot ${slot}; change slotOf`);
});

/** The prefixes by their first letter. */
const prefixes: (readonly Uint8Array[] | undefined)[] = [];
for (const prefix of IDENTITY_PREFIXES) {
  const raw = Uint8Array.from(Buffer.from(prefix, 'latin1'));
  prefixes[raw[0]!] = [...(prefixes[raw[0]!] ?? []), raw];
}

// Known names consist of letters, digits and hyphens; `| 0x20` folds case and leaves digits and "-" unchanged.
function startsWith(name: Uint8Array, buffer: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) if ((buffer[start + i]! | 0x20) !== name[i]) return false;
  return true;
}

function isInSlot(place: number, buffer: Uint8Array, start: number, length: number): boolean {
  const name = bytes[place - 1]!;
  return name.length === length && startsWith(name, buffer, start);
}

/**
 * Returns the id of the name in buffer[start, end), in any case, or 0. The name has only letters, digits and hyphens, and
 * is not empty.
 */
export function knownIdOfBytes(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const letter = buffer[start]! | 0x20;
  const slot = slotOf(length, letter, buffer[start + (length >> 1)]! | 0x20, buffer[end - 1]! | 0x20);
  const first = firstInSlot[slot]!;
  if (first !== 0) {
    if (isInSlot(first, buffer, start, length)) return KNOWN[first - 1]![1];
    const second = secondInSlot[slot]!;
    if (second !== 0 && isInSlot(second, buffer, start, length)) return KNOWN[second - 1]![1];
  }
  const begins = prefixes[letter];
  if (begins === undefined) return 0;
  for (let i = 0; i < begins.length; i++)
    if (begins[i]!.length < length && startsWith(begins[i]!, buffer, start)) return IDENTITY;
  return 0;
}
