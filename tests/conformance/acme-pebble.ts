/**
 * A whole gateway that obtains its certificates from pebble, Let's Encrypt's test authority:
 * `node tests/conformance/acme-pebble.ts [--pebble PROGRAM]`.
 *
 * pebble refuses one of four good nonces, sleeps up to three seconds before it validates, and checks every message
 * strictly. Needs Debian's package pebble; says so and fails if it is missing. What this pebble does not have (renewal
 * information and profiles came with 2.5 and 2.7) is listed as not tested, never as passed.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { type RunningGateway, startGateway } from '../../src/admin/start.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Log } from '../../src/observe/log.ts';
import { certificateViews } from '../../src/runtime/views/certificates.ts';
import { EAB_KEYS, Pebble } from './acme-pebble/pebble.ts';

const { values } = parseArgs({ options: { pebble: { type: 'string', default: '/usr/bin/pebble' } } });
if (!existsSync(values.pebble) || !existsSync('/usr/bin/pebble-challtestsrv')) {
  console.error('pebble is missing: apt-get install pebble');
  process.exit(1);
}

let failed = 0;
let missing = 0;

async function check(name: string, act: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  try {
    await act();
    console.log(`well        ${name} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAILED      ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function notTested(name: string): void {
  missing++;
  console.log(`NOT TESTED  ${name}: this pebble does not have it`);
}

function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

const folder = mkdtempSync(join(tmpdir(), 'prozy-acme-'));
const file = join(folder, 'gateway.json');
const logged: string[] = [];

async function start(config: object, name = 'gateway.json'): Promise<RunningGateway> {
  writeFileSync(join(folder, name), JSON.stringify(config));
  return startGateway(join(folder, name), {
    stateDir: join(folder, 'state'),
    log: new Log(systemClock, (line) => logged.push(line)),
  });
}

async function edit({ gateway }: RunningGateway, config: object): Promise<void> {
  const before = gateway.current?.generation;
  writeFileSync(file, JSON.stringify(config));
  await until(() => gateway.current?.generation !== before, 10_000, 'the edit is in effect');
}

async function until(done: () => boolean, ms: number, what: string): Promise<void> {
  const end = performance.now() + ms;
  while (!done()) {
    if (performance.now() > end)
      throw new Error(`waited in vain until ${what}; the log ends with ${logged.slice(-3).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const stateOf = ({ gateway }: RunningGateway, name: string): string =>
  certificateViews(gateway).find((one) => one.name === name)?.state ?? 'absent';

function valid(running: RunningGateway, name: string, ms = 60_000): Promise<void> {
  return until(() => stateOf(running, name) === 'valid', ms, `${name} is obtained`);
}

/** The chain that a client gets; rejects where the handshake fails. */
async function handshake(port: number, servername: string): Promise<X509Certificate> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()!;
  } finally {
    socket.destroy();
  }
}

