/**
 * Diffs of plans. `golden/diff/X` has a config before and after, what is told of it and the JSON; UPDATE_GOLDEN=1 writes what
 * is told now, to be read before it is committed.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { compareFile, type PlanReport } from '../../src/cli/plan-against.ts';
import { planText } from '../../src/cli/plan-text.ts';
import { diffPlans } from '../../src/plan/diff.ts';
import type { Change, PlanDiff } from '../../src/plan/diff/changes.ts';
import { PLAIN } from '../../src/plan/diff/reading.ts';
import { type SerializedPlan, PlanDeserializer, serializePlan } from '../../src/plan/serialized-plan.ts';
import { redactedJson, redactor } from '../../src/plan/redact.ts';
import type { Plan } from '../../src/plan/types.ts';
import { handedOver } from './handed-over.ts';
import { planOf } from './plan-of.ts';
import { costOf } from '../support/cpu-time.ts';

const folder = fileURLToPath(new URL('../golden/diff/', import.meta.url));
const cases = globSync('*/after.yaml', { cwd: folder }).map((path) => path.split('/')[0]!);
const ENV = { BACKEND: '10.0.0.1:1', OTHER_BACKEND: '10.0.0.2:1', TOKEN: 'hush-hush', OTHER_TOKEN: 'hush-not' };

