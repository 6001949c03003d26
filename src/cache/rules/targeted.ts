/**
 * Directives for caches like this one: CDN-Cache-Control (RFC 9213). Hot.
 *
 * It is a Structured Field, unlike Cache-Control. An empty or malformed one counts as absent (§2.1), and then
 * Cache-Control and Expires apply. A valid one overrides both (§2.2).
 */
import type { Fields } from '../../http/fields.ts';
import { MAX_SECONDS } from './directive-reader.ts';
import { emptyResponse, fieldNames, type ResponseDirectives } from './directives.ts';
import { memoized } from '../../kit/memoized.ts';
import { type DictionaryValue, parseDictionary } from './structured-dictionary.ts';

const NAME = 'cdn-cache-control';

/** memo.ts keeps only defined values, so a result of null is wrapped in an object. */
const read = memoized((text: string) => ({ directives: directivesOf(text) }));

/** null: there are none, so Cache-Control and Expires apply. */
export function targetedDirectives(fields: Fields): ResponseDirectives | null {
  const text = fields.get(NAME);
  return text === undefined ? null : read(text).directives;
}

const FLAGS = {
  'no-store': 'noStore',
  public: 'public',
  'must-revalidate': 'mustRevalidate',
  'proxy-revalidate': 'proxyRevalidate',
  'must-understand': 'mustUnderstand',
  immutable: 'immutable',
} as const;

const SECONDS = {
  'max-age': 'maxAge',
  's-maxage': 'sMaxage',
  'stale-while-revalidate': 'staleWhileRevalidate',
  'stale-if-error': 'staleIfError',
} as const;

function directivesOf(text: string): ResponseDirectives | null {
  const members = parseDictionary(text);
  if (members === null || members.size === 0) return null;
  const found = emptyResponse();
  for (const [name, value] of members) {
    if (isKeyOf(FLAGS, name)) {
      // A directive without an argument is true; ?0 negates it; any other value is invalid.
      if (value.type !== 'boolean') return null;
      found[FLAGS[name]] = value.value;
    } else if (isKeyOf(SECONDS, name)) {
      if (value.type !== 'integer') return null;
      found[SECONDS[name]] = Math.min(Math.max(value.value, 0), MAX_SECONDS);
    } else if (name === 'no-cache') {
      const names = namedFields(value);
      if (names === null) found.noCache = value.value !== false;
      else found.noCacheFields = names;
    } else if (name === 'private') {
      const names = namedFields(value);
      if (names === null) found.private = value.value !== false;
      else found.privateFields = names;
    }
  }
  return Object.freeze(found);
}

/** Field names, as a string or a list of them; null if it names none. */
function namedFields(value: DictionaryValue): readonly string[] | null {
  if (value.type === 'string' || value.type === 'token') return fieldNames(value.value);
  if (value.type !== 'list') return null;
  const texts = value.value.map((item) => (item.type === 'string' || item.type === 'token' ? item.value : '"'));
  return fieldNames(texts.join(','));
}

function isKeyOf<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name);
}
