/** Host names in the one form that requests and rules have in common. Cold. */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

const LABEL = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/**
 * Lower case, without the dot that makes it absolute; a name that is not ASCII in its `xn--` form (RFC 5891 §4); an IPv6
 * address in brackets, as RFC 5952 §4 writes it. null: no host.
 */
export function hostForm(text: string): string | null {
  if (text.startsWith('[')) return text.endsWith(']') ? ipv6Form(text.slice(1, -1)) : null;
  const ascii = /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : domainToASCII(text);
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  // What looks like an IPv4 address must be one, or no request could have it.
  return NAME.test(name) && (isIPv4(name) || !/^[0-9.]+$/.test(name)) ? name : null;
}

/** With its brackets; null: no IPv6 address, or one with a zone. */
export function ipv6Form(text: string): string | null {
  return isIPv6(text) && !text.includes('%') ? new URL(`http://[${text}]/`).hostname : null;
}

/** A host with or without a port, as clients send it: a name that is not ASCII in its `xn--` form. */
export function asciiAuthority(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  const [, name = '', port = ''] = /^(.*?)(:\d*)?$/s.exec(text) ?? [];
  return (hostForm(name) ?? name) + port;
}
