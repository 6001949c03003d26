/** Origins as browsers send them (RFC 6454 §6.2, Fetch standard "Origin header"), and patterns of them. Cold. */
import { hostForm } from './host-name.ts';

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(\[[^\]]*\]|[^:/?#@*[\]]+)(?::(\d{1,5}))?$/i;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443 };

/**
 * Returns the origin in the form that browsers send: lower case, a non-ASCII name in its `xn--` form, without the
 * scheme's default port. A star may stand in place of the first labels: `https://*.example.com`. `*` and `null` stay.
 * null: the text is not an origin.
 */
export function originForm(text: string): string | null {
  if (text === '*' || text === 'null') return text;
  const [, scheme = '', star = '', host = '', port] = PARTS.exec(text) ?? [];
  const name = hostForm(host);
  if (name === null || Number(port ?? 0) > 65535 || (star !== '' && name.startsWith('['))) return null;
  const lower = scheme.toLowerCase();
  const shown = port === undefined || Number(port) === DEFAULT_PORTS[lower] ? '' : `:${Number(port)}`;
  return `${lower}://${star}${name}${shown}`;
}

/** The origin that was probably meant: that of the URL, https if there is no scheme; null: unclear. */
export function meantOrigin(text: string): string | null {
  const [, scheme = 'https://', authority = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)/i.exec(text) ?? [];
  return originForm(scheme + authority.replace(/^.*@/, ''));
}

/** The problem with a text that should be an origin or a pattern of origins, or null. */
export function originProblem(text: string): string | null {
  if (originForm(text) !== null) return null;
  if (/^[^/]*:\/\/[^/]*:\*/.test(text)) return 'has a star for the port: write a regex that ends with (:[0-9]+)?$';
  if (/\*/.test(text.replace(/^([^/]*:\/\/)?\*\./, ''))) return 'may have a star only in front: https://*.example.com';
  return 'must be an origin: scheme, host and port if it is not the default, such as https://app.example.com';
}
