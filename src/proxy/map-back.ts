/**
 * Maps backend names in response fields back to the names that clients use. Hot, for responses with such fields.
 *
 * The gateway may have rewritten the path, the Host or the address of the request. A backend that builds a URL or a
 * cookie from them names something that no client can reach. So Location, Content-Location, Refresh, and the Path and
 * Domain of cookies are mapped back. A path that already has the client's prefix comes from a backend that knows it,
 * and stays.
 */
import { isIP } from 'node:net';
import { parseAuthority } from '../http/authority.ts';
import { endBeforeBlanks, skipBlanks } from '../http/blanks.ts';
import type { Exchange, Rewritten } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { type PublicOrigin, publicOrigin } from '../http/identity.ts';
import { REFERENCE } from '../http/known.ts';

interface Names {
  readonly rewritten: readonly Rewritten[] | null;
  /** Authorities that the backend may use as its own. */
  readonly own: readonly string[];
  readonly client: PublicOrigin;
  /** The backend is spoken to by TLS. */
  readonly tls: boolean;
}

/** `sent`: the Host that the backend received, or ''. `address`: the endpoint's address, spoken to by TLS or not. */
export function mapBack(fields: Fields, x: Exchange, sent: string, address: string, tls: boolean): void {
  const names: Names = { rewritten: x.rewritten, own: ownNames(sent, address), client: publicOrigin(x), tls };
  // One by one, in order: of two cookies with the same name the last one counts.
  const cookies: string[] = [];
  let changed = false;
  for (let i = 0; i < fields.count; i++) {
    if (fields.ids[i] !== REFERENCE) continue;
    const name = fields.nameAt(i);
    const value = fields.valueAt(i);
    const lower = name.toLowerCase();
    if (lower === 'set-cookie') {
      const cookie = mapCookie(value, names);
      cookies.push(cookie);
      if (cookie !== value) changed = true;
      continue;
    }
    const mapped = lower === 'refresh' ? mapRefresh(value, names) : mapReference(value, names);
    if (mapped === value) continue;
    fields.removeAt(i);
    fields.add(name, mapped);
  }
  if (!changed) return;
  fields.remove('set-cookie');
  for (const cookie of cookies) fields.add('Set-Cookie', cookie);
}

/** A backend may name the Host that it got with the port that it listens on, as nginx does (`port_in_redirect`). */
function ownNames(sent: string, address: string): readonly string[] {
  const port = parseAuthority(address)?.port ?? -1;
  const host = hostOf(sent);
  return port < 0 || host === '' ? [sent, address] : [sent, address, `${host}:${port}`];
}

