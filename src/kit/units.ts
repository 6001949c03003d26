/** Durations and sizes as people write them. Cold. */

const DURATION: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

function parse(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^(\d+(?:\.\d+)?)\s?([A-Za-z]*)$/.exec(text);
  const unit = match?.[2] ?? '';
  if (match === null || !Object.hasOwn(units, unit)) return null;
  return Math.round(Number(match[1]) * units[unit]!);
}

/** `250ms`, `30s`, `5m`, `1h`, `2d` in milliseconds; null: not a duration. A bare `0` is one too. */
export function parseDuration(text: string): number | null {
  return text === '0' ? 0 : parse(text, DURATION);
}

/** `512`, `16KiB`, `8MiB`, `1GB` in bytes; null: not a size. */
export function parseSize(text: string): number | null {
  return parse(text, SIZE);
}

/** Other ways to write a unit, in lower case. */
const SPELLED: Readonly<Record<string, string>> = {
  msec: 'ms',
  msecs: 'ms',
  millis: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
};

/** The duration that was probably meant: `30`, `30sec` and `1m30s` are none. undefined: it can't be told. */
export function nearestDuration(text: string): string | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return `${text}s`;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([A-Za-z]+)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text.replaceAll(/(?<=[A-Za-z])\s+/g, ''))
    return undefined;
  const units = parts.map(([, , unit = '']) => SPELLED[unit.toLowerCase()] ?? unit.toLowerCase());
  if (units.some((unit) => !Object.hasOwn(DURATION, unit))) return undefined;
  if (parts.length === 1) return `${parts[0]![1]}${units[0]}`;
  const ms = parts.reduce((sum, [, count], i) => sum + Number(count) * DURATION[units[i]!]!, 0);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** The size that was probably meant: `10m`, `10Mi` and `10 mb` are none. undefined: it can't be told. */
export function nearestSize(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG])(i?)(B?)(?:ytes?)?$/i.exec(text);
  if (match === null) return undefined;
  const [, count = '', letter = '', binary, byte] = match;
  // A letter alone is of 1024, as in nginx, in HAProxy and in the JVM.
  return `${count}${letter.toUpperCase()}${binary !== '' || byte === '' ? 'i' : ''}B`;
}
