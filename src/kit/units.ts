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