const WITH_AUTHORITY = /^(https?:)?\/\/([^/?#]*)(.*)$/i;

function mapReference(value: string, names: Names): string {
  const parts = WITH_AUTHORITY.exec(value);
  if (parts === null) return value.startsWith('/') ? mapPath(value, names) : value;
  const [, scheme = '', authority = '', rest = ''] = parts;
  const { client } = names;
  if (sameAuthority(authority, client.authority)) return `${scheme}//${authority}${mapPath(rest, names)}`;
  if (!names.own.some((own) => sameAuthority(authority, own))) return value;
  // The backend wants TLS where there is none. Mapping this back for a client without TLS would cause a redirect loop.
  const secure = scheme.toLowerCase() === 'https:' && !names.tls;
  if (secure && client.scheme !== 'https') return value;
  const path = mapPath(rest, names);
  if (client.authority === '') return path.startsWith('/') ? path : `/${path}`;
  return `${scheme === '' ? '' : `${client.scheme}:`}//${client.authority}${path}`;
}

/** `rest`: everything from the path on. */
function mapPath(rest: string, { rewritten }: Names): string {
  if (rewritten === null) return rest;
  const end = rest.search(/[?#]/);
  const path = end < 0 ? rest : rest.slice(0, end);
  return pathBack(path === '' ? '/' : path, rewritten) + (end < 0 ? '' : rest.slice(end));
}

/** Undoes the rewrites, last one first. */
function pathBack(path: string, rewritten: readonly Rewritten[]): string {
  let mapped = path;
  for (let i = rewritten.length - 1; i >= 0; i--) {
    const { from, to } = rewritten[i]!;
    if ((from !== '' && isUnder(mapped, from)) || !isUnder(mapped, to)) continue;
    mapped = from + mapped.slice(to.length);
    if (mapped === '') mapped = '/';
  }
  return mapped;
}

/** Compares whole segments. Every path is under ''. */
function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f);
}

function sameAuthority(a: string, b: string): boolean {
  if (a === '' || b === '') return false;
  if (a === b) return true;
  const [one, other] = [parseAuthority(a), parseAuthority(b)];
  return one !== null && other !== null && one.host === other.host && portOf(one.port) === portOf(other.port);
}

/** The scheme's default port equals no port (RFC 9110 §4.2.3). */
function portOf(port: number): number {
  return port === 80 || port === 443 ? -1 : port;
}

const TIME = /^[\d.\t ]*/;
const URL_FOLLOWS = /url[\t ]*=[\t ]*/iy;
const BLANK = /[\t ]/;

/** `5; url=/there`, as browsers parse it (HTML, "shared declarative refresh steps"). */
function mapRefresh(value: string, names: Names): string {
  // The delay ends at the first character that is not part of a number. Blanks belong to the delay or separate it.
  let at = TIME.exec(value)![0].length;
  if (value[at] === ';' || value[at] === ',') at = skipBlanks(value, at + 1);
  else if (at === 0 || !BLANK.test(value.charAt(at - 1))) return value;
  URL_FOLLOWS.lastIndex = at;
  if (!URL_FOLLOWS.test(value)) return value;
  let start = URL_FOLLOWS.lastIndex;
  if (isQuote(value[start])) start++;
  const end = value.length > start && isQuote(value.at(-1)) ? value.length - 1 : value.length;
  return value.slice(0, start) + mapReference(value.slice(start, end), names) + value.slice(end);
}

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'";
}

/** RFC 6265 §4.1. */
function mapCookie(value: string, names: Names): string {
  const first = value.indexOf(';');
  if (first < 0) return value;
  const attributes = value.slice(first + 1).split(';');
  const mapped = attributes.flatMap((attribute) => mapAttribute(attribute, names));
  return `${value.slice(0, first)}${mapped.map((one) => `;${one}`).join('')}`;
}

/** An empty array removes the attribute. */
function mapAttribute(attribute: string, { rewritten, own, client }: Names): string[] {
  const parts = /^[\t ]*(path|domain)[\t ]*=[\t ]*/i.exec(attribute);
  if (parts === null) return [attribute];
  const [before, name = ''] = parts;
  const value = attribute.slice(before.length, endBeforeBlanks(attribute, before.length));
  if (name.toLowerCase() === 'path') {
    if (rewritten === null || !value.startsWith('/')) return [attribute];
    const path = pathBack(value, rewritten);
    // A cookie for "/x/" is not sent for "/x".
    const ended = value === '/' && path !== '/' && path.endsWith('/') ? path.slice(0, -1) : path;
    return ended === value ? [attribute] : [before + ended];
  }
  const domain = value.replace(/^\./, '').toLowerCase();
  const host = hostOf(client.authority);
  if (domain === '' || covers(domain, host) || !own.some((one) => covers(domain, hostOf(one)))) return [attribute];
  // A cookie for an IP address or for an unknown host gets no Domain (RFC 6265 §5.1.3).
  return host === '' || host.startsWith('[') || isIP(host) !== 0 ? [] : [before + host];
}

function hostOf(authority: string): string {
  return parseAuthority(authority)?.host ?? '';
}

function covers(domain: string, host: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
