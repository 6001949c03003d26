/**
 * Parses an authority: `host`, `host:port`, `[::1]:port` (RFC 3986 §3.2, RFC 9110 §4.2). Hot.
 *
 * The parser is strict. It allows no user information, no spaces, no empty host, no comma (a comma joins two Host
 * fields into one, RFC 9110 §5.3), and a port of at most five digits. Clients repeat the same Host, so the parser keeps
 * its last result.
 */
import { isIPv4 } from 'node:net';
import { ipv6Form } from '../kit/host-name.ts';

export interface Authority {
  /** In lower case. An IPv6 address has brackets and the form of RFC 5952. Unreserved characters are decoded. */
  readonly host: string;
  /** -1 if there is none. */
  readonly port: number;
  /** As received, but without `%61`, an empty port or leading zeros in a port. Backends and caches get this form. */
  readonly text: string;
}

/** The reg-name characters of RFC 3986 §3.2.2: unreserved, sub-delims and percent-encoding. The comma is excluded. */
const NAME = /^(?:[a-z0-9._~!$&'()*+;=-]|%[0-9a-f]{2})+$/i;
const PORT = /^[0-9]{0,5}$/;
const ALL_DIGITS_AND_DOTS = /^[0-9.]+$/;

/** RFC 3986 §6.2.2.2: backends may read `%61` as `a`, so rules do too. */
function decodeUnreserved(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (encoding, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[a-z0-9._~-]/i.test(character) ? character : encoding;
  });
}

let lastText = '';
let lastAnswer: Authority | null = null;

/** Returns null if the text is not an authority. */
export function parseAuthority(text: string): Authority | null {
  if (text === lastText) return lastAnswer;
  lastAnswer = parse(text);
  lastText = text;
  return lastAnswer;
}

function parse(text: string): Authority | null {
  let host: string;
  let rest: string;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    const address = close < 0 ? null : ipv6Form(text.slice(1, close));
    if (address === null) return null;
    host = address;
    rest = text.slice(close + 1);
  } else {
    const colon = text.indexOf(':');
    host = colon < 0 ? text : text.slice(0, colon);
    rest = colon < 0 ? '' : text.slice(colon);
    if (!NAME.test(host)) return null;
    if (host.includes('%')) host = decodeUnreserved(host);
    // A host of digits and dots must be an IPv4 address: some resolvers would read "1" or "1.2.3" as one.
    if (ALL_DIGITS_AND_DOTS.test(host) && !isIPv4(host)) return null;
  }
  if (rest === '') return authorityOf(text, host, -1);
  const digits = rest.slice(1);
  if (!rest.startsWith(':') || !PORT.test(digits)) return null;
  const port = digits === '' ? -1 : Number(digits);
  return port > 65535 ? null : authorityOf(text, host, port);
}

function authorityOf(text: string, written: string, port: number): Authority {
  const host = written.toLowerCase();
  const plain = port < 0 ? host : `${host}:${port}`;
  return { host, port, text: text.toLowerCase() === plain ? text : plain };
}

/** The host of an authority as a TLS server name: without port, brackets and trailing dot (RFC 6066 §3); '': none. */
export function serverNameOf(authority: string): string {
  const host = parseAuthority(authority)?.host ?? '';
  if (host.startsWith('[')) return host.slice(1, -1);
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
