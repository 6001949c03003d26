/**
 * The two forms of a path: the one that is sent, and the one that rules judge. Hot, but entered only for paths that have a
 * "%", a "\", a ";", a "//" or a "/.".
 *
 * Sent is the normal form of RFC 3986 §6.2.2: encoded unreserved characters are decoded, other encodings get upper-case
 * digits, dot segments are resolved. Rules judge what a backend makes of that when it decodes the path once, takes
 * `;` parameters out, reads several slashes as one, and resolves dot segments: a rule on `/admin` holds for
 * `/%2Fadmin` and `/admin;x/y`. Where such a backend would meet a dot segment that others do not see (`/x/..%2Fadmin`,
 * `/x/..;/admin`), the path has no one meaning and is refused.
 */
import { isUtf8 } from 'node:buffer';

/** How a listener reads paths. `…_for_rules`: the rules see it so, and it is sent as it came. Without: both. */
export interface PathRules {
  /** `%2F` and `%5C`. */
  readonly encodedSlash: 'decode_for_rules' | 'decode' | 'keep' | 'refuse';
  /** `//`. */
  readonly repeatedSlashes: 'merge_for_rules' | 'merge' | 'keep' | 'refuse';
  /** `;` and what follows it in a segment. */
  readonly parameters: 'remove_for_rules' | 'remove' | 'keep' | 'refuse';
  /** Encoded ones but NUL, which no listener takes. */
  readonly controlCharacters: 'refuse' | 'keep';
  /** Bytes above 0x7f in a request target. */
  readonly rawUtf8: 'refuse' | 'encode';
  /** Which form of the path backends get, unless a policy rewrites it. */
  readonly send: 'normal' | 'received';
}

/** Why a path is refused; each is a code of the access log. '': it is not. */
export type PathProblem =
  | ''
  /** An encoding that is none, an encoded NUL, an overlong UTF-8 form of ASCII (RFC 3629 §3), or a "\" (not in RFC 3986). */
  | 'malformed_path'
  | 'encoded_slash'
  | 'repeated_slashes'
  | 'path_parameters'
  | 'hidden_dot_segment'
  /** An encoded slash in a parameter (`/;%2Fx/admin`): backends differ in whether the parameter ends there. */
  | 'slash_in_parameter'
  | 'control_character'
  | 'raw_utf8';

/** The normal form and no more: rules judge slashes and parameters as they are written. */
export const LITERAL: PathRules = {
  encodedSlash: 'keep',
  repeatedSlashes: 'keep',
  parameters: 'keep',
  controlCharacters: 'keep',
  rawUtf8: 'refuse',
  send: 'normal',
};

export class PathReading {
  sent = '';
  routed = '';
}

/** Reads a path that begins with "/" into `out`. */
export function readPath(path: string, rules: PathRules, out: PathReading): PathProblem {
  const problem = refusal(path, rules);
  if (problem !== '') return problem;
  // What is sent as it came is decoded for nobody but rules.
  const edits = rules.send === 'normal';
  const plain = decode(path, edits && rules.encodedSlash === 'decode' ? UNRESERVED_AND_SLASHES : UNRESERVED);
  // Backends that get its dot segments resolve them in different orders: `/a//../b` is `/a/b` to some, `/b` to others.
  if (!edits && DOTS.test(plain) && AMBIGUOUS.test(plain)) return 'hidden_dot_segment';
  const sent = resolved(plain, edits && rules.repeatedSlashes === 'merge', edits && rules.parameters === 'remove');
  const { encodedSlash, parameters } = rules;
  if (encodedSlash !== 'keep' && parameters !== 'keep' && hasSlashInParameter(sent)) return 'slash_in_parameter';
  if (rules.repeatedSlashes === 'refuse' && decodedOnce(sent, { ...rules, repeatedSlashes: 'keep' }).includes('//'))
    return 'repeated_slashes';
  const routed = judged(sent, rules);
  if (routed === null) return 'hidden_dot_segment';
  out.sent = sent;
  out.routed = routed;
  return '';
}

/** Of a request target in origin or absolute form; '': it has none (RFC 9112 §3.2). */
export function pathOfTarget(target: string): string {
  const rest = target.startsWith('/') ? target : /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return '';
  const mark = rest.indexOf('?');
  return (mark < 0 ? rest : rest.slice(0, mark)) || '/';
}

const scratch = new PathReading();

/** The normal form (RFC 3986 §6.2.2); null: no path that a request could have. */
export function normalizePath(path: string): string | null {
  return readPath(path, LITERAL, scratch) === '' ? scratch.sent : null;
}

/** The forms in which a path may be sent, whatever a listener's rules are; none: no request could have it. */
export function sentForms(path: string): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const encodedSlash of ['keep', 'decode'] as const)
    for (const repeatedSlashes of ['keep', 'merge'] as const)
      for (const parameters of ['keep', 'remove'] as const)
        if (readPath(path, { ...LITERAL, encodedSlash, repeatedSlashes, parameters }, scratch) === '')
          forms.add(scratch.sent);
  return forms;
}

/** The same path with each character as rules have it; slashes, dots and parameters stay as they are. */
export function spelled(path: string): string {
  return decode(path, VISIBLE);
}