const endpoint = http.createServer((request, response) => {
  response.writeHead(request.url!.includes('domain=allowed') ? 200 : 403).end();
});
await once(endpoint.listen(0, '127.0.0.1'), 'listening');
const ask = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`;

const options = {
  program: values.pebble,
  environment: {
    PEBBLE_WFE_NONCEREJECT: '25',
    PEBBLE_VA_SLEEPTIME: '3',
    PEBBLE_ALTERNATE_ROOTS: '1',
    PEBBLE_AUTHZREUSE: '0',
  },
};
{
  await using pebble = await Pebble.start(options);
  const acme = { directory: pebble.directory, ca: pebble.trust };
  const config = (names: Record<string, object>, issuers: Record<string, object> = {}, secure: object = {}) => ({
    version: 1,
    acme: { default: acme, ...issuers },
    certificates: names,
    listeners: {
      web: { address: `127.0.0.1:${pebble.httpPort}` },
      secure: { address: `127.0.0.1:${pebble.tlsPort}`, tls: { certificates: Object.keys(names), ...secure } },
    },
    routes: [{ name: 'all', match: {}, respond: { status: 200, body: 'here' } }],
  });
  const first = { site: { acme: 'default', names: ['site.example'] } };
  let running = await start(config(first));
  const port = pebble.tlsPort;
  await check('the first certificate within 10 s of the first start', () => valid(running, 'site', 10_000));
  await check('it is of pebble, for the name, and the chain holds', async () => {
    const leaf = await handshake(port, 'site.example');
    holds(leaf.checkHost('site.example') !== undefined, 'it is for another name');
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'site.example', ca: await pebble.root() });
    await once(socket, 'secureConnect');
    socket.destroy();
  });
  await check('a restart serves it without an order', async () => {
    const { serialNumber } = await handshake(port, 'site.example');
    await running.close(0);
    running = await start(config(first));
    holds(stateOf(running, 'site') === 'valid', 'it is not there at once');
    holds((await handshake(port, 'site.example')).serialNumber === serialNumber, 'it is another');
  });
  const all = {
    ...first,
    http: { acme: 'by-http', names: ['a.example', 'b.example', '127.0.0.1'] },
    alpn: { acme: 'by-alpn', names: ['c.example', 'd.example', '127.0.0.1'] },
    dns: { acme: 'by-dns', names: ['*.e.example', 'e.example'] },
    rsa: { acme: 'rsa', names: ['f.example'] },
    chain: { acme: 'chain', names: ['g.example'] },
    second: { acme: ['broken', 'default'], names: ['h.example'] },
  };
  const other = new X509Certificate(await pebble.root(1));
  const commonName = /CN=(.*)/.exec(other.subject)![1]!;
  const issuers = {
    'by-http': { ...acme, challenges: ['http-01'] },
    'by-alpn': { ...acme, challenges: ['tls-alpn-01'] },
    'by-dns': { ...acme, dns: { webhook: pebble.hook, wait: '100ms' } },
    rsa: { ...acme, key_type: 'rsa2048' },
    chain: { ...acme, preferred_chain: commonName, key_type: 'p384' },
    broken: { ...acme, directory: 'https://127.0.0.1:1/dir' },
  };
  await edit(running, config(all, issuers));
  const what = {
    http: 'HTTP-01, names and an address',
    alpn: 'TLS-ALPN-01, names and an address',
    dns: 'DNS-01, a wildcard and its base',
    rsa: 'an RSA key',
    chain: 'a P-384 key, and the chain of another root',
    second: 'the second issuer, where the first is away',
  };
  for (const [name, about] of Object.entries(what)) await check(about, () => valid(running, name));
  await check('that other root is the end of the chain', async () => {
    const chosen = tls.connect({ port, host: '127.0.0.1', servername: 'g.example', ca: other.toString() });
    await once(chosen, 'secureConnect');
    chosen.destroy();
  });
  await check('a renewal under load: no handshake fails, no connection ends, the new one is used', async () => {
    const key = certificateViews(running.gateway).find(({ name }) => name === 'site')!.key!;
    const before = (await handshake(port, 'site.example')).serialNumber;
    const kept = tls.connect({ port, host: '127.0.0.1', servername: 'site.example', rejectUnauthorized: false });
    await once(kept, 'secureConnect');
    let [handshakes, broken, renewed, answers] = [0, 0, false, 0];
    kept.on('data', () => answers++);
    kept.on('close', () => broken++);
    running.gateway.certificates.renew(key);
    const client = async (): Promise<void> => {
      while (!renewed) {
        try {
          renewed ||= (await handshake(port, 'site.example')).serialNumber !== before;
          handshakes++;
        } catch {
          broken++;
        }
      }
    };
    const asking = setInterval(() => kept.write('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n'), 20);
    await Promise.all([client(), client(), client(), client()]);
    clearInterval(asking);
    holds(broken === 0, `${broken} of ${handshakes} failed`);
    kept.destroy();
    console.log(`            ${handshakes} handshakes, ${answers} responses on the kept connection`);
    holds(handshakes > 50 && answers > 5, 'there was no load');
  });
  await check('a revocation, which another certificate follows', async () => {
    const { serialNumber } = await handshake(port, 'f.example');
    holds((await pebble.statusOf(serialNumber)) === 'Valid', 'pebble does not know it');
    const key = certificateViews(running.gateway).find(({ name }) => name === 'rsa')!.key!;
    const wrong = await running.gateway.certificates.revoke(key, 1);
    holds(wrong === '', wrong);
    holds((await pebble.statusOf(serialNumber)) === 'Revoked', 'pebble has not revoked it');
    await valid(running, 'rsa');
    holds((await handshake(port, 'f.example')).serialNumber !== serialNumber, 'it is still the old one');
  });
  await edit(running, config(all, issuers, { acme: 'default', on_demand: { ask, wait: '30s' } }));
  await check('on demand, a name that the endpoint allows', async () => {
    holds((await handshake(port, 'allowed.example')).checkHost('allowed.example') !== undefined, 'it is another');
  });
  await check('on demand, a name that it refuses', async () => {
    const refused = await handshake(port, 'refused.example').then(
      () => 'it was served',
      (error: NodeJS.ErrnoException) => error.code ?? '',
    );
    holds(/UNRECOGNIZED_NAME/.test(refused), refused);
  });
  await check('pebble forgets everything: the account is registered again', async () => {
    await pebble.stop();
    await pebble.run();
    const key = certificateViews(running.gateway).find(({ name }) => name === 'site')!.key!;
    const { serialNumber } = await handshake(port, 'site.example');
    running.gateway.certificates.renew(key);
    const end = performance.now() + 60_000;
    while ((await handshake(port, 'site.example')).serialNumber === serialNumber) {
      holds(performance.now() < end, `it is not renewed: ${logged.slice(-2).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  const { renewalInfo, profiles } = await pebble.features();
  if (renewalInfo)
    await check('renewal information', async () => {
      const suggested = (): boolean =>
        certificateViews(running.gateway).some(({ name, renewal }) => name === 'site' && renewal?.suggested != null);
      await until(suggested, 30_000, 'a window is suggested');
    });
  else notTested('renewal information');
  const [profile] = profiles;
  if (profile === undefined) notTested('profiles');
  else
    await check(`the profile ${profile}`, async () => {
      const profiled = { p: { acme: 'profiled', names: ['p.example'] } };
      await edit(running, config(profiled, { profiled: { ...acme, profile } }));
      await valid(running, 'p');
    });
  await running.close(0);
}
{
  const settings = { externalAccountBindingRequired: true, externalAccountMACKeys: EAB_KEYS };
  await using pebble = await Pebble.start({ ...options, settings });
  const [[kid, key]] = Object.entries(EAB_KEYS) as [[string, string]];
  const running = await start({
    version: 1,
    acme: { default: { directory: pebble.directory, ca: pebble.trust, eab: { kid, hmac_key: key } } },
    certificates: { site: { acme: 'default', names: ['eab.example'] } },
    listeners: {
      web: { address: `127.0.0.1:${pebble.httpPort}` },
      secure: { address: `127.0.0.1:${pebble.tlsPort}`, tls: { certificates: ['site'] } },
    },
    routes: [{ name: 'all', match: {}, respond: { status: 200 } }],
  });
  await check('an external account', () => valid(running, 'site'));
  await running.close(0);
}
{
  await using pebble = await Pebble.start(options);
  const acme = { directory: pebble.directory, ca: pebble.trust };
  const config = (ports: readonly [number, number], certificates: Record<string, object>) => ({
    version: 1,
    acme: { http: { ...acme, challenges: ['http-01'] }, alpn: { ...acme, challenges: ['tls-alpn-01'] } },
    certificates,
    listeners: {
      web: { address: `127.0.0.1:${ports[0]}` },
      secure: { address: `127.0.0.1:${ports[1]}`, tls: { certificates: Object.keys(certificates) } },
    },
    routes: [{ name: 'all', match: {}, respond: { status: 200 } }],
  });
  // One stands where pebble comes to; the other, which makes the orders, can't be reached by it.
  const own = { own: { issuer: 'internal', names: ['own.example'] } };
  const reached = await start(config([pebble.httpPort, pebble.tlsPort], own));
  const issued = {
    http: { acme: 'http', names: ['i.example'] },
    alpn: { acme: 'alpn', names: ['j.example'] },
  };
  const ordering = await start(config([0, 0], issued), 'another.json');
  for (const name of Object.keys(issued))
    await check(`another gateway with the same store answers, ${name}`, () => valid(ordering, name));
  await ordering.close(0);
  await reached.close(0);
}
await new Promise((resolve) => endpoint.close(resolve));
rmSync(folder, { recursive: true, force: true });
console.log(`${failed} failed${missing === 0 ? '' : `, ${missing} not tested`}`);
process.exit(failed > 0 ? 1 : 0);
