/** Compares history entries with each other, the current config and files. Cold; for commands/diff.ts. */
import { dirname } from 'node:path';
import { ConfigError } from '../config/problem.ts';
import type { HistoryStore } from '../history/store.ts';
import { diffPlans } from '../plan/diff.ts';
import { redactor } from '../plan/redact.ts';
import type { Plan } from '../plan/types.ts';
import { askPlan } from './ask-plan.ts';
import { discreet, type Environment, type PlanReport } from './plan-against.ts';
import { planFile } from './plan-file.ts';

/** The location of the entries: a gateway's admin listener or a store on disk. */
export type HistoryAt = string | HistoryStore;

interface Side {
  readonly name: string;
  readonly plan: Plan;
  readonly folder: string;
  readonly secrets: readonly string[];
  /** null if the plan's texts are not redacted. */
  readonly salt: string | null;
  readonly refers: boolean;
}

/** Returns an error text on failure; '' if the error has already been printed. */
export async function compareHistory(
  from: string,
  to: string,
  at: HistoryAt,
  env: Environment,
): Promise<PlanReport | string> {
  const before = await sideOf(from, at, env);
  if (typeof before === 'string') return before;
  const after = await sideOf(to, at, env);
  if (typeof after === 'string') return after;
  const salt = before.salt ?? after.salt;
  const terms = {
    folders: [before.folder, after.folder] as const,
    seal: salt === null ? (text: string) => text : redactor(salt),
    discreet: discreet(before, after),
  };
  const diff = diffPlans(before.plan, after.plan, terms);
  const changes = diff.changes.map((change) => ({ ...change, touches: null }));
  const notes = before.refers || after.refers ? [REFERENCES] : [];
  return {
    file: after.name,
    against: before.name,
    generation: null,
    warnings: [],
    notes,
    live: null,
    ...diff,
    changes,
  };
}

const REFERENCES = 'References are compared as they are written; both sides use their current values.';

async function sideOf(which: string, at: HistoryAt, env: Environment): Promise<Side | string> {
  if (/^\d{1,15}$/.test(which))
    return typeof at === 'string' ? askedSide(which, at) : storedSide(Number(which), at, env);
  if (which === 'running') {
    if (typeof at !== 'string') return 'the gateway knows the running config: --admin gives its address';
    return askedSide(which, at);
  }
  const planned = planFile(which, env);
  return planned instanceof ConfigError ? planned.report : { name: which, salt: null, ...planned };
}

async function askedSide(which: string, admin: string): Promise<Side | string> {
  const running = which === 'running';
  const asked = await askPlan(admin, running ? '/plan' : `/history/${which}/plan`);
  if (typeof asked === 'string') return asked;
  const { plan, folder, salt } = asked;
  return { name: running ? admin : `entry ${which}`, plan, folder, salt, secrets: [], refers: false };
}

async function storedSide(number: number, store: HistoryStore, env: Environment): Promise<Side | string> {
  const entry = await store.find(number);
  if (entry === null) return `there is no entry ${number} in ${store.path}`;
  const planned = planFile(store.file, env, await store.read(entry));
  if (planned instanceof ConfigError) return planned.report;
  return { name: `entry ${number}`, ...planned, folder: dirname(store.file), salt: null };
}
