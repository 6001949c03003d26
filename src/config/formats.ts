/** The formats that the schemas name: what a well-formed address, duration or header value is. Cold. */
import { isIPv4, isIPv6 } from 'node:net';
import { parseDuration, parseSize } from '../kit/units.ts';
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

/** null: fine. Otherwise what is wrong with the network, and the right one if it can be told. */
function cidrProblem(text: string): string | null {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  if (family === 0 || more.length > 0) return 'is not an IP address or network';
  if (bits === undefined) return null;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > family) return `has a prefix length that is not within 0 and ${family}`;
  if (family === 32) {
    const value = address.split('.').reduce((all, part) => all * 256 + Number(part), 0);
    const size = 2 ** (32 - Number(bits));
    const network = Math.floor(value / size) * size;
    if (network !== value) {
      const right = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.');
      return `has bits beyond its prefix; the network is ${right}/${bits}`;
    }
  }
  return null;
}

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?';
const HOST = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?(?::\\d{1,5})?$`);

/** A DNS server: an IP address with or without a port; null: it is none. */
export function parseDnsServer(text: string): string | null {
  if (isIPv4(text)) return `${text}:53`;
  if (isIPv6(text)) return `[${text}]:53`;
  const address = parseAddress(text);
  if (address === null || address.path !== null || address.port === 0) return null;
  return isIPv4(address.host) || isIPv6(address.host) ? text : null;
}

function isHost(text: string): boolean {
  return HOST.test(text) || (text.startsWith('[') && text.endsWith(']') && isIPv6(text.slice(1, -1)));
}

/** What is wrong with a value of that format, or null. The value itself is not repeated: it may be a secret. */
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
  'ip-address': (text) => (isIPv4(text) || isIPv6(text) ? null : 'must be an IP address'),
  'host-pattern': (text) => {
    if (isHost(text.startsWith('*.') ? text.slice(2) : text)) return null;
    return text.includes('*')
      ? 'may have a star only in front: *.example.com'
      : 'must be a host name, without scheme and port';
  },
  host: (text) => (isHost(text) ? null : 'must be a host name'),
  path: (text) => (/^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/.test(text) ? null : 'must be a path that begins with "/"'),
  'path-and-query': (text) =>
    /^\/[\x21\x22\x24-\x7e]*$/.test(text) ? null : 'must be a path that begins with "/", with or without a query',
  'field-name': (text) => (TOKEN.test(text) ? null : 'must be a header field name'),
  'field-value': (text) =>
    VALUE.test(text) ? null : 'must be a header field value: no line breaks or control characters',
  'safe-regex': regexProblem,
};