const scratch = mkdtempSync(join(tmpdir(), 'prozy-diff-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function told(name: string): PlanReport {
  const report = compareFile(join(folder, name, 'after.yaml'), join(folder, name, 'before.yaml'), ENV);
  if (typeof report === 'string') throw new Error(report);
  return { ...report, file: 'after.yaml', against: 'before.yaml' };
}

function agrees(path: string, text: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
}

test.each(cases)('%s: what a change of the config comes to', (name) => {
  const report = told(name);
  const text = planText(report, false);
  expect(`${text}${JSON.stringify(report)}`).not.toContain('hush');
  expect(text).not.toContain('\x1b');
  agrees(join(folder, name, 'expected.txt'), `${text}\n`);
  agrees(join(folder, name, 'expected.json'), `${JSON.stringify(report, null, 2)}\n`);
});

test('in colour it says the same', () => {
  const report = told('routes');
  const colour = planText(report, true);
  expect(colour).toContain('\x1b[32m+ route beta');
  // oxlint-disable-next-line no-control-regex -- it is what is looked for
  expect(colour.replace(/\x1b\[\d+m/g, '')).toBe(planText(report, false));
});

/** A plan as it comes from another process, where secrets are sealed. */
function sent(plan: Plan, seal: (text: string) => string): Plan {
  const { rest, certificates, pools, routes } = JSON.parse(redactedJson(serializePlan(plan), seal)) as SerializedPlan;
  const unwrapping = new PlanDeserializer(rest);
  unwrapping.addCertificates(certificates);
  unwrapping.addPools(pools);
  unwrapping.addRoutes(routes);
  return unwrapping.plan();
}

describe('a plan that comes sealed', () => {
  const configOf = (token: string, body: string): object => ({
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { p: { endpoints: ['10.0.0.1:80'], fallback: { respond: { status: 503, body } } } },
    routes: [
      {
        name: 'r',
        match: {},
        pool: 'p',
        policies: [{ type: 'headers', request: { set: { authorization: token, 'x-a': '1' } } }],
      },
    ],
  });
  const seal = redactor('salt');

  test('tells no text that may be a secret', () => {
    const text = JSON.stringify(sent(planOf(configOf('Bearer abc', 'hello')), seal));
    expect(text).not.toMatch(/Bearer|abc|hello/);
    expect(text).toContain('authorization');
    expect(text).not.toBe(JSON.stringify(sent(planOf(configOf('Bearer abc', 'hello')), redactor('other'))));
  });

  test('is compared by the seals', () => {
    const before = sent(planOf(configOf('Bearer abc', 'hello')), seal);
    const terms = { ...PLAIN, seal };
    expect(diffPlans(before, planOf(configOf('Bearer abc', 'hello')), terms).summary).toBe('');
    const { changes } = diffPlans(before, planOf(configOf('Bearer xyz', 'hello')), terms);
    expect(changes).toMatchObject([
      {
        kind: 'route',
        name: 'r',
        action: 'changed',
        settings: [{ setting: 'policies.headers.request.set.authorization', before: '…', after: 'Bearer xyz' }],
      },
    ]);
    expect(diffPlans(before, planOf(configOf('Bearer abc', 'bye')), terms).summary).toBe('~1 pool');
  });
});

// === random edits: exactly what was edited is named

interface Model {
  readonly listeners: Record<string, { address: string; limits: { connections: number } }>;
  readonly pools: Record<string, { endpoints: { address: string; weight: number }[]; retries: { attempts: number } }>;
  readonly routes: { name: string; match: { path: string }; pool: string }[];
}

const COUNT = 8;

function model(): Model {
  const numbers = Array.from({ length: COUNT }, (_, i) => i);
  return {
    listeners: Object.fromEntries(
      numbers.map((i) => [`l${i}`, { address: `127.0.0.1:${8000 + i}`, limits: { connections: 100 } }]),
    ),
    pools: Object.fromEntries(
      numbers.map((i) => [
        `p${i}`,
        {
          endpoints: [
            { address: `10.0.${i}.1:80`, weight: 1 },
            { address: `10.0.${i}.2:80`, weight: 1 },
          ],
          retries: { attempts: 2 },
        },
      ]),
    ),
    routes: numbers.map((i) => ({ name: `r${i}`, match: { path: `/r${i}` }, pool: `p${i}` })),
  };
}

/** Each leaves its mark on things of its own number; answers with the changes that there must be. */
const EDITS: readonly ((m: Model, i: number) => readonly string[])[] = [
  () => [],
  (m, i) => {
    delete m.listeners[`l${i}`];
    return [`closed listener l${i}`];
  },
  (m, i) => {
    m.listeners[`l${i}`]!.address = `127.0.0.1:${9000 + i}`;
    return [`rebound listener l${i}`];
  },
  (m, i) => {
    m.listeners[`l${i}`]!.limits.connections = 7;
    return [`changed listener l${i}`];
  },
  (m, i) => {
    m.pools[`new${i}`] = structuredClone(m.pools[`p${i}`]!);
    return [`added pool new${i}`];
  },
  (m, i) => {
    m.pools[`p${i}`]!.retries.attempts = 5;
    return [`changed pool p${i}`];
  },
  (m, i) => {
    m.pools[`p${i}`]!.endpoints[0]!.weight = 9;
    return [`changed endpoint p${i}/10.0.${i}.1:80`];
  },
  (m, i) => {
    m.pools[`p${i}`]!.endpoints[1] = { address: `10.1.${i}.1:80`, weight: 1 };
    return [`added endpoint p${i}/10.1.${i}.1:80`, `removed endpoint p${i}/10.0.${i}.2:80`];
  },
  (m, i) => {
    m.pools[`p${i}`]!.endpoints.reverse();
    return [];
  },
  (m, i) => {
    m.routes.splice(
      m.routes.findIndex(({ name }) => name === `r${i}`),
      1,
    );
    return [`removed route r${i}`];
  },
  (m, i) => {
    m.routes.push({ name: `new${i}`, match: { path: `/new${i}` }, pool: `p${i}` });
    return [`added route new${i}`];
  },
  (m, i) => {
    m.routes.find(({ name }) => name === `r${i}`)!.match.path = `/other${i}`;
    return [`changed route r${i}`];
  },
];

const said = ({ changes }: PlanDiff): string[] =>
  changes.map(({ action, kind, name }: Change) => `${action} ${kind} ${name}`).toSorted();

test('random edits: what was edited is named and nothing else, and every claim has one fate', () => {
  const before = planOf(model());
  const edits = fc.array(fc.nat(EDITS.length - 1), { minLength: COUNT, maxLength: COUNT });
  fc.assert(
    fc.property(edits, (kinds) => {
      const edited = model();
      const wanted = kinds.flatMap((kind, i) => EDITS[kind]!(edited, i));
      const after = planOf(edited);
      const diff = diffPlans(before, after);
      expect(said(diff)).toEqual(wanted.toSorted());
      // What the two share makes no difference to it.
      expect(diffPlans(before, handedOver(after, before).plan)).toEqual(diff);
      expect(diff.summary === '').toBe(wanted.length === 0);
      expect(diffPlans(after, after).changes).toEqual([]);
      expect(said(diffPlans(after, before))).toHaveLength(wanted.length);
      expectFates(before, after, diff);
      expect(JSON.parse(JSON.stringify(diff))).toEqual(diff);
    }),
    { numRuns: 60 },
  );
});

function identities(plan: Plan): Map<string, string> {
  const claims = [
    ...plan.listeners.flatMap(({ socket, count }) => [socket, count]),
    ...plan.pools.flatMap(({ claim, endpoints }) => [claim, ...endpoints.map((one) => one.claim)]),
  ];
  return new Map(claims.map(({ kind, name, identity }) => [`${kind} ${name}`, identity]));
}

function expectFates(before: Plan, after: Plan, { state: { counts, changes } }: PlanDiff): void {
  const [old, now] = [identities(before), identities(after)];
  const fates = new Map(changes.map(({ kind, name, fate }) => [`${kind} ${name}`, fate]));
  expect(fates.size).toBe(changes.length);
  const all = new Set([...old.keys(), ...now.keys()]);
  for (const key of all) {
    const same = old.get(key) === now.get(key);
    const fate = !old.has(key) ? ['new'] : !now.has(key) ? ['gone'] : same ? ['tuned', undefined] : ['reset'];
    expect([key, fate.includes(fates.get(key))]).toEqual([key, true]);
  }
  const { kept, ...others } = counts;
  expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(changes.length);
  expect(kept + changes.length).toBe(all.size);
}

test('routes that are shuffled: only as many are moved as must be, and none is said to change what requests get', () => {
  const before = planOf(model());
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(COUNT).keys()], { minLength: COUNT, maxLength: COUNT }), (order) => {
      const edited = model();
      edited.routes.sort((a, b) => order[Number(a.name.slice(1))]! - order[Number(b.name.slice(1))]!);
      const after = planOf(edited);
      const { changes } = diffPlans(before, after);
      expect(diffPlans(before, handedOver(after, before).plan).changes).toEqual(changes);
      for (const { action, kind, order: place } of changes)
        expect([action, kind, place?.effect]).toEqual(['moved', 'route', 'none']);
      expect(changes.length).toBe(COUNT - longestInOrder(edited.routes.map(({ name }) => Number(name.slice(1)))));
    }),
  );
});

