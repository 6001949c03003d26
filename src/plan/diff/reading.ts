/**
 * Converts a plan's data to settings as the config writes them, so that two plans can be compared name by name. Cold.
 *
 * A part with a name of its own (a pool that a route holds) is shown by that name; lists of named items become maps;
 * claims are left out. A plan may come from another process (see plan/serialized-plan.ts): texts that may be secrets
 * are redacted there, and compared by their digests.
 */
import type { PolicyPlan } from '../types.ts';
import type { SettingChange, Value } from './changes.ts';
import { unitOf } from './units.ts';

/** A redacted text. Two are equal if their digests are. */
interface Sealed {
  readonly sealed: string;
}

export interface Terms {
  /** The folders that prefix file paths in the old and the new plan; '' if there is none. */
  readonly folders: readonly [before: string, after: string];
  /** Redacts a text in the same way as the redacted texts in the plan. */
  readonly seal: (text: string) => string;
  /** Whether the value may be shown. */
  readonly discreet: (text: string) => boolean;
}

export const PLAIN: Terms = { folders: ['', ''], seal: (text) => text, discreet: () => true };

/** The keys of a plan whose value is shared with other parts: it is shown by its name. */
const SHARED = new Set(['acl', 'pool', 'plainPool', 'realm', 'cache', 'certificate']);
/** Keys that the config spells differently from the plan. */
const WORDS: Readonly<Record<string, string>> = { hosts: 'host' };
/** The first of these that is present identifies an item of a list. */
const KEYS = ['name', 'pool', 'type'];

type Item = Readonly<Record<string, unknown>>;
/** null, boolean, number, string, Sealed, a list of these, or a Map. */
type Read = unknown;

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSealed(value: unknown): value is Sealed {
  return isItem(value) && typeof value['sealed'] === 'string';
}

export function isClaim(
  value: unknown,
): value is { readonly kind: string; readonly name: string; readonly identity: string } {
  return isItem(value) && typeof value['identity'] === 'string' && typeof value['kind'] === 'string';
}

/** A quick check for equality. Shared parts need only have the same name. */
export function alike(a: unknown, b: unknown, key = ''): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!alike(a[i], b[i])) return false;
    return true;
  }
  // Plain data: any key may be read.
  const one = a as Item;
  const other = b as Item;
  if (SHARED.has(key) && typeof one['name'] === 'string') return one['name'] === other['name'];
  let keys = 0;
  for (const inner in one) {
    if (!Object.hasOwn(other, inner) || !alike(one[inner], other[inner], inner)) return false;
    keys++;
  }
  for (const _ in other) keys--;
  return keys === 0;
}

/** The addresses to listen on and to dial are never secret: they are shown even if a reference supplied them. */
const OPEN = new Set(['address', 'endpoints']);

const NOTHING: ReadonlyMap<string, Read> = new Map();

/** The settings of `kind` that differ between two pieces of its plan. */
export function settingsBetween(kind: string, before: unknown, after: unknown, terms: Terms): SettingChange[] {
  const found: SettingChange[] = [];
  const [old, now] = [read(before, '', terms.folders[0]) ?? NOTHING, read(after, '', terms.folders[1]) ?? NOTHING];
  compare(old, now, '', (setting, a, b) => {
    if (sameText(a, b, terms)) return;
    const open = OPEN.has(setting) ? { ...terms, discreet: () => true } : terms;
    const [shownBefore, shownAfter] = [shown(a, open), shown(b, open)];
    const unit = typeof a === 'number' || typeof b === 'number' ? unitOf(kind, setting) : null;
    found.push({ setting, before: shownBefore, after: shownAfter, ...(unit === null ? {} : { unit }) });
  });
  return found;
}

/** Reports policies that are the same in another order. */
export function policyOrder(before: readonly PolicyPlan[], after: readonly PolicyPlan[]): SettingChange[] {
  const types = (policies: readonly PolicyPlan[]): string[] => policies.map(({ type }) => type);
  // A type may occur more than once: only lists of one length can be compared.
  return before.length === after.length ? reorderedBetween('policies', types(before), types(after)) : [];
}

/** Reports the items that both lists have, if their order differs. */
export function reorderedBetween(setting: string, old: readonly string[], now: readonly string[]): SettingChange[] {
  const before = old.filter((one) => now.includes(one));
  const after = now.filter((one) => old.includes(one));
  return before.join() === after.join() ? [] : [{ setting, before, after }];
}

