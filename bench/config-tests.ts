/**
 * What a config's own tests cost: `node bench/config-tests.ts [routes] [tests]`. One JSON line: milliseconds to compile the
 * config without its tests, with them, and with one that fails.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileOnce } from '../src/runtime/compile/compile.ts';

const routes = Number(process.argv[2] ?? 1000);
const tests = Number(process.argv[3] ?? 1000);

const folder = mkdtempSync(join(tmpdir(), 'prozy-bench-'));
const file = join(folder, 'gateway.json');

function config(count: number, wrong: boolean): object {
  return {
    version: 1,
    acls: { office: { allow: Array.from({ length: 200 }, (_, i) => `10.0.${i}.0/24`) } },
    pools: { app: { endpoints: ['127.0.0.1:3003', '127.0.0.1:3004'] } },
    listeners: { web: { address: '127.0.0.1:0' } },
    routes: Array.from({ length: routes }, (_, i) => ({
      name: `r${i}`,
      match: { host: `h${i % 50}.example.com`, path: `/p${i}` },
      policies: [
        { type: 'acl', acl: 'office' },
        { type: 'rewrite', prefix: `/p${i}`, replacement: '/' },
      ],
      pool: 'app',
    })),
    tests: Array.from({ length: count }, (_, i) => {
      const at = i % routes;
      return {
        request: { url: `http://h${at % 50}.example.com/p${at}/x`, client: '10.0.1.1', headers: { 'x-a': 'b' } },
        expect: {
          route: wrong && i === 0 ? `r${at + 1}` : `r${at}`,
          pool: 'app',
          path: '/x',
          request_headers: { via: { present: true } },
        },
      };
    }),
  };
}

/** The best of five. */
function compiled(count: number, wrong: boolean): number {
  writeFileSync(file, JSON.stringify(config(count, wrong)));
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    const { plan } = compileOnce(file, {});
    if ((plan === null) !== wrong) throw new Error('not what was expected');
    return performance.now() - started;
  });
  return Math.round(Math.min(...times) * 10) / 10;
}

try {
  const [without, passing, failing] = [compiled(0, false), compiled(tests, false), compiled(tests, true)];
  process.stdout.write(`${JSON.stringify({ routes, tests, without, passing, failing })}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
