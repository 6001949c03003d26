/** The short form of tests/conformance/cache-kills.ts. */
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kills } from '../conformance/cache-kills/kills.ts';
import { place } from '../support/disk.ts';

test('killed while it writes to disk, it gives nothing afterwards that is torn or was taken back', async () => {
  using at = place();
  mkdirSync(at.path);
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const result = await kills({ rounds: 5, path: at.path, random, longest: 400, urls: 120, maxSize: '8MiB' });
  expect(result).toMatchObject({ torn: 0, cameBack: [], corrupt: 0 });
  expect(result.fromDisk).toBeGreaterThan(50);
  expect(result.takenBack).toBeGreaterThan(0);
}, 120_000);
