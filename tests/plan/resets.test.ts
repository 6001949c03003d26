/** What the reference says a change of a setting resets is what it resets: every setting of what has lasting state. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isRecord, rootSchema, type SchemaNode } from '../../src/config/walk.ts';
import { planOf, problemsOf } from './plan-of.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Setting {
  /** Where its owner stands in the config below. */
  readonly path: readonly string[];
  readonly name: string;
  readonly schema: SchemaNode & { readonly enum?: readonly unknown[]; readonly minimum?: number };
  readonly resets: boolean;
}

const config = (): Record<string, unknown> => ({
  acls: { a: {} },
  pools: {
    p: { endpoints: [{ address: '10.0.0.1:80' }, { dns: { name: 'a.test:80' } }], health: { active: {} } },
    q: { endpoints: ['10.0.0.2:80'] },
  },
  caches: { c: { disk: { path: '/var/cache/c' } } },
  listeners: { web: { address: '127.0.0.1:8080' } },
});

function follow(node: SchemaNode): SchemaNode {
  return node.$ref === undefined ? node : follow(rootSchema.$defs![node.$ref.replace('#/$defs/', '')]!);
}

/** Every setting of a definition and of those within it, one by one. */
function settingsOf(definition: string, path: readonly string[]): Setting[] {
  const within = (schema: SchemaNode, at: readonly string[]): Setting[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
      const inner = follow(property);
      if (inner.properties !== undefined) return within(inner, [...at, name]);
      const keeps = property['x-reload'] === 'keep' || inner['x-reload'] === 'keep' || property.$ref !== undefined;
      return [{ path: at, name, schema: inner, resets: !keeps && schema['x-state'] !== undefined }];
    });
  return within(rootSchema.$defs![definition]!, path);
}

/** Another value than the default's that is likely to be valid; undefined: none comes to mind. */
function another({ schema, name }: Setting): unknown {
  const byName: Readonly<Record<string, unknown>> = {
    address: '127.0.0.1:8099',
    acl: 'a',
    strategy: 'random',
    endpoints: undefined,
    fallback: { pool: 'q' },
    statuses: [500, 502],
    status: ['204'],
    body: 'fine',
    host: 'example.com',
    path: '/healthz',
    on: ['connect'],
    trusted_proxies: ['10.0.0.0/8'],
    servers: ['10.0.0.53'],
    query: ['a'],
    ignore_query: ['a'],
    sort_query: true,
    headers: ['x-a'],
    cookies: ['a'],
  };
  if (Object.hasOwn(byName, name)) return byName[name];
  if (name === 'name') return 'b.test:80';
  if (name === 'type' && schema.enum?.includes('srv') === true) return 'both';
  if (schema.enum !== undefined) return schema.enum.at(-1);
  if (schema.format === 'duration') return '777ms';
  if (schema.format === 'size') return '7777';
  return schema.type === 'integer' ? 7 : undefined;
}

function changed(setting: Setting): Record<string, unknown> | null {
  const whole = config();
  let owner = whole;
  for (const key of setting.path) {
    // The config above has maps and lists where the schema has them.
    owner = (owner[key] ??= {}) as Record<string, unknown>;
  }
  const value = another(setting);
  if (value === undefined) return null;
  owner[setting.name] = value;
  return problemsOf(whole).length === 0 ? whole : null;
}

/** Of everything that a plan claims. */
function identities(plan: unknown): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (isRecord(value) && typeof value['identity'] === 'string') found.add(value['identity']);
    for (const inner of Object.values(value)) look(inner);
  };
  look(plan);
  return [...found].toSorted();
}

describe('every setting', () => {
  const all = [
    ...settingsOf('listener', ['listeners', 'web']),
    ...settingsOf('cache', ['caches', 'c']),
    ...settingsOf('pool', ['pools', 'p']),
    ...settingsOf('active-check', ['pools', 'p', 'health', 'active']),
    ...settingsOf('endpoint', ['pools', 'p', 'endpoints', '0']),
    ...settingsOf('dns-name', ['pools', 'p', 'endpoints', '1', 'dns']),
  ];
  const before = identities(planOf(config()));
  const tried = all.flatMap((setting) => {
    const next = changed(setting);
    return next === null ? [] : [{ setting, next }];
  });

  test.each(tried.map(({ setting, next }) => [[...setting.path.slice(2), setting.name].join('.'), setting, next]))(
    '%s',
    (_, { resets }, next) => {
      expect(identities(planOf(next as object)).join() !== before.join()).toBe(resets);
    },
  );

  test('that can be tried is tried', () => {
    const names = tried.map(({ setting }) => setting.name);
    expect(tried.length).toBeGreaterThan(45);
    expect(names).toEqual(
      expect.arrayContaining([
        'max_entry_size',
        'sort_query',
        'cookies',
        'address',
        'weight',
        'connect',
        'path',
        'interval',
        'strategy',
        'acl',
      ]),
    );
    expect(tried.filter(({ setting }) => setting.resets).length).toBeGreaterThan(4);
  });
});

test('what claims derive their identity from says what lasts there', () => {
  const claimed = globSync('src/plan/*.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/claimOf\(\s*'[^']+',[^,]+,\s*'([^']+)'/g)].map(
      ([, name]) => name!,
    ),
  );
  expect(claimed).toContain('endpoint');
  expect(claimed.filter((name) => rootSchema.$defs?.[name]?.['x-state'] === undefined)).toEqual([]);
});

test('the reference says it of every setting', () => {
  const lines = readFileSync(join(root, 'docs/reference/config.md'), 'utf8').split('\n');
  const rows = lines.filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(150);
  expect(rows.filter((row) => row.replaceAll('\\|', '').split('|').at(-2)!.trim() === '')).toEqual([]);
});
