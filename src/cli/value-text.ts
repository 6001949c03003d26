/** Formats values of settings for people. Cold. */
import type { Value } from '../plan/diff/changes.ts';

/** The limit on a value's length, in characters. */
const WIDEST = 120;

export function shortened(long: string): string {
  return long.length > WIDEST ? `${long.slice(0, WIDEST)}…` : long;
}

export function text(value: Value, unit?: 'ms' | 'bytes'): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return unit === undefined ? String(value) : withUnit(value, unit);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return shortened(value === '' ? '""' : value);
  if (Array.isArray(value)) return shortened(`[${value.map((one: Value) => text(one)).join(', ')}]`);
  const entries = Object.entries(value).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0));
  if (entries.length === 0) return 'everything';
  return shortened(`{ ${entries.map(([key, one]) => `${key}: ${text(one)}`).join(', ')} }`);
}

const UNITS = {
  ms: [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ],
  bytes: [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
    ['B', 1],
  ],
} as const;

/** Uses the largest unit that divides the value. */
export function withUnit(value: number, unit: 'ms' | 'bytes'): string {
  if (value === 0) return '0';
  const [name, size] = UNITS[unit].find(([, one]) => value % one === 0) ?? UNITS[unit][3];
  return `${value / size}${name}`;
}