function read(value: unknown, key: string, folder: string): Read {
  if (typeof value === 'string')
    return folder !== '' && value.startsWith(`${folder}/`) ? `./${value.slice(folder.length + 1)}` : value;
  if (Array.isArray(value)) return readList(value, folder);
  if (!isItem(value) || isSealed(value)) return value ?? null;
  if (isClaim(value)) return undefined;
  if (SHARED.has(key) && typeof value['name'] === 'string') return value['name'];
  if (isBundle(value)) return readBundle(value);
  // An address is shown as written; a condition as one text.
  if (typeof value['text'] === 'string' && 'port' in value) return value['text'];
  if (typeof value['kind'] === 'string' && typeof value['value'] === 'string')
    return `${value['kind']} ${value['value']}`;
  const map = new Map<string, Read>();
  for (const [inner, one] of Object.entries(value)) {
    const part = read(one, inner, folder);
    if (part !== undefined) map.set(WORDS[inner] ?? snake(inner), part);
  }
  return map;
}

/** Certificates of authorities. */
interface Bundle {
  readonly digest: string;
  readonly subjects: readonly string[];
}

function isBundle(value: Item): value is Item & Bundle {
  return typeof value['digest'] === 'string' && Array.isArray(value['subjects']);
}

/** The texts of certificates and revocation lists tell readers nothing. */
function readBundle({ digest, subjects }: Bundle): Read {
  return new Map<string, Read>([
    ['subjects', [...subjects]],
    ['digest', digest.slice(0, 16)],
  ]);
}

function readList(list: readonly unknown[], folder: string): Read {
  const map = new Map<string, Read>();
  for (const one of list) {
    const [key, value] = keyed(one);
    if (key === null) return list.map((item) => read(item, '', folder));
    let name = key;
    for (let i = 2; map.has(name); i++) name = `${key}#${i}`;
    map.set(name, read(value, '', folder));
  }
  return list.length === 0 ? [] : map;
}

/** The key and content of an item; a null key: it has none. */
function keyed(one: unknown): readonly [string | null, unknown] {
  if (Array.isArray(one)) return one.length === 2 && typeof one[0] === 'string' ? [one[0], one[1]] : [null, one];
  if (!isItem(one)) return [null, one];
  for (const key of KEYS) {
    const { [key]: name, ...rest } = one;
    const text = isItem(name) && SHARED.has(key) ? name['name'] : name;
    if (typeof text === 'string') return [text, rest];
  }
  return [null, one];
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type Found = (setting: string, before: Read, after: Read) => void;

function compare(before: Read, after: Read, path: string, found: Found): void {
  const [a, b] = [mapOf(before), mapOf(after)];
  if (a === null || b === null) {
    found(path, before, after);
    return;
  }
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const [key, value] of a) compare(value, b.has(key) ? b.get(key) : null, at(key), found);
  for (const [key, value] of b) if (!a.has(key)) compare(null, value, at(key), found);
}

/** An empty list may stand for an empty map. */
function mapOf(value: Read): ReadonlyMap<string, Read> | null {
  if (Array.isArray(value) && value.length === 0) return NOTHING;
  // Only `read` makes Maps here.
  return value instanceof Map ? (value as ReadonlyMap<string, Read>) : null;
}

function sameText(a: Read, b: Read, terms: Terms): boolean {
  if (isSealed(a) || isSealed(b)) return sealOf(a, terms) === sealOf(b, terms);
  if (a instanceof Map || b instanceof Map) {
    if (!(a instanceof Map) || !(b instanceof Map) || a.size !== b.size) return false;
    // `read` made both: the keys of these Maps are texts.
    return [...(a as Map<string, Read>)].every(([key, value]) => b.has(key) && sameText(value, b.get(key), terms));
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, i) => sameText(one, b[i], terms));
  return Object.is(a ?? null, b ?? null);
}

function sealOf(value: Read, { seal }: Terms): string {
  if (isSealed(value)) return value.sealed;
  return typeof value === 'string' ? seal(value) : '';
}

/** Shown instead of a value that may be a secret. */
const HIDDEN = '…';

function shown(value: Read, terms: Terms): Value {
  if (value === undefined || value === null) return null;
  if (isSealed(value)) return HIDDEN;
  if (typeof value === 'string') return terms.discreet(value) ? value : HIDDEN;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((one) => shown(one, terms));
  // `read` makes no other types.
  const entries = [...(value as Map<string, Read>)];
  return Object.fromEntries(entries.map(([key, one]) => [key, shown(one, terms)]));
}

/** Pairs the items of two lists by name. */
export function* sideBySide<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string,
): Generator<readonly [name: string, before: T | null, after: T | null]> {
  const now = new Map(after.map((one) => [nameOf(one), one]));
  const old = new Map(before.map((one) => [nameOf(one), one]));
  for (const [name, one] of old) yield [name, one, now.get(name) ?? null];
  for (const [name, one] of now) if (!old.has(name)) yield [name, null, one];
}
