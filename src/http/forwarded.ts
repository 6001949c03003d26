/**
 * Reads and writes the Forwarded field (RFC 7239 §4 to §6). Hot behind trusted proxies that send it.
 *
 * The parser is strict: a malformed field is ignored as a whole, because elements appended to it could become part of
 * an unterminated string.
 */
import { isIP, isIPv6 } from 'node:net';
import { ipv6Form } from '../kit/host-name.ts';
import { plainAddress } from '../net/plain-address.ts';

/** One hop as a proxy reports it. Parameters that it leaves out are ''. */
export interface ForwardedElement {
  readonly node: string;
  readonly host: string;
  readonly proto: string;
}

const PAIR = /[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")[\t ]*(;|,|$)/y;

/** Returns the elements, the client's hop first, or null if the text is malformed. */
export function parseForwarded(text: string): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let [node, host, proto] = ['', '', ''];
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const value = match[2] ?? (match[3] ?? '').replaceAll(/\\(.)/g, '$1');
    const name = match[1]!.toLowerCase();
    if (name === 'for') node = value;
    else if (name === 'host') host = value;
    else if (name === 'proto') proto = value;
    if (match[4] === ';') continue;
    elements.push({ node, host, proto });
    [node, host, proto] = ['', '', ''];
    if (match[4] === '') return elements;
  }
  // The text is empty or ends in a separator.
  return null;
}

/** RFC 7239 §6: an IPv6 address gets brackets and quotes; text that is not an address becomes "unknown". */
export function forwardedNode(address: string): string {
  if (isIPv6(address)) return `"[${address}]"`;
  return isIP(address) === 0 ? 'unknown' : address;
}

/** The rest of an element. Empty parameters are left out. */
export function hostAndProto(host: string, proto: string): string {
  return `${host === '' ? '' : `;host=${quoted(host)}`}${proto === '' ? '' : `;proto=${proto}`}`;
}

/** Returns a token as it is and anything else as a quoted string. `value` contains neither quotes nor backslashes. */
function quoted(value: string): string {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value) ? value : `"${value}"`;
}

const MAPPED = /^[0:]*:ffff:[0-9a-f:.]+$/i;

/**
 * Returns an address without brackets and port, or null. Accepts entries of X-Forwarded-For and values of `for`. An IPv4
 * address mapped into IPv6 (RFC 4291 §2.5.5.2) becomes plain, as a peer's does: ACLs and backends compare plain ones.
 */
export function bareAddress(text: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-f:.]+))$/i.exec(text);
  const address = match?.[1] ?? match?.[2] ?? match?.[3];
  if (address === undefined || isIP(address) === 0) return null;
  if (!MAPPED.test(address)) return address;
  const plain = plainAddress(ipv6Form(address)!.slice(1, -1));
  return isIP(plain) === 4 ? plain : address;
}
