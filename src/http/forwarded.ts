/**
 * The Forwarded field, read and written (RFC 7239 §4 to §6). Hot behind trusted proxies that send it.
 *
 * Read strictly: of a field that isn't well formed nothing is believed, since what is appended to it could become part of
 * a string that does not end.
 */
import { isIP, isIPv6 } from 'node:net';

/** One hop, as a proxy has seen it. '' where it doesn't say. */
export interface ForwardedElement {
  readonly node: string;
  readonly host: string;
  readonly proto: string;
}

const PAIR = /[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")[\t ]*(;|,|$)/y;

/** The client's hop first; null: it is malformed. */
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
  // Empty, or it ends in a separator.
  return null;
}

/** §6: an IPv6 address in brackets and quotes; what is no address is "unknown". */
export function forwardedNode(address: string): string {
  if (isIPv6(address)) return `"[${address}]"`;
  return isIP(address) === 0 ? 'unknown' : address;
}

/** The rest of an element: what is '' is left out. */
export function hostAndProto(host: string, proto: string): string {
  return `${host === '' ? '' : `;host=${quoted(host)}`}${proto === '' ? '' : `;proto=${proto}`}`;
}

/** A token as it is, anything else as a quoted string. `value` has neither quotes nor backslashes in it. */
function quoted(value: string): string {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value) ? value : `"${value}"`;
}

/** An address without brackets and port, or null if it is none; of X-Forwarded-For as of a `for`. */
export function bareAddress(text: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-f:.]+))$/i.exec(text);
  const address = match?.[1] ?? match?.[2] ?? match?.[3];
  return address === undefined || isIP(address) === 0 ? null : address;
}
