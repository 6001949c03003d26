/** Formats the changes that a config would make for people. Cold. */
import { styleText } from 'node:util';
import type { AccessChange, Change, OrderChange, SettingChange, StateChange, Value } from '../plan/diff/changes.ts';
import { signOf } from '../plan/diff/importance.ts';
import { render } from '../config/problem.ts';
import { forecastText, touchesText } from './plan-live-text.ts';
import type { PlanReport } from './plan-against.ts';
import { shortened, text } from './value-text.ts';

type Paint = (colour: 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', text: string) => string;

/** The limit on lines about persistent state; the rest is counted. */
const MOST_STATES = 20;

export function planText(report: PlanReport, colour: boolean): string {
  // The caller has checked whether the output supports colour.
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const parts = [head(report)];
  if (report.summary === '') parts.push('Nothing would change.');
  else {
    if (report.changes.length > 0) parts.push(report.changes.map((change) => lines(change, paint)).join('\n'));
    parts.push(states(report, paint));
    if (report.live !== null) parts.push(forecastText(report.live));
    parts.push(paint('bold', report.summary));
  }
  if (report.warnings.length > 0) parts.push(paint('yellow', render(report.warnings, new Map())));
  for (const note of report.notes) parts.push(paint('dim', note));
  return parts.join('\n\n');
}

function head({ file, against, generation }: PlanReport): string {
  if (against === null) return `${file}, against nothing`;
  return `${file}, against ${against}${generation === null ? '' : `, generation ${generation}`}`;
}

const COLOURS = { '+': 'green', '-': 'red', '~': 'yellow', '>': 'cyan' } as const;

type Told = PlanReport['changes'][number];

function lines(change: Told, paint: Paint): string {
  const { kind, name, action, settings, access, order, users, used_by: usedBy, effects = [], touches } = change;
  const sign = signOf(action) as keyof typeof COLOURS;
  const what = name === '' ? kind : `${kind} ${name}`;
  const out = [paint(COLOURS[sign], `${sign} ${what} ${VERBS[action]}${place(change)}`)];
  out.push(...accessLines(access, paint));
  if (order !== null) out.push(...orderLines(order, action));
  out.push(...settings.map((setting) => `    ${settingLine(setting, action)}`));
  if (users > 0)
    out.push(`    used by ${usedBy.join(', ')}${users > usedBy.length ? ` and ${users - usedBy.length} more` : ''}`);
  out.push(...effects.map((effect) => `    ${effect}`));
  const touched = touches === null ? '' : touchesText(touches);
  if (touched !== '') out.push(`    touches ${touched}`);
  return out.join('\n');
}

const VERBS: Readonly<Record<Change['action'], string>> = {
  opened: 'is opened',
  closed: 'is closed',
  rebound: 'moves to another address',
  renamed: 'is renamed',
  added: 'is added',
  removed: 'is removed',
  changed: 'is changed',
  renewed: 'is renewed',
  moved: 'is moved',
  disabled: 'is disabled',
  enabled: 'is enabled',
};

function place({ action, order }: Change): string {
  if (order === null || order.after === null) return '';
  const ahead = order.ahead_of === null ? 'at the end' : `before ${order.ahead_of}`;
  if (action === 'added' || action === 'enabled') return ` as number ${order.after}, ${ahead}`;
  return order.before === order.after ? '' : ` from number ${order.before ?? 0} to ${order.after}, ${ahead}`;
}

function accessLines(access: AccessChange | null, paint: Paint): string[] {
  if (access === null) return [];
  return [
    ...access.loosened.map((one) => `    ${paint('red', '! loosened')}: ${one}`),
    ...access.tightened.map((one) => `    ${paint('cyan', '! tightened')}: ${one}`),
  ];
}

function orderLines({ effect, takes_from: takes, gives_to: gives, unrouted }: OrderChange, action: string): string[] {
  const out: string[] = [];
  if (takes.length > 0) out.push(`    takes requests from ${takes.join(', ')}`);
  if (gives.length > 0)
    out.push(`    its requests go to ${gives.join(', ')}${unrouted ? ', others find no route' : ''}`);
  else if (unrouted) out.push('    its requests find no route: 404');
  if (effect === 'unknown') out.push('    what that means for requests is not known: there are too many routes');
  if (effect === 'none' && action === 'moved') out.push('    no request is served otherwise');
  return out;
}

/** With these actions, settings have a value either before or after, not both. */
const WHOLE: ReadonlySet<string> = new Set(['opened', 'closed', 'added', 'removed', 'disabled', 'enabled']);

function settingLine({ setting, before, after, unit }: SettingChange, action: Change['action']): string {
  if (WHOLE.has(action)) return `${setting}  ${text(before ?? after, unit)}`;
  if (Array.isArray(before) && Array.isArray(after)) return `${setting}  ${listChange(before, after)}`;
  return `${setting}  ${text(before, unit)} → ${text(after, unit)}`;
}

function listChange(before: readonly Value[], after: readonly Value[]): string {
  const [old, now] = [before.map((one) => text(one)), after.map((one) => text(one))];
  const gone = old.filter((one) => !now.includes(one)).map((one) => `-${one}`);
  const come = now.filter((one) => !old.includes(one)).map((one) => `+${one}`);
  if (gone.length + come.length === 0) return `${old.join(', ')} → ${now.join(', ')}`;
  return shortened([...gone, ...come].join(' '));
}

function states({ state: { counts, changes } }: PlanReport, paint: Paint): string {
  const { kept, tuned, reset, new: born, gone } = counts;
  const out = [`State: ${kept} kept as it is, ${tuned} tuned, ${reset} reset, ${born} new, ${gone} gone`];
  const told = changes.filter(({ fate }) => fate === 'reset' || fate === 'tuned');
  const order = told.toSorted((a, b) => (a.fate === b.fate ? 0 : a.fate === 'reset' ? -1 : 1));
  out.push(...order.slice(0, MOST_STATES).map((one) => stateLine(one, paint)));
  if (told.length > MOST_STATES) out.push(`    and ${told.length - MOST_STATES} more`);
  return out.join('\n');
}

function stateLine({ fate, kind, name, because }: StateChange, paint: Paint): string {
  const word = fate === 'reset' ? paint('red', fate) : fate;
  return `    ${word}  ${kind} ${name}${because.length === 0 ? '' : `, by ${because.join(', ')}`}`;
}
