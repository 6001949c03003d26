/** Certificates in diffs and between processes: told by name and validity, never sent twice, and no key is shown. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diffPlans } from '../../src/plan/diff.ts';
import type { PlanDiff } from '../../src/plan/diff/changes.ts';
import { PLAIN } from '../../src/plan/diff/reading.ts';
import { redactor } from '../../src/plan/redact.ts';
import { PlanDeserializer, type SerializedPlan } from '../../src/plan/serialized-plan.ts';
import type { Plan } from '../../src/plan/types.ts';
import { compileOnce } from '../../src/runtime/compile/compile.ts';
import { shownPlan } from '../../src/runtime/views/redacted-plan.ts';
import { certificatePath, pem } from '../support/certificates.ts';
import { handedOver } from './handed-over.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function place(pair: string, as: string): void {
  for (const end of ['pem', 'key']) copyFileSync(certificatePath(`${pair}.${end}`), join(folder, `${as}.${end}`));
}

function planNow(more = ''): Plan {
  const file = join(folder, 'gateway.yaml');
  const listener = 'web: { address: "127.0.0.1:0", tls: { certificates: [all] } }';
  writeFileSync(file, `version: 1\ncertificates:\n  all: { dir: . }\nlisteners:\n  ${listener}\n${more}`);
  return compileOnce(file, {}).plan!;
}

/** The plan as a command gets it from the admin listener, and the text of the page. */
function shown(plan: Plan): { readonly plan: Plan; readonly salt: string; readonly text: string } {
  const text = [...shownPlan(plan, {})].join('');
  const page = JSON.parse(text) as { salt: string; plan: SerializedPlan };
  const unwrapping = new PlanDeserializer(page.plan.rest);
  unwrapping.addCertificates(page.plan.certificates);
  unwrapping.addPools(page.plan.pools);
  unwrapping.addRoutes(page.plan.routes);
  return { plan: unwrapping.plan(), salt: page.salt, text };
}

function inShort({ changes }: PlanDiff): object[] {
  return changes.map(({ kind, name, action, settings, users }) => ({
    what: `${kind} ${name} ${action}`,
    settings: settings.map(({ setting }) => setting),
    users,
  }));
}

test('a renewed certificate is told as such, also by a running gateway, and no text of it is shown', () => {
  place('site', 'site');
  const before = planNow();
  place('renewed', 'site');
  const after = planNow();
  const expected = [{ what: 'certificate all/site renewed', settings: [], users: 1 }];
  const diff = diffPlans(before, after);
  expect(inShort(diff)).toEqual(expected);
  expect(diff.changes[0]!.effects).toEqual([expect.stringMatching(/^valid until 2126-/)]);
  expect(diff.summary).toBe('~1 certificate');
  const running = shown(before);
  expect(inShort(diffPlans(running.plan, after, { ...PLAIN, seal: redactor(running.salt) }))).toEqual(expected);
  expect(inShort(diffPlans(running.plan, before, { ...PLAIN, seal: redactor(running.salt) }))).toEqual([]);
  for (const text of [running.text, JSON.stringify(diff)]) {
    expect(text).not.toContain('BEGIN ');
    expect(text).not.toContain(pem('site.key').split('\n')[1]);
  }
});

test('a pair of a folder that can no longer be used is no change: its last version stays in effect', () => {
  place('site', 'site');
  place('shop', 'shop');
  const before = planNow();
  copyFileSync(certificatePath('site.key'), join(folder, 'shop.key'));
  expect(inShort(diffPlans(before, planNow()))).toEqual([]);
});

test('only new certificates are sent between processes; the others are the same objects', () => {
  place('site', 'site');
  place('shop', 'shop');
  const before = planNow();
  place('renewed', 'site');
  const renewed = handedOver(planNow(), before);
  expect(renewed.fresh).toBe(1);
  expect(renewed.plan.certificates[0]).toBe(before.certificates[0]);
  expect(renewed.plan.certificates[1]).toMatchObject({ name: 'all/site', subject: 'CN=renewed' });
  const edited = handedOver(planNow('logging: { level: debug }\n'), renewed.plan);
  expect(edited.fresh).toBe(0);
  expect(edited.plan.certificates).toEqual(renewed.plan.certificates);
});
