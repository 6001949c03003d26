/** The formats that the schemas name: checks for addresses, durations, header values and others. Cold. */
import { isIPv4, isIPv6 } from 'node:net';
import { hostForm } from '../kit/host-name.ts';
import { Networks } from '../kit/networks.ts';
import { parseDuration, parseSize } from '../kit/units.ts';
import { originProblem } from '../kit/web-origin.ts';
import { regexProblem } from './regex-safety.ts';

export interface ParsedAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** `host:port`, `[ipv6]:port` or `unix:/path`; null: none of them. */
export function parseAddress(text: string): ParsedAddress | null {
  if (text.startsWith('unix:')) return text.length > 5 ? { host: '', port: 0, path: text.slice(5) } : null;
  const match = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port > 65535 || (match[1] !== undefined && !isIPv6(match[1]))) return null;
  const host = match[1] ?? match[2] ?? '';
  if (/^[0-9.]+$/.test(host) && !isIPv4(host)) return null;
  return { host, port, path: null };
}

/** Returns null if the network is valid. Otherwise the problem, with the correct network if it can be derived. */
function cidrProblem(text: string): string | null {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  if (family === 0 || more.length > 0) return 'is not an IP address or network';
  if (address.includes('%')) return 'has a zone, without which addresses are compared';
  if (bits === undefined) return null;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > family) return `has a prefix length that is not within 0 and ${family}`;
  const first = firstOf(text);
  return first === firstOf(address) ? null : `has bits beyond its prefix; the network is ${first}/${bits}`;
}

/** The first address of a network. */
function firstOf(network: string): string {
  return Networks.of([network]).cidrs(1).networks[0]!.replace(/\/.*$/, '');
}

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A star stands for any subtype, or for all with that suffix (RFC 6838 §4.2.8). */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/(?:\*(?:\+[\w!#$&^.-]+)?|[\w!#$&^.+-]+)$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?(?::\\d{1,5})?$`);

/** Parses a DNS server: an IP address with or without a port; null: it is not one. */
export function parseDnsServer(text: string): string | null {
  if (isIPv4(text)) return `${text}:53`;
  if (isIPv6(text)) return `[${text}]:53`;
  const address = parseAddress(text);
  if (address === null || address.path !== null || address.port === 0) return null;
  return isIPv4(address.host) || isIPv6(address.host) ? text : null;
}

/** The host that was probably meant; null: unclear. */
export function meantHost(text: string): string | null {
  if (isIPv6(text)) return `[${text}]`;
  const [, , authority = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)/i.exec(text) ?? [];
  const bare = authority.replace(/^.*@/, '').replace(/:\d*$/, '');
  return hostForm(bare) === null ? null : bare;
}

/**
 * The problem with a path, with the correct path if it can be derived. Characters that a URL encodes may be written as
 * they are.
 */
function pathProblem(text: string): string | null {
  if (!text.startsWith('/')) return 'must be a path that begins with "/"';
  if (text.includes('?')) return 'must be a path without a query; %3F is a question mark in a path';
  if (text.includes('#')) return 'must be a path without a fragment; %23 is a # in a path';
  return /[\p{Cc}]/u.test(text) ? 'must be a path without control characters' : null;
}

function urlProblem(text: string, schemes: readonly string[], message: string): string | null {
  const url = URL.parse(text);
  if (url === null || !schemes.includes(url.protocol)) return message;
  return url.username !== '' || url.password !== '' || url.hash !== '' ? `${message} without user and fragment` : null;
}

const NO_HOST = 'must be a host name, without scheme, port and path; an IPv6 address in brackets';

/** The problem with a value of that format, or null. The message omits the value: it may be a secret. */
export const formatProblems: Readonly<Record<string, (text: string) => string | null>> = {
  duration: (text) => (parseDuration(text) === null ? 'must be a duration such as 250ms, 30s, 5m or 1h' : null),
  size: (text) => (parseSize(text) === null ? 'must be a size such as 512, 16KiB or 8MiB' : null),
  address: (text) => {
    const address = parseAddress(text);
    if (address === null) return 'must be an address: host:port, [ipv6]:port or unix:/path';
    return address.path === null && address.port === 0 ? 'needs a port from 1 to 65535' : null;
  },
  'listen-address': (text) =>
    parseAddress(text) === null ? 'must be an address: host:port, [ipv6]:port or unix:/path' : null,
  'dns-name': (text) => (NAME.test(text) ? null : 'must be a DNS name, with a port unless it is of type srv'),
  'dns-server': (text) => (parseDnsServer(text) === null ? 'must be an IP address, with or without a port' : null),
  cidr: cidrProblem,
  'server-name': (text) =>
    isIPv4(text) || isIPv6(text) || (/^[\x21-\x5a\x5c\x5e-\x7e]+$/.test(text) && hostForm(text) !== null)
      ? null
      : 'must be a host name, an IP address or from_host',
  'ip-address': (text) => (isIPv4(text) || isIPv6(text) ? null : 'must be an IP address'),
  'host-pattern': (text) => {
    const wild = text.startsWith('*.');
    const host = wild ? text.slice(2) : text;
    if (text === '*') return 'must be a host name; leave it out for all hosts';
    if (host.includes('*')) return 'may have a star only in front: *.example.com';
    if (wild && host.startsWith('[')) return 'may have a star only in front of a name: an address has none below it';
    return hostForm(host) === null ? NO_HOST : null;
  },
  'backend-host': (text) => {
    const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
    return /^[\x21-\x7e]+$/.test(host) && hostForm(host) !== null && Number(port ?? 0) <= 65535
      ? null
      : 'must be preserve, endpoint or a host, with or without a port';
  },
  'certificate-name': (text) => {
    const host = text.startsWith('*.') ? text.slice(2) : text;
    if (isIPv4(text) || isIPv6(text)) return null;
    if (host.includes('*')) return 'may have a star only in front: *.example.com';
    return hostForm(host) === null || isIPv4(host) || host.startsWith('[')
      ? 'must be a host name or an IP address'
      : null;
  },
  'http-url': (text) => urlProblem(text, ['http:', 'https:'], 'must be an http or https URL'),
  'https-url': (text) => urlProblem(text, ['https:'], 'must be an https URL'),
  origin: originProblem,
  host: (text) => (hostForm(text) === null ? NO_HOST : null),
  path: pathProblem,
  'path-and-query': (text) =>
    /^\/[\x21\x22\x24-\x7e]*$/.test(text) ? null : 'must be a path that begins with "/", with or without a query',
  'field-name': (text) => (TOKEN.test(text) ? null : 'must be a header field name'),
  'field-value': (text) =>
    VALUE.test(text) ? null : 'must be a header field value: no line breaks or control characters',
  'media-type-pattern': (text) =>
    MEDIA_TYPE.test(text) ? null : 'must be a media type without parameters, such as text/html, text/* or image/*+xml',
  'safe-regex': regexProblem,
};
