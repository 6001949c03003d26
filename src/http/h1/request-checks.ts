/**
 * Checks well-formed request heads beyond their syntax. Hot.
 *
 * server.ts calls it for each head, and explain/ for hypothetical heads. Returns the status that refuses the head, or
 * 0.
 */
import { detachString } from '../../kit/detach-string.ts';
import { stripNamedByRequest } from '../hop-by-hop.ts';
import { type Authority, parseAuthority } from '../authority.ts';
import type { Fields } from '../fields.ts';
import { CONNECTION, EXPECT, HOST, UPGRADE } from '../known.ts';
import { encodeRawUtf8, type PathProblem, PathReading, type PathRules, readPath } from '../path.ts';
import { type BodyFraming, NO_BODY, requestFraming } from './framing.ts';
import type { RequestHead } from './parser.ts';

/** The parts of a request target (RFC 9112 §3.2 and §3.3). */
export class RequestTarget {
  authority = '';
  host = '';
  /** The path for the upstream. */
  path = '';
  /** The path for rules. */
  routedPath = '';
  /** The path as received, if the upstream gets that and it differs from `path`; else ''. */
  receivedPath = '';
  query = '';
  /** Why the path is refused; '' if it is accepted. */
  problem: PathProblem = '';
}

const reading = new PathReading();

/** Checks the body's framing, the target and the expectations. */
export function judgeHead(
  head: RequestHead,
  fields: Fields,
  paths: PathRules,
  framing: BodyFraming,
  out: RequestTarget,
): number {
  const { minor } = head;
  out.problem = '';
  const status =
    requestFraming(fields, minor, framing) || readTarget(head, fields, paths, out) || checkExpect(fields, minor);
  if (status !== 0) return status;
  // Before routes, policies and caches read them: a field that the backend doesn't get must not select a response.
  stripNamedByRequest(fields);
  // RFC 9110 §9.3.8: a TRACE has no content. A body in one may be a smuggled request.
  return head.method === 'TRACE' && framing.kind !== NO_BODY ? 400 : 0;
}

const ASTERISK = 0x2a;
const SLASH = 0x2f;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

/** Parses the target and the Host into `out`. Returns 0 or 400. */
function readTarget(head: RequestHead, fields: Fields, paths: PathRules, out: RequestTarget): number {
  if (head.raw && !acceptRaw(head, paths)) return refusePath('raw_utf8', out);
  const first = head.target.charCodeAt(0);
  if (head.method === 'CONNECT') return connectTarget(head, fields, out);
  let rest = head.target;
  let authority = hostOf(fields, head.minor);
  if (authority === null) return 400;
  if (first === ASTERISK) {
    // RFC 9112 §3.2.4: only for OPTIONS, and nothing may follow.
    if (rest !== '*' || head.method !== 'OPTIONS') return 400;
  } else if (first !== SLASH) {
    const parts = ABSOLUTE.exec(rest);
    if (parts === null) return 400;
    // RFC 9112 §3.2.2: the target's authority replaces the Host. An invalid Host is refused anyway (§3.2).
    if (authority !== '' && parseAuthority(authority) === null) return 400;
    authority = parts[1]!;
    if (authority === '' || parseAuthority(authority) === null) return 400;
    const after = parts[2]!;
    // §3.2.4: for an OPTIONS about the whole server, the last proxy sends the asterisk form.
    rest = after.startsWith('/') ? after : after === '' && head.method === 'OPTIONS' ? '*' : `/${after}`;
    fields.removeKnown(HOST);
    fields.add('Host', authority);
  }
  const parsed: Authority | null = authority === '' ? null : parseAuthority(authority);
  if (parsed === null && authority !== '') return 400;
  if (parsed !== null && parsed.text !== authority) {
    // A backend that compares the Host byte by byte then reads it as routes and caches do.
    authority = parsed.text;
    fields.removeKnown(HOST);
    fields.add('Host', authority);
  }
  out.authority = authority;
  out.host = parsed?.host ?? '';
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  out.path = path;
  out.routedPath = path;
  out.receivedPath = '';
  if (head.abnormal) {
    const problem = readPath(path, paths, reading);
    if (problem !== '') return refusePath(problem, out);
    out.path = reading.sent;
    out.routedPath = reading.routed;
    if (paths.send === 'received' && reading.sent !== path) out.receivedPath = path;
  }
  out.query = mark < 0 ? '' : rest.slice(mark);
  return 0;
}

