/**
 * A thousand renewed certificates and a thousand unrelated reloads under TLS load:
 * `node tests/conformance/renewals.ts --renewals 1000 --reloads 1000 --clients 2`. Ends with 1 if a handshake failed, a
 * connection was cut, or a ticket no longer resumes.
 */
import { parseArgs } from 'node:util';
import { runRenewals } from './renewals/run.ts';

const { values } = parseArgs({
  options: {
    renewals: { type: 'string', default: '1000' },
    reloads: { type: 'string', default: '1000' },
    clients: { type: 'string', default: '2' },
  },
});

const run = await runRenewals({
  renewals: Number(values.renewals),
  reloads: Number(values.reloads),
  clients: Number(values.clients),
});
const { handshakes, failed, requests, cut, seen, resumed, refused } = run;
const at = (part: number): string =>
  `${Math.round(seen[Math.min(seen.length - 1, Math.floor(part * seen.length))] ?? 0)} ms`;
console.log(`${handshakes} handshakes, ${failed.length} failed ${[...new Set(failed)].join('; ')}`);
console.log(`${requests} requests on kept connections, ${cut.length} cut ${[...new Set(cut)].join('; ')}`);
console.log(`new certificate seen after: median ${at(0.5)}, p99 ${at(0.99)}, at most ${at(1)}`);
console.log(`half new pairs refused: ${refused}; a session from before resumes: ${resumed}`);
process.exitCode = failed.length + cut.length === 0 && resumed ? 0 : 1;