/** Everything but visible ASCII, percent-encoded as UTF-8. */
export function encodePath(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (run) => percentEncoded(Buffer.from(run)));
}

/** A request target that was read as Latin-1 and has bytes above 0x7f, percent-encoded; null: it is not UTF-8. */
export function encodeRawUtf8(target: string): string | null {
  if (!isUtf8(Buffer.from(target, 'latin1'))) return null;
  return target.replace(/[\x80-\xff]+/g, (run) => percentEncoded(Buffer.from(run, 'latin1')));
}

function percentEncoded(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}

// === what is refused

const MALFORMED = /\\|%(?![0-9a-f]{2})|%00/i;
/** RFC 3629 §3: forms longer than need be, of ASCII characters. Some decoders take `%C0%AF` for a slash. */
const OVERLONG = /%c[01]%[89ab]|%e0%8[01]%|%f0%80%8[01]%/i;
const CONTROL = /%[01][0-9a-f]|%7f/i;
const ENCODED_SLASH = /%(?:2f|5c)/i;
const PARAMETER = /;|%3b/i;
const AMBIGUOUS = /;|\/\/|%(?:2f|3b|5c)/i;
const PARAMETERS = /(?:;|%3b)[^/]*/gi;

function refusal(path: string, rules: PathRules): PathProblem {
  if (MALFORMED.test(path) || OVERLONG.test(path)) return 'malformed_path';
  if (rules.controlCharacters === 'refuse' && CONTROL.test(path)) return 'control_character';
  if (rules.encodedSlash === 'refuse' && ENCODED_SLASH.test(path)) return 'encoded_slash';
  if (rules.parameters === 'refuse' && PARAMETER.test(path)) return 'path_parameters';
  return '';
}

/** In time that grows with the path's length alone: the parameters of a segment are taken as one. */
function hasSlashInParameter(path: string): boolean {
  return PARAMETER.test(path) && (path.match(PARAMETERS) ?? []).some((one) => ENCODED_SLASH.test(one));
}

// === what is sent

/** What stands for each encoded byte. */
type Decoding = readonly string[];

function decodingOf(decodes: (character: string) => boolean, slashes: boolean): Decoding {
  return Array.from({ length: 256 }, (_, byte) => {
    const character = String.fromCharCode(byte);
    if (slashes && (character === '/' || character === '\\')) return '/';
    return decodes(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

const isUnreserved = (character: string): boolean => /[A-Za-z0-9._~-]/.test(character);
const UNRESERVED = decodingOf(isUnreserved, false);
const UNRESERVED_AND_SLASHES = decodingOf(isUnreserved, true);

/** Once, from left to right. All encodings are well-formed. */
function decode(path: string, decoding: Decoding): string {
  let out = '';
  let from = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    out += path.slice(from, at) + decoding[(digit(path, at + 1) << 4) | digit(path, at + 2)]!;
    from = at + 3;
  }
  return from === 0 ? path : out + path.slice(from);
}

/** `0` to `9` are 0x30 on, `A` and `a` 0x41 and 0x61. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x41 ? code & 0xf : (code & 0xf) + 9;
}

/** Dot segments resolved (RFC 3986 §5.2.4), when parameters and repeated slashes are out of it if they shall be. */
function resolved(path: string, merge: boolean, remove: boolean): string {
  const bare = remove && path.includes(';') ? path.replace(/;[^/]*/g, '') : path;
  const single = merge && bare.includes('//') ? bare.replace(/\/{2,}/g, '/') : bare;
  return single.includes('/.') ? removeDotSegments(single) : single;
}

function removeDotSegments(path: string): string {
  const out: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
    if (last && (segment === '.' || segment === '..')) out.push('');
  });
  return `/${out.join('/')}`;
}

// === what is judged

/** Visible ASCII stands for itself, but what would have another meaning if it was not encoded. */
const standsForItself = (character: string): boolean => /[\x21-\x7e]/.test(character) && !/[%?#/\\]/.test(character);
const VISIBLE = decodingOf(standsForItself, false);
const VISIBLE_AND_SLASHES = decodingOf(standsForItself, true);
const DOTS = /\/\.\.?(?:\/|$)/;

/** Of a path whose own dot segments are resolved; null: others appear. */
function judged(sent: string, rules: PathRules): string | null {
  const decoded = decodedOnce(sent, rules);
  // What is kept as it is may well be dots: `/a/%2F..`, whose slash is none.
  if (decoded !== sent && DOTS.test(decoded)) return null;
  return decoded;
}

/** As a backend reads it that decodes once, then takes parameters out, then reads several slashes as one. */
function decodedOnce(path: string, { encodedSlash, repeatedSlashes, parameters }: PathRules): string {
  let out = decode(path, encodedSlash === 'keep' ? VISIBLE : VISIBLE_AND_SLASHES);
  if (parameters !== 'keep' && out.includes(';')) out = out.replace(/;[^/]*/g, '');
  if (repeatedSlashes !== 'keep' && out.includes('//')) out = out.replace(/\/{2,}/g, '/');
  return out;
}