/** RFC 9112 §3.2 allows no bytes above 0x7f in a target. The client should have encoded them. */
function acceptRaw(head: RequestHead, { rawUtf8 }: PathRules): boolean {
  const encoded = rawUtf8 === 'encode' ? encodeRawUtf8(head.target) : null;
  if (encoded === null) return false;
  head.target = encoded;
  // Whether the bytes are in the path or in the query is not known here.
  head.abnormal = true;
  return true;
}

function refusePath(problem: PathProblem, out: RequestTarget): number {
  out.problem = problem;
  return 400;
}

/** Returns the Host: '' if empty or (in HTTP/1.0) missing, null if invalid (RFC 9112 §3.2: exactly one). */
function hostOf(fields: Fields, minor: number): string | null {
  if (!fields.has(HOST)) return minor === 0 ? '' : null;
  const index = fields.indexOfKnown(HOST);
  if (fields.indexOfKnown(HOST, index + 1) >= 0) return null;
  // Clients repeat the same Host: equal text needs no new string.
  if (!fields.isValueAt(index, lastHost)) lastHost = detachString(fields.valueAt(index));
  return lastHost;
}

let lastHost = '';

/** RFC 9112 §3.2.3: authority form, with a port. */
function connectTarget(head: RequestHead, fields: Fields, out: RequestTarget): number {
  const host = hostOf(fields, head.minor);
  const parsed = parseAuthority(head.target);
  if (host === null || parsed === null || parsed.port < 0) return 400;
  if (host !== '' && parseAuthority(host) === null) return 400;
  out.authority = head.target;
  out.host = parsed.host;
  out.path = '';
  out.routedPath = '';
  out.receivedPath = '';
  out.query = '';
  return 0;
}

/** Reports whether a Connection (or any list) value contains this lower-case option. */
function hasOption(value: string | undefined, option: string): boolean {
  if (value === undefined) return false;
  if (value.length === option.length) return value.toLowerCase() === option;
  return value
    .toLowerCase()
    .split(',')
    .some((part) => part.trim() === option);
}

/** Reports whether the connection stays open after this message (RFC 9112 §9.3). */
export function persists(fields: Fields, minor: number): boolean {
  if (!fields.has(CONNECTION)) return minor !== 0;
  // The most frequent value needs no string.
  if (fields.says(CONNECTION, 'keep-alive')) return true;
  const value = fields.known(CONNECTION);
  if (hasOption(value, 'close')) return false;
  return minor !== 0 || hasOption(value, 'keep-alive');
}

/** Refuses unknown expectations with 417 (RFC 9110 §10.1.1). HTTP/1.0 has none. */
function checkExpect(fields: Fields, minor: number): number {
  if (!fields.has(EXPECT) || minor === 0) return 0;
  return fields.known(EXPECT)!.toLowerCase() === '100-continue' ? 0 : 417;
}

/** Reports whether the client offers a change of protocols that the gateway passes on: never h2c, never with a body. */
export function wantsUpgrade(fields: Fields, minor: number, framing: BodyFraming): boolean {
  if (!fields.has(UPGRADE) || minor === 0 || framing.kind !== NO_BODY) return false;
  if (!hasOption(fields.known(CONNECTION), 'upgrade')) return false;
  const protocols = fields.known(UPGRADE)!.toLowerCase();
  return protocols !== '' && !protocols.split(',').some((part) => part.trim().startsWith('h2c'));
}
