/** A few spoilt configs of each format, fed to a gateway under traffic; ten thousand: `node tests/conformance/config-fuzz.ts`. */
import { expect, test } from 'vitest';
import type { Format } from './config-fuzz/generate.ts';
import { fuzzConfigs } from './config-fuzz/run.ts';

const FORMATS: readonly Format[] = ['yaml', 'json', 'json5'];

test.each(FORMATS)(
  'whatever a %s file holds, what was in effect serves on',
  async (format) => {
    const result = await fuzzConfigs({ format, files: 60, seed: 7, first: 0 });
    expect(result.findings).toEqual([]);
    expect([...result.failures]).toEqual([]);
    expect(result.requests).toBeGreaterThan(50);
    const tallies = [...result.kinds.values()];
    expect(tallies.reduce((sum, { files }) => sum + files, 0)).toBe(60);
    expect(tallies.flatMap(({ refused }) => [...refused.values()]).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(30);
    expect(result.code).toBe(0);
  },
  120_000,
);
