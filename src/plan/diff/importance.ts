/** Orders changes by importance, and summarizes them in one line. Cold. */
import type { Action, Change } from './changes.ts';

const KINDS = ['listener', 'admin', 'acl', 'realm', 'certificate', 'route', 'pool', 'endpoint'];
const ACTIONS: readonly Action[] = [
  'closed',
  'rebound',
  'renamed',
  'opened',
  'removed',
  'disabled',
  'changed',
  'renewed',
  'added',
  'enabled',
  'moved',
];

/** Access comes first, then removals, changes and additions; last, changes without effect. */
function rank({ access, action, kind, order }: Change): number {
  const access_ = access === null ? 2 : access.effect === 'tightened' ? 1 : 0;
  const idle = action === 'moved' && order?.effect === 'none' ? 1 : 0;
  const place = KINDS.includes(kind) ? KINDS.indexOf(kind) : KINDS.length;
  return idle * 10_000 + access_ * 1000 + ACTIONS.indexOf(action) * 100 + place;
}

/** Changes of the same rank keep their order. */
export function inOrderOfImportance(changes: readonly Change[]): Change[] {
  return changes.toSorted((a, b) => rank(a) - rank(b));
}

const SIGNS: Readonly<Record<Action, string>> = {
  opened: '+',
  closed: '-',
  rebound: '~',
  renamed: '~',
  added: '+',
  removed: '-',
  changed: '~',
  renewed: '~',
  moved: '>',
  disabled: '-',
  enabled: '+',
};

export function signOf(action: Action): string {
  return SIGNS[action];
}

/** For example `+1 route, ~2 pools, 1 state reset`. */
export function summaryOf(changes: readonly Change[], resets: number): string {
  const counts = new Map<string, number>();
  const loosened = changes.filter(({ access }) => access !== null && access.effect !== 'tightened').length;
  for (const { kind, name, action } of changes) {
    // A part that exists only once is not counted.
    const key = name === '' ? `${signOf(action)}${kind}` : `${signOf(action)} ${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const parts = [...counts].map(([key, count]) => {
    const [sign = '', kind] = key.split(' ');
    if (kind === undefined) return sign;
    return `${sign}${count} ${kind}${count === 1 ? '' : 's'}`;
  });
  if (resets > 0) parts.push(`${resets} state${resets === 1 ? '' : 's'} reset`);
  if (loosened > 0) parts.push('access loosened');
  return parts.join(', ');
}
