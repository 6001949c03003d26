/**
 * The two forms of a path: one for the upstream and one for rules. Hot, but used only for paths that contain "%", "\",
 * ";", "//" or "/.".
 *
 * The upstream gets the normal form of RFC 3986 §6.2.2: encoded unreserved characters are decoded, other encodings get
 * upper-case digits, dot segments are resolved. Rules match the path as a backend reads it that decodes once, removes
 * `;` parameters, merges repeated slashes and resolves dot segments. A rule on `/admin` therefore covers `/%2Fadmin`
 * and `/admin;x/y`. If such a backend would find a dot segment that others do not see (`/x/..%2Fadmin`,
 * `/x/..;/admin`), the path is ambiguous and the gateway refuses it.
 */
import { isUtf8 } from 'node:buffer';

/**
 * How a listener reads paths. With `…_for_rules`, only rules see the changed path and the upstream gets it unchanged;
 * without it, both see the changed path.
 */
export interface PathRules {
  /** `%2F` and `%5C`. */
  readonly encodedSlash: 'decode_for_rules' | 'decode' | 'keep' | 'refuse';
  /** `//`. */
  readonly repeatedSlashes: 'merge_for_rules' | 'merge' | 'keep' | 'refuse';
  /** `;` and the rest of the segment. */
  readonly parameters: 'remove_for_rules' | 'remove' | 'keep' | 'refuse';
  /** Encoded control characters except NUL, which every listener refuses. */
  readonly controlCharacters: 'refuse' | 'keep';
  /** Bytes above 0x7f in a request target. */
  readonly rawUtf8: 'refuse' | 'encode';
  /** Which form of the path backends get, unless a policy rewrites it. */
  readonly send: 'normal' | 'received';
}

/** Why a path is refused; each value is a code in the access log. '' means it is accepted. */
export type PathProblem =
  | ''
  /** An invalid encoding, an encoded NUL, an overlong UTF-8 form of ASCII (RFC 3629 §3), or a "\" (not in RFC 3986). */
  | 'malformed_path'
  | 'encoded_slash'
  | 'repeated_slashes'
  | 'path_parameters'
  | 'hidden_dot_segment'
  /** An encoded slash in a parameter (`/;%2Fx/admin`): backends differ in whether the parameter ends there. */
  | 'slash_in_parameter'
  | 'control_character'
  | 'raw_utf8';

/** The normal form only: rules match slashes and parameters as written. */
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
  // A path that is sent as received is decoded for rules only.
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

/** Returns the path of a request target in origin or absolute form, or '' if it has none (RFC 9112 §3.2). */
export function pathOfTarget(target: string): string {
  const rest = target.startsWith('/') ? target : /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return '';
  const mark = rest.indexOf('?');
  return (mark < 0 ? rest : rest.slice(0, mark)) || '/';
}

const scratch = new PathReading();

/** Returns the normal form (RFC 3986 §6.2.2), or null if no request could have this path. */
export function normalizePath(path: string): string | null {
  return readPath(path, LITERAL, scratch) === '' ? scratch.sent : null;
}

/** Returns the forms in which any listener may send a path; empty if no request could have it. */
export function sentForms(path: string): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const encodedSlash of ['keep', 'decode'] as const)
    for (const repeatedSlashes of ['keep', 'merge'] as const)
      for (const parameters of ['keep', 'remove'] as const)
        if (readPath(path, { ...LITERAL, encodedSlash, repeatedSlashes, parameters }, scratch) === '')
          forms.add(scratch.sent);
  return forms;
}

/** Returns the path with each character as rules see it; slashes, dots and parameters are unchanged. */
export function spelled(path: string): string {
  return decode(path, VISIBLE);
}

/** Percent-encodes everything but visible ASCII, as UTF-8. */
export function encodePath(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (run) => percentEncoded(Buffer.from(run)));
}

/** Percent-encodes bytes above 0x7f in a request target that was read as Latin-1. null: they are not UTF-8. */
export function encodeRawUtf8(target: string): string | null {
  if (!isUtf8(Buffer.from(target, 'latin1'))) return null;
  return target.replace(/[\x80-\xff]+/g, (run) => percentEncoded(Buffer.from(run, 'latin1')));
}

function percentEncoded(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return out;
}

// === refusals

const MALFORMED = /\\|%(?![0-9a-f]{2})|%00/i;
/** RFC 3629 §3: overlong forms of ASCII characters, of two to six bytes as RFC 2279 had them. Some decoders take `%C0%AF` for a slash. */
const OVERLONG = /%c[01]%[89ab]|%e0%8[01]%|%f0%80%8[01]%|%f8%80%80%8[01]%|%fc%80%80%80%8[01]%/i;
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

/** Runs in time linear in the path's length: each segment's parameters are matched as one. */
function hasSlashInParameter(path: string): boolean {
  return PARAMETER.test(path) && (path.match(PARAMETERS) ?? []).some((one) => ENCODED_SLASH.test(one));
}

// === the form for the upstream

/** The replacement for each encoded byte. */
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

/** Decodes once, from left to right. All encodings must be well-formed. */
function decode(path: string, decoding: Decoding): string {
  let out = '';
  let from = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    out += path.slice(from, at) + decoding[(digit(path, at + 1) << 4) | digit(path, at + 2)]!;
    from = at + 3;
  }
  return from === 0 ? path : out + path.slice(from);
}

/** `0` to `9` start at 0x30, `A` and `a` at 0x41 and 0x61. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x41 ? code & 0xf : (code & 0xf) + 9;
}

/** Resolves dot segments (RFC 3986 §5.2.4), after removing parameters and merging repeated slashes if requested. */
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

// === the form for rules

/** Visible ASCII characters are decoded, except those that would have another meaning when not encoded. */
const standsForItself = (character: string): boolean => /[\x21-\x7e]/.test(character) && !/[%?#/\\]/.test(character);
const VISIBLE = decodingOf(standsForItself, false);
const VISIBLE_AND_SLASHES = decodingOf(standsForItself, true);
const DOTS = /\/\.\.?(?:\/|$)/;

/** Takes a path whose own dot segments are resolved. Returns null if decoding reveals others. */
function judged(sent: string, rules: PathRules): string | null {
  const decoded = decodedOnce(sent, rules);
  // A segment of an unchanged path may look like dots: in `/a/%2F..` the encoded slash is not a separator.
  if (decoded !== sent && DOTS.test(decoded)) return null;
  return decoded;
}

/** The path as a backend reads it that decodes once, then removes parameters, then merges repeated slashes. */
function decodedOnce(path: string, { encodedSlash, repeatedSlashes, parameters }: PathRules): string {
  let out = decode(path, encodedSlash === 'keep' ? VISIBLE : VISIBLE_AND_SLASHES);
  if (parameters !== 'keep' && out.includes(';')) out = out.replace(/;[^/]*/g, '');
  if (repeatedSlashes !== 'keep' && out.includes('//')) out = out.replace(/\/{2,}/g, '/');
  return out;
}
