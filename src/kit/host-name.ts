/** Normalizes host names to the form that requests and rules share. Cold. */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

const LABEL = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * Returns the host in lower case without a trailing dot, or null if it is not a host. A non-ASCII name gets its `xn--`
 * form (RFC 5891 §4). An IPv6 address is in brackets, in the form of RFC 5952 §4.
 */
export function hostForm(text: string): string | null {
  if (text.startsWith('[')) return text.endsWith(']') ? ipv6Form(text.slice(1, -1)) : null;
  const ascii = /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : domainToASCII(text);
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  // A name of digits and dots must be an IPv4 address, or no request could match it.
  return NAME.test(name) && (isIPv4(name) || !/^[0-9.]+$/.test(name)) ? name : null;
}

/** Returns the address with its brackets, or null if it is not an IPv6 address or has a zone. */
export function ipv6Form(text: string): string | null {
  return isIPv6(text) && !text.includes('%') ? new URL(`http://[${text}]/`).hostname : null;
}

/** Converts a host with an optional port to the form that clients send: a non-ASCII name in its `xn--` form. */
export function asciiAuthority(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  const [, name = '', port = ''] = /^(.*?)(:\d*)?$/s.exec(text) ?? [];
  return (hostForm(name) ?? name) + port;
}