/** By trying everything, which may be believed. */
function longestInOrder(list: readonly number[], from = 0, above = -1): number {
  if (from === list.length) return 0;
  const one = list[from]!;
  const without = longestInOrder(list, from + 1, above);
  return one > above ? Math.max(without, 1 + longestInOrder(list, from + 1, one)) : without;
}

describe('ten thousand routes', () => {
  const large = (change: (routes: Model['routes']) => void): Plan => {
    const routes = Array.from({ length: 10_000 }, (_, i) => ({
      name: `r${i}`,
      match: { host: `h${i % 100}.example.com`, path: `/r${i}` },
      policies: [{ type: 'headers', request: { set: { 'x-route': `r${i}` } } }],
      pool: 'p',
    }));
    change(routes);
    return planOf({
      listeners: { web: { address: '127.0.0.1:0' } },
      pools: { p: { endpoints: ['10.0.0.1:80'] } },
      routes,
    });
  };
  const before = large(() => {});

  test.each<[string, (routes: Model['routes']) => void, string]>([
    ['one that is removed is one change', (routes) => routes.splice(5000, 1), '-1 route'],
    ['one that is moved is one change', (routes) => routes.unshift(...routes.splice(9000, 1)), '>1 route'],
    [
      'all of them in reverse are known to be that',
      (routes) => routes.splice(0, 10_000, ...routes.toReversed()),
      '>9999 routes',
    ],
  ])('%s', (_, change, summary) => {
    const after = large(change);
    const { result: diff, ms: took } = costOf(() => diffPlans(before, after));
    expect(diff.summary).toBe(summary);
    expect(took).toBeLessThan(2000);
    if (process.env['SHOW_TIMES'] === '1') process.stderr.write(`${summary}: ${took.toFixed(0)} ms\n`);
  });
});
