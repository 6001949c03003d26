/** Certificates that the gateway obtains by itself: the config, the challenges on its own listeners, what operators see. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/kit/clock.ts';
import { AcmeServer } from '../support/acme-server.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

interface Setting extends AsyncDisposable {
  readonly server: AcmeServer;
  readonly stateDir: string;
  readonly port: number;
  /** A config with a plain and a secure listener. */
  config(tls: object, more?: Record<string, unknown>): Record<string, unknown>;
}

async function setting(): Promise<Setting> {
  const server = await AcmeServer.open(systemClock);
  const origin = await httpOrigin();
  const stateDir = mkdtempSync(join(tmpdir(), 'prozy-state-'));
  const route = { name: 'all', match: { host: ['a.example', 'b.example'] }, pool: 'origin' };
  return {
    server,
    stateDir,
    port: origin.port,
    config: (secure, more = {}) =>
      simpleConfig(origin.port, {
        admin: { address: '127.0.0.1:0' },
        acme: { default: { directory: server.directory, ca: server.trust } },
        listeners: {
          web: { address: '127.0.0.1:0' },
          secure: { address: '127.0.0.1:0', tls: secure },
        },
        routes: [route],
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await origin[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** The authority comes to the gateway's listeners. */
function connect({ server }: Setting, gateway: TestGateway): void {
  server.ports.http = gateway.port('web');
  server.ports.tls = gateway.port('secure');
}

/** The authority waits until the listeners' ports are known. */
async function start(its: Setting, config: Record<string, unknown>): Promise<TestGateway> {
  const gate = Promise.withResolvers<void>();
  its.server.gate = gate.promise;
  const gateway = await testGateway(config, { stateDir: its.stateDir });
  connect(its, gateway);
  gate.resolve();
  return gateway;
}

/** The certificate that a client gets for a name; null: the handshake fails. */
async function certificateFor(gateway: TestGateway, servername: string): Promise<X509Certificate | null> {
  const socket = tls.connect({
    port: gateway.port('secure'),
    host: '127.0.0.1',
    servername,
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate() ?? null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

interface View {
  readonly name: string;
  readonly source: string;
  readonly state: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly renewal: { readonly failures: number; readonly problem: { readonly code: string } | null } | null;
}

async function admin(gateway: TestGateway, path: string, method = 'GET'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${gateway.adminPort()}${path}`, { method });
  const text = await response.text();
  return { status: response.status, body: /^[{[]/.test(text) ? JSON.parse(text) : text };
}

async function views(gateway: TestGateway): Promise<View[]> {
  return (await admin(gateway, '/certificates')).body as View[];
}

/** Looks until it holds of what the page shows. */
async function becomes(gateway: TestGateway, holds: (views: View[]) => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    const seen = await views(gateway);
    if (holds(seen)) return;
    if (performance.now() > end) throw new Error(`waited in vain until ${what}: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const allValid = (seen: View[]): boolean => seen.length > 0 && seen.every(({ state }) => state === 'valid');

test('`acme: default` on a listener: a self-signed certificate at once, then one for each host of its routes', async () => {
  await using its = await setting();
  const gate = Promise.withResolvers<void>();
  its.server.gate = gate.promise;
  await using gateway = await testGateway(its.config({ acme: 'default' }), { stateDir: its.stateDir });
  connect(its, gateway);
  const temporary = (await certificateFor(gateway, 'a.example'))!;
  expect([temporary.subjectAltName, temporary.issuer]).toEqual(['DNS:a.example', 'CN=a.example']);
  expect((await admin(gateway, '/ready')).body).toEqual({
    ready: true,
    state: 'degraded',
    temporary_certificates: ['a.example', 'b.example'],
  });
  expect((await admin(gateway, '/ready?strict')).status).toBe(503);
  gate.resolve();
  await becomes(gateway, allValid, 'both are obtained');
  for (const name of ['a.example', 'b.example']) {
    const found = (await certificateFor(gateway, name))!;
    expect([found.subjectAltName, found.verify(its.server.root.publicKey)]).toEqual([`DNS:${name}`, true]);
  }
  expect((await admin(gateway, '/ready')).body).toEqual({ ready: true, state: 'serving' });
  expect(await views(gateway)).toMatchObject([
    { name: 'a.example', source: 'issued', issuer: 'default', renewal: { failures: 0, problem: null } },
    { name: 'b.example', source: 'issued', issuer: 'default' },
  ]);
  const { body: metrics } = await admin(gateway, '/metrics');
  expect(metrics).toContain('prozy_certificate_attempts_total{issuer="default",result="obtained"} 2');
  expect(metrics).toMatch(/prozy_certificate_not_after_seconds\{certificate="a\.example"\} \d{10}/);
  expect(metrics).toContain('prozy_certificate_temporary{certificate="a.example"} 0');
});

test.each([['http-01'], ['tls-alpn-01']])('%s is answered by the listeners, whatever their acl', async (challenge) => {
  await using its = await setting();
  its.server.challengeTypes = [challenge];
  const acl = 'closed';
  const config = its.config(
    { certificates: ['site'] },
    {
      acls: { closed: { default: 'deny' } },
      certificates: { site: { acme: 'default', names: ['a.example', 'b.example'] } },
      acme: { default: { directory: its.server.directory, ca: its.server.trust, challenges: [challenge] } },
    },
  );
  const listeners = config['listeners'] as Record<string, object>;
  for (const name of Object.keys(listeners)) listeners[name] = { ...listeners[name], acl };
  await using gateway = await start(its, config);
  await becomes(gateway, allValid, 'it is obtained');
  expect((await certificateFor(gateway, 'b.example'))!.subjectAltName).toBe('DNS:a.example, DNS:b.example');
  // Other tokens are for the routes, and other names have no challenge.
  const response = await fetch(`http://127.0.0.1:${gateway.port('web')}/.well-known/acme-challenge/other`);
  expect(response.status).toBe(403);
  const socket = tls.connect({
    port: gateway.port('secure'),
    host: '127.0.0.1',
    servername: 'a.example',
    ALPNProtocols: ['acme-tls/1'],
    rejectUnauthorized: false,
  });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toMatch(/UNRECOGNIZED_NAME/);
  socket.destroy();
});

test('a restart serves what is stored; a renewal reaches the next handshake, and no connection ends', async () => {
  await using its = await setting();
  const config = its.config({ acme: 'default' });
  {
    await using first = await start(its, config);
    await becomes(first, allValid, 'both are obtained');
  }
  const orders = its.server.orders.length;
  await using gateway = await start(its, config);
  expect(allValid(await views(gateway))).toBe(true);
  const before = (await certificateFor(gateway, 'a.example'))!;
  expect(its.server.orders).toHaveLength(orders);
  await using client = await RawClient.secure(gateway.port('secure'), { servername: 'a.example' });
  const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';
  expect((await client.send(get).response()).status).toBe(200);
  expect(await admin(gateway, '/certificates/a.example/renew', 'POST')).toMatchObject({ status: 202 });
  let now = before;
  while (now.serialNumber === before.serialNumber) now = (await certificateFor(gateway, 'a.example'))!;
  expect((await client.send(get).response()).status).toBe(200);
});

test('a reload that asks for more keeps what there is; one that asks for none ends the work', async () => {
  await using its = await setting();
  const certificates = { a: { acme: 'default', names: ['a.example'] } };
  await using gateway = await start(its, its.config({ certificates: ['a'] }, { certificates }));
  await becomes(gateway, allValid, 'it is obtained');
  const { serialNumber } = (await certificateFor(gateway, 'a.example'))!;
  const more = { ...certificates, b: { issuer: 'internal', names: ['b.example', '127.0.0.1'] } };
  await gateway.edit(its.config({ certificates: ['a', 'b'] }, { certificates: more }));
  await becomes(gateway, (seen) => seen.length === 2 && allValid(seen), 'the second is there');
  expect((await certificateFor(gateway, 'a.example'))!.serialNumber).toBe(serialNumber);
  const { body } = await admin(gateway, '/root-certificate');
  const root = (body as { certificate: string }).certificate;
  const internal = (await certificateFor(gateway, 'b.example'))!;
  expect(internal.verify(new X509Certificate(root).publicKey)).toBe(true);
  expect(its.server.orders).toHaveLength(1);
  const plain = its.config({}, {});
  (plain['listeners'] as Record<string, unknown>)['secure'] = { address: '127.0.0.1:0' };
  await gateway.edit(plain);
  expect(await views(gateway)).toEqual([]);
  expect(gateway.running.gateway.certificates.engine).toBe(null);
});

test('a failure is told with the words of the authority, in the log, on the page and in the metrics', async () => {
  await using its = await setting();
  await using gateway = await testGateway(its.config({ acme: 'default' }), { stateDir: its.stateDir });
  await becomes(gateway, (seen) => seen.every(({ renewal }) => renewal!.failures > 0), 'both have failed');
  const [view] = await views(gateway);
  expect(view).toMatchObject({ state: 'temporary', renewal: { problem: { code: 'connection', issuer: 'default' } } });
  const told = gateway.logged.filter(({ event }) => event === 'a certificate could not be obtained');
  const shown = told.map(({ names, code, issuer }) => `${String(names)} ${String(code)} ${String(issuer)}`);
  expect(shown.toSorted()).toEqual(['a.example connection default', 'b.example connection default']);
  expect((await admin(gateway, '/metrics')).body).toContain(
    'prozy_certificate_attempts_total{issuer="default",result="connection"} 2',
  );
});

test('on demand: a name that `ask` allows gets a certificate in its first handshake, others are refused', async () => {
  await using its = await setting();
  const asked: string[] = [];
  const endpoint = http.createServer((request, response) => {
    const name = new URL(request.url!, 'http://a').searchParams.get('domain')!;
    asked.push(name);
    response.writeHead(name.startsWith('good') ? 200 : 403).end();
  });
  await once(endpoint.listen(0, '127.0.0.1'), 'listening');
  const ask = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`;
  await using gateway = await start(its, its.config({ acme: 'default', on_demand: ask }));
  await becomes(gateway, allValid, 'those of the hosts are obtained');
  expect((await certificateFor(gateway, 'good.example'))!.subjectAltName).toBe('DNS:good.example');
  expect(await certificateFor(gateway, 'bad.example')).toBe(null);
  expect((await certificateFor(gateway, 'good.example'))!.subjectAltName).toBe('DNS:good.example');
  expect(asked).toEqual(['good.example', 'bad.example']);
  expect((await views(gateway)).map(({ name, source }) => `${name} ${source}`)).toEqual([
    'a.example issued',
    'b.example issued',
    'good.example on_demand',
  ]);
  await new Promise((resolve) => endpoint.close(resolve));
});

test('a revocation takes a reason, and another certificate follows', async () => {
  await using its = await setting();
  await using gateway = await start(its, its.config({ acme: 'default' }));
  await becomes(gateway, allValid, 'both are obtained');
  const { serialNumber } = (await certificateFor(gateway, 'a.example'))!;
  expect((await admin(gateway, '/certificates/none/revoke', 'POST')).status).toBe(404);
  expect((await admin(gateway, '/certificates/a.example/revoke?reason=x', 'POST')).status).toBe(400);
  expect((await admin(gateway, '/certificates/a.example/revoke?reason=key_compromise', 'POST')).status).toBe(200);
  expect(its.server.revoked).toEqual([{ serial: serialNumber, reason: 1 }]);
  await becomes(gateway, allValid, 'there is another');
  expect((await certificateFor(gateway, 'a.example'))!.serialNumber).not.toBe(serialNumber);
});

test('without a state directory the config can not take effect', async () => {
  await using its = await setting();
  await expect(testGateway(its.config({ acme: 'default' }))).rejects.toThrow('set reload.state_dir');
});

test('a handshake of a challenge carries no request', async () => {
  await using its = await setting();
  its.server.challengeTypes = ['tls-alpn-01'];
  // The authority looks, and does not say so: the challenge stays pending.
  its.server.validationPolls = 1_000_000;
  await using gateway = await start(its, its.config({ acme: 'default' }));
  const { challenges } = gateway.running.gateway.certificates;
  await until(() => challenges.tlsAlpn01('a.example') !== null, 'a challenge is pending');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = tls.connect({
      port: gateway.port('secure'),
      host: '127.0.0.1',
      servername: 'a.example',
      ALPNProtocols: ['acme-tls/1'],
      maxVersion,
      rejectUnauthorized: false,
    });
    let answered = '';
    socket.on('data', (part: Buffer) => (answered += part.toString()));
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await once(socket, 'secureConnect');
    expect([socket.alpnProtocol, socket.getProtocol()]).toEqual(['acme-tls/1', maxVersion]);
    await once(socket, 'close');
    expect(answered).toBe('');
  }
  expect((await admin(gateway, '/metrics')).body).toMatch(
    /prozy_tls_handshakes_total\{listener="secure",result="acme_challenge"\} [234]/,
  );
});
