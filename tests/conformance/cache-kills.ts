/**
 * Kills a gateway with -9 while its cache writes to disk: `node tests/conformance/cache-kills.ts --kills 100`.
 *
 * Ends with 1 if anything was given that is torn or had been taken back.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { kills } from './cache-kills/kills.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, size: { type: 'string', default: '24MiB' } },
});

const path = mkdtempSync(join(tmpdir(), 'prozy-kills-'));
try {
  const result = await kills({
    rounds: Number(values.kills),
    path,
    random: Math.random,
    longest: 600,
    urls: 600,
    maxSize: values.size,
  });
  console.log(result);
  process.exitCode = result.torn + result.cameBack.length > 0 ? 1 : 0;
} finally {
  rmSync(path, { recursive: true, force: true });
}
