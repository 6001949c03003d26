/**
 * The request fields that select a response, and the key of such a variant (RFC 9111 §4.1). Hot.
 *
 * Two requests have the same key only if their fields are equivalent: lines are combined, whitespace around commas is
 * removed in list fields, and order and case are removed where they are known to have no meaning. Any other difference
 * gives different keys; an absent field differs from an empty one.
 */
import { hash } from 'node:crypto';
import type { Fields } from '../../http/fields.ts';
import { isTokenChar } from './directive-reader.ts';
import { memoized } from '../../kit/memoized.ts';

/** More names than this indicate an attack, and count as "*". */
const MOST_NAMES = 32;
/** A longer key is replaced by its digest. */
const LONGEST_KEY = 512;
const NO_NAMES: readonly string[] = Object.freeze([]);

/** memo.ts keeps only defined values, so the null of "*" is wrapped in an object. */
const parse = memoized((text: string) => ({ names: namesIn(text) }));

/** Lower-case names, sorted and distinct; null: "*", or an invalid value. */
export function varyOf(fields: Fields): readonly string[] | null {
  const text = fields.get('vary');
  return text === undefined ? NO_NAMES : parse(text).names;
}

function namesIn(text: string): readonly string[] | null {
  const names = new Set<string>();
  for (const part of text.split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '') continue;
    if (name === '*' || !isToken(name)) return null;
    names.add(name);
  }
  return names.size > MOST_NAMES ? null : Object.freeze([...names].toSorted());
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenChar(text.charCodeAt(i))) return false;
  return true;
}

/**
 * The key of a request's variant. Neither a name nor a value can contain a line break, nor a name a "=", so no two
 * different selections share a key.
 */
export function variantKey(names: readonly string[], requestFields: Fields): string {
  let key = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = requestFields.get(name);
    key += value === undefined ? `${name}\n` : `${name}=${normalized(name, value)}\n`;
  }
  // A digest can't be mistaken for a key, which begins with a name.
  return key.length > LONGEST_KEY ? `=${hash('sha256', key, 'base64url')}` : key;
}

/** Lists of weighted choices: order and case have no meaning (RFC 9110 §12.5.2, §12.5.3, §12.5.4). */
const CHOICES = new Set(['accept-charset', 'accept-encoding', 'accept-language']);

/** Not lists: whitespace after a comma may have a meaning, especially in credentials. */
const SINGLE = new Set([
  'authorization',
  'content-type',
  'cookie',
  'date',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'origin',
  'proxy-authorization',
  'referer',
  'user-agent',
]);

const choices = memoized(normalizedChoices);
const list = memoized(normalizedList);

function normalized(name: string, value: string): string {
  if (CHOICES.has(name)) return choices(value);
  return SINGLE.has(name) ? value : list(value);
}

/** `gzip;q=1.0, BR` → `br,gzip` */
function normalizedChoices(value: string): string {
  const members: string[] = [];
  for (const part of value.toLowerCase().split(',')) {
    const pieces = part.split(';');
    let member = pieces[0]!.trim();
    for (let i = 1; i < pieces.length; i++) {
      const weight = normalizedWeight(pieces[i]!.trim());
      if (weight !== '') member += `;${weight}`;
    }
    // RFC 9110 §5.6.1.2: empty members are ignored.
    if (member !== '') members.push(member);
  }
  return members.toSorted().join(',');
}

/** `q=0.50` → `q=0.5`; `q=1.0` → '', as 1 is the default (RFC 9110 §12.4.2). */
function normalizedWeight(text: string): string {
  if (!/^q=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text)) return text;
  const weight = Number(text.slice(2));
  return weight === 1 ? '' : `q=${weight}`;
}

/** Removes whitespace around commas outside quoted strings. */
function normalizedList(value: string): string {
  if (!value.includes(',')) return value.trim();
  let out = '';
  let from = 0;
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ',') {
      out += `${value.slice(from, at).trim()},`;
      from = at + 1;
    }
  }
  return out + value.slice(from).trim();
}
