/**
 * Redacts a plan so that it may be shown: texts that may be secrets are replaced by keyed digests. Cold.
 *
 * A plan does not record which of its texts came from a reference. So every text that is written into messages is
 * redacted, and every setting that the schema calls secret. A digest shows only whether two texts are equal.
 */
import { createHmac } from 'node:crypto';
import { rootSchema, type SchemaNode } from '../config/walk.ts';

/** `salt`: differs for each gateway, so that the digests of the same text differ. */
export function redactor(salt: string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    let seal = known.get(text);
    if (seal === undefined) {
      seal = createHmac('sha256', salt).update(text).digest('base64url').slice(0, 16);
      known.set(text, seal);
    }
    return seal;
  };
}

/** The redacted JSON of a piece of a plan. */
export function redactedJson(value: unknown, seal: (text: string) => string): string {
  return JSON.stringify(value, (key, one: unknown) => {
    if (isModulePolicy(one)) return { ...one, config: redactAll(one.config, seal) };
    if (typeof one === 'string') return one !== '' && (isSecret(key) || isMatter(one)) ? { sealed: seal(one) } : one;
    return Array.isArray(one) && one.length > 0 && one.every(isPair)
      ? one.map(([name, text]) => [name, { sealed: seal(text) }])
      : one;
  });
}

/** Only a module's own schema says which of its settings are secrets. */
function isModulePolicy(one: unknown): one is { readonly type: 'module'; readonly config: unknown } {
  return isItem(one) && one['type'] === 'module' && isItem(one['config']);
}

function redactAll(value: unknown, seal: (text: string) => string): unknown {
  if (typeof value === 'string') return value === '' ? value : { sealed: seal(value) };
  if (Array.isArray(value)) return value.map((one) => redactAll(one, seal));
  if (!isItem(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, redactAll(one, seal)]));
}

function isItem(one: unknown): one is Readonly<Record<string, unknown>> {
  return typeof one === 'object' && one !== null && !Array.isArray(one);
}

/** No handwritten setting is that long; keys and certificates are. */
function isMatter(text: string): boolean {
  return text.length > 512 || text.startsWith('-----BEGIN ');
}

/** A header field, or any other pair of name and text. */
function isPair(one: unknown): one is readonly [string, string] {
  return Array.isArray(one) && one.length === 2 && typeof one[0] === 'string' && typeof one[1] === 'string';
}

let secretKeys: ReadonlySet<string> | null = null;

function isSecret(key: string): boolean {
  secretKeys ??= keysOfSecrets();
  return secretKeys.has(key);
}

/** The settings that hold secrets, spelled as in the schema and in camel case. */
function keysOfSecrets(): Set<string> {
  const keys = new Set(['body', 'replacement', 'addressKey', 'ticketKeys']);
  const note = ({ properties = {} }: SchemaNode): void => {
    for (const [key, schema] of Object.entries(properties)) {
      if (schema['x-secret'] !== true) continue;
      keys.add(key);
      keys.add(key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
    }
  };
  for (const definition of Object.values(rootSchema.$defs ?? {})) note(definition);
  return keys;
}
