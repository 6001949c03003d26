/** Durations and sizes in the form that people write. Cold. */

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

/** Parses `250ms`, `30s`, `5m`, `1h`, `2d` or a bare `0` to milliseconds. null: the text is not a duration. */
export function parseDuration(text: string): number | null {
  return text === '0' ? 0 : parse(text, DURATION);
}

/** Parses `512`, `16KiB`, `8MiB`, `1GB` to bytes. Returns null if the text is not a size. */
export function parseSize(text: string): number | null {
  return parse(text, SIZE);
}

/** Other spellings of a unit, in lower case. */
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

/** Guesses the intended duration of invalid text such as `30`, `30sec` or `1m30s`. Returns undefined if it can't. */
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

/** Guesses the intended size of invalid text such as `10m`, `10Mi` or `10 mb`. Returns undefined if it can't. */
export function nearestSize(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG])(i?)(B?)(?:ytes?)?$/i.exec(text);
  if (match === null) return undefined;
  const [, count = '', letter = '', binary, byte] = match;
  // A single letter means a power of 1024, as in nginx, in HAProxy and in the JVM.
  return `${count}${letter.toUpperCase()}${binary !== '' || byte === '' ? 'i' : ''}B`;
}
