/** TLS to backends: whom the gateway trusts, what it says of the others, sessions, and settings that change. */
import { createHash, X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { certificatePath, pair, pem } from '../support/certificates.ts';
import { endpointOf, testGateway, until } from '../support/gateway.ts';
import { rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get, getJson } from '../support/requests.ts';
import { tlsOrigin } from '../support/tls-origin.ts';

const CA = certificatePath('ca.pem');

/** `settings`: of the pool, over `tls`. */
function config(port: number, tls: unknown, settings: object = {}, more: object = {}): Record<string, unknown> {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    certificates: { client: pair('client') },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { origin: { endpoints: [`127.0.0.1:${port}`], tls, ...settings } },
    routes: [{ name: 'all', match: {}, pool: 'origin' }],
    ...more,
  };
}

interface Backend {
  readonly state: string;
  readonly last_error: string;
  readonly last_error_detail: string;
}

function pinOf(file: string): string {
  const der = new X509Certificate(pem(file)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64');
}

test('a verified backend: its IP address is in the certificate, no server name is sent, sessions are resumed', async () => {
  await using origin = await tlsOrigin('site');
  await using gateway = await testGateway(config(origin.port, { ca: CA }, { keepalive: { connections: 0 } }));
  for (let i = 0; i < 3; i++) expect(await get(gateway.port())).toMatchObject({ status: 200, body: 'site' });
  expect(origin.connections.map(({ name, resumed, socket }) => [name, resumed, socket.alpnProtocol])).toEqual([
    ['', false, 'http/1.1'],
    ['', true, 'http/1.1'],
    ['', true, 'http/1.1'],
  ]);
  const { body } = await get(gateway.adminPort(), '/metrics');
  const label = `pool="origin",endpoint="127.0.0.1:${origin.port}"`;
  expect(body).toContain(`prozy_upstream_tls_handshakes_total{${label},result="full"} 1\n`);
  expect(body).toContain(`prozy_upstream_tls_handshakes_total{${label},result="resumed"} 2\n`);
});

test('connections are kept and used again', async () => {
  await using origin = await tlsOrigin('site');
  await using gateway = await testGateway(config(origin.port, { ca: CA, server_name: 'SITE.example' }));
  for (let i = 0; i < 3; i++) expect((await get(gateway.port())).status).toBe(200);
  expect(origin.connections.map(({ name }) => name)).toEqual(['site.example']);
});

test.each([
  ['TLSv1.2', 'a wildcard', 'wildcard', { server_name: 'a.example.com' }],
  ['TLSv1.3', 'a wildcard', 'wildcard', { server_name: 'a.example.com' }],
  ['TLSv1.2', 'a pinned key', 'site', { pins: [pinOf('shop.pem'), pinOf('site.pem')] }],
  ['TLSv1.3', 'an unverified name', 'shop', { verify: false }],
  ['TLSv1.3', 'an unverified but pinned key', 'expired', { verify: false, pins: [pinOf('expired.pem')] }],
] as const)('%s, %s is accepted, and its sessions are resumed', async (version, _, certificate, settings) => {
  await using origin = await tlsOrigin(certificate, { maxVersion: version });
  const tls = 'verify' in settings ? settings : { ca: CA, ...settings };
  await using gateway = await testGateway(config(origin.port, tls, { keepalive: { connections: 0 } }));
  for (let i = 0; i < 2; i++) expect(await get(gateway.port())).toMatchObject({ status: 200, body: certificate });
  expect(origin.connections.map(({ resumed, version: used }) => [resumed, used])).toEqual([
    [false, version],
    [true, version],
  ]);
});

test('an intermediate certificate alone may be the CA', async () => {
  await using origin = await tlsOrigin('site');
  const intermediate = pem('site.pem').match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g)![1]!;
  const more = { server_name: 'site.example' };
  await using gateway = await testGateway(config(origin.port, { ca: '${env:CA}', ...more }), {
    env: { CA: intermediate },
  });
  expect((await get(gateway.port())).status).toBe(200);
});

const NAMES = 'DNS:localhost, DNS:site.example, IP Address:127.0.0.1';

test.each([
  ['the roots of the system', 'site', true, 'tls_untrusted', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['another CA', 'site', { ca: certificatePath('other-ca.pem') }, 'tls_untrusted', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ['an expired certificate', 'expired', { ca: CA }, 'tls_expired', 'CERT_HAS_EXPIRED'],
  [
    'another name',
    'site',
    { ca: CA, server_name: 'a.example' },
    'tls_name_mismatch',
    `a.example is not among ${NAMES}`,
  ],
  ['another IP address', 'site', { ca: CA, server_name: '::1' }, 'tls_name_mismatch', `::1 is not among ${NAMES}`],
  ['a name in the subject', 'site', { ca: CA, server_name: 'site' }, 'tls_name_mismatch', `site is not among ${NAMES}`],
  ['two labels', 'wildcard', { ca: CA, server_name: 'a.b.example.com' }, 'tls_name_mismatch', 'a.b.example.com is not'],
  ['another key', 'site', { ca: CA, pins: [pinOf('shop.pem')] }, 'tls_pin_mismatch', pinOf('site.pem')],
] as const)('%s: the request is not sent, and only the log says why', async (_, certificate, tls, code, detail) => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const log = join(folder, 'access.log');
  try {
    await using origin = await tlsOrigin(certificate);
    let requests = 0;
    origin.answer = (_request, response) => {
      requests++;
      response.end();
    };
    const logging = { access: { path: log } };
    await using gateway = await testGateway(config(origin.port, tls, {}, { logging }));
    const { status, body, headers } = await get(gateway.port());
    expect([status, requests]).toEqual([502, 0]);
    expect(body + JSON.stringify(headers)).not.toMatch(/tls|example|CERT/i);
    const [backend] = await getJson<Backend[]>(gateway.adminPort(), '/backends');
    expect(backend).toMatchObject({ state: 'failing', last_error: code });
    expect(backend!.last_error_detail).toContain(detail);
    const line = gateway.logged.find(({ reason }) => reason === code);
    expect(String(line!['detail'])).toContain(detail);
    await gateway.running.close(0);
    const record = JSON.parse(readFileSync(log, 'utf8').trim()) as Record<string, string>;
    expect(record['error']).toBe(code);
    expect(record['error_detail']).toContain(detail);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a backend that wants a client certificate', async (maxVersion) => {
  await using origin = await tlsOrigin('site', {
    maxVersion,
    requestCert: true,
    rejectUnauthorized: true,
    ca: pem('ca.pem'),
  });
  const names: string[] = [];
  origin.answer = (request, response) => {
    names.push(String(origin.connections.at(-1)!.socket.getPeerCertificate().subject?.CN));
    response.end(request.url);
  };
  await using gateway = await testGateway(config(origin.port, { ca: CA }));
  expect((await get(gateway.port())).status).toBe(502);
  const [backend] = await getJson<Backend[]>(gateway.adminPort(), '/backends');
  expect(backend).toMatchObject({ last_error: 'tls_handshake_failed' });
  await gateway.edit(config(origin.port, { ca: CA, certificate: 'client' }));
  await until(() => endpointOf(gateway, 'origin').health.well, 'it has recovered');
  expect((await get(gateway.port())).status).toBe(200);
  expect(names).toEqual(['client']);
});

test('a backend that speaks no TLS, and one that is silent', async () => {
  await using plain = await rawOrigin((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await using gateway = await testGateway(config(plain.port, { ca: CA }));
  expect((await get(gateway.port())).status).toBe(502);
  const [backend] = await getJson<Backend[]>(gateway.adminPort(), '/backends');
  expect(backend).toMatchObject({
    last_error: 'tls_handshake_failed',
    last_error_detail: 'tls_wrong_version_number',
  });
  const timeouts = { connect: '200ms' };
  await using silent = await rawOrigin(() => {});
  await gateway.edit(config(silent.port, { ca: CA }, { timeouts }));
  expect((await get(gateway.port())).status).toBe(504);
  const [timed] = await getJson<Backend[]>(gateway.adminPort(), '/backends');
  expect(timed).toMatchObject({ last_error: 'connect_timeout', last_error_detail: 'in the TLS handshake' });
});

test('a failed handshake is retried at another endpoint, whatever the method', async () => {
  await using bad = await tlsOrigin('shop');
  await using good = await tlsOrigin('site');
  const endpoints = [`127.0.0.1:${bad.port}`, `127.0.0.1:${good.port}`];
  await using gateway = await testGateway(config(0, { ca: CA }, { endpoints }));
  const answer = await get(gateway.port(), '/', { method: 'POST', body: 'x' });
  expect(answer).toMatchObject({ status: 200, body: 'site' });
  expect(bad.accepted).toBe(1);
});

test('other settings: idle connections and sessions are not used again, what runs goes on, health stays', async () => {
  await using origin = await tlsOrigin('site');
  let release = (): void => {};
  origin.answer = (request, response) => {
    if (request.url === '/slow') release = () => response.end('slow');
    else response.end('fast');
  };
  await using gateway = await testGateway(config(origin.port, { ca: CA }));
  const slow = get(gateway.port(), '/slow');
  await until(() => origin.connections.length === 1, 'it is under way');
  await get(gateway.port());
  expect(origin.connections.length).toBe(2);
  const state = endpointOf(gateway, 'origin');
  const idle = origin.connections[1]!.socket;
  // Nothing of that concerns TLS.
  await gateway.edit(config(origin.port, { ca: CA }, { timeouts: { idle: '20s' } }));
  await get(gateway.port());
  expect(origin.connections.length).toBe(2);
  await gateway.edit(config(origin.port, { ca: CA, server_name: 'localhost' }));
  await until(() => idle.destroyed, 'the idle one is closed');
  expect(endpointOf(gateway, 'origin')).toBe(state);
  await get(gateway.port());
  expect(origin.connections.slice(2).map(({ name, resumed }) => [name, resumed])).toEqual([['localhost', false]]);
  release();
  expect((await slow).body).toBe('slow');
  await until(() => origin.connections[0]!.socket.destroyed, 'the old one is closed after its exchange');
  expect((await get(gateway.port())).status).toBe(200);
  expect(origin.connections.length).toBe(3);
});

test('CA files that change under load: no request fails, and the new one counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const ca = join(folder, 'ca.pem');
  try {
    await using origin = await tlsOrigin('site');
    copyFileSync(CA, ca);
    await using gateway = await testGateway(config(origin.port, { ca }, { keepalive: { connections: 2 } }));
    const statuses = new Set<number>();
    let sent = 0;
    const run = { over: false };
    const load = async (): Promise<void> => {
      while (!run.over) {
        statuses.add((await get(gateway.port())).status);
        sent++;
      }
    };
    const clients = [load(), load(), load()];
    const both = [pem('ca.pem') + pem('other-ca.pem'), pem('ca.pem')];
    for (let i = 0; i < 10; i++) {
      const { generation } = gateway.running.gateway.current!;
      const before = sent;
      writeFileSync(ca, both[i % 2]!);
      await until(() => gateway.running.gateway.current!.generation > generation, 'the file is taken up');
      await until(() => sent > before + 6, 'requests are served');
    }
    run.over = true;
    await Promise.all(clients);
    expect([...statuses]).toEqual([200]);
    expect(origin.connections.length).toBeGreaterThan(10);
    const { generation } = gateway.running.gateway.current!;
    copyFileSync(certificatePath('other-ca.pem'), ca);
    await until(() => gateway.running.gateway.current!.generation > generation, 'the file is taken up');
    expect((await get(gateway.port())).status).toBe(502);
    // Half a file is refused, and the one in effect stays.
    const last = gateway.running.reloader.reloads.last;
    writeFileSync(ca, pem('ca.pem').slice(0, 300));
    await until(() => gateway.running.reloader.reloads.last !== last, 'the file is taken up');
    expect(JSON.stringify(gateway.logged.at(-1))).toContain('certificate 1 of the file is damaged');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('server_name: from_host: each name has connections of its own', async () => {
  const context = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) });
  const origin = await tlsOrigin('site', {});
  await using _ = origin;
  for (const name of ['shop.example.com', '*.example.com'])
    origin.server.addContext(name, context(name.startsWith('*') ? 'wildcard' : 'shop'));
  origin.answer = (request, response) => response.end(request.headers.host);
  const tls = { ca: CA, server_name: 'from_host' };
  await using gateway = await testGateway(config(origin.port, tls, { keepalive: { connections: 2 } }));
  const ask = async (host: string): Promise<string> => {
    const { status, body } = await get(gateway.port(), '/', { headers: { host } });
    return status === 200 ? body : String(status);
  };
  for (let i = 0; i < 2; i++)
    for (const host of ['site.example', 'shop.example.com:8443', 'SITE.example', '127.0.0.1'])
      expect([host, await ask(host)]).toEqual([host, host]);
  // Two fit; the third name has taken the place of the oldest.
  const names = origin.connections.map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(['site.example', 'shop.example.com', '']);
  expect(origin.connections.filter(({ name }) => name === 'site.example').map(({ resumed }) => resumed)).toEqual(
    names.filter((name) => name === 'site.example').map((__, i) => i > 0),
  );
  // A name that the backend does not have says nothing of its health.
  expect(await ask('unknown.example')).toBe('502');
  expect(endpointOf(gateway, 'origin').health.well).toBe(true);
  expect(await ask('site.example')).toBe('site.example');
});

test('active checks speak TLS under the same settings', async () => {
  await using origin = await tlsOrigin('site');
  const paths: string[] = [];
  origin.answer = (request, response) => {
    paths.push(`${request.headers.host} ${request.url}`);
    response.end();
  };
  const health = { active: { path: '/healthz', interval: '20ms', jitter: 0, unhealthy: 1, healthy: 1 } };
  const tls = { ca: CA, server_name: 'site.example' };
  await using gateway = await testGateway(config(origin.port, tls, { health, host: 'endpoint' }));
  await until(() => paths.length > 1, 'it is checked');
  expect(paths[0]).toBe(`127.0.0.1:${origin.port} /healthz`);
  expect(origin.connections[0]!.name).toBe('site.example');
  const { health: state } = endpointOf(gateway, 'origin');
  expect(state.state).toBe('healthy');
  await gateway.edit(config(origin.port, { ca: CA, server_name: 'shop.example' }, { health }));
  await until(() => state.state === 'check_failed', 'the check fails');
  expect(state.lastError).toBe('check_tls_name_mismatch');
  await gateway.edit(config(origin.port, tls, { health: { active: { ...health.active, type: 'tcp' } } }));
  await until(() => endpointOf(gateway, 'origin').health.state === 'healthy', 'the check passes');
});

test('an endpoint that failed its handshakes is found again without a request', async () => {
  await using origin = await tlsOrigin('shop');
  const health = { backoff: { probe: '20ms' } };
  await using gateway = await testGateway(config(origin.port, { ca: CA }, { health }));
  expect((await get(gateway.port())).status).toBe(502);
  const { health: state } = endpointOf(gateway, 'origin');
  // A connection alone proves nothing.
  const before = origin.accepted;
  await until(() => origin.accepted > before + 2, 'it is tried');
  expect(state.well).toBe(false);
  origin.server.setSecureContext({ cert: pem('site.pem'), key: pem('site.key') });
  await until(() => state.well, 'it is found again');
});

test('an upgrade', async () => {
  await using origin = await tlsOrigin('site');
  origin.server.on('upgrade', (_: IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  await using gateway = await testGateway(config(origin.port, { ca: CA }));
  await using client = await RawClient.to(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await until(() => client.text.includes('101 Switching'), 'it switches');
  client.send('hello');
  await until(() => client.text.endsWith('hello'), 'the echo comes');
  client.socket.end();
  await client.end();
});

test('a tcp listener encrypts for its pool, and offers what the pool says', async () => {
  await using origin = await tlsOrigin('site', { ALPNProtocols: ['echo'] }, (socket) => socket.pipe(socket));
  await using gateway = await testGateway({
    ...config(origin.port, { ca: CA, alpn: ['echo'] }),
    listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'origin' } },
    routes: [],
  });
  await using client = await RawClient.to(gateway.port());
  client.send('hello');
  await until(() => client.text === 'hello', 'the echo comes');
  expect(origin.connections[0]!.socket.alpnProtocol).toBe('echo');
  client.socket.end();
  await client.end();
});

test('large bodies both ways', async () => {
  const body = 'b'.repeat(4 * 1024 * 1024);
  await using origin = await tlsOrigin('site');
  origin.answer = (request, response) => request.pipe(response);
  await using gateway = await testGateway(config(origin.port, { ca: CA }));
  expect((await get(gateway.port(), '/', { method: 'POST', body })).body === body).toBe(true);
});

test('connections dialed in advance have had their handshake', async () => {
  await using origin = await tlsOrigin('site');
  await using gateway = await testGateway(config(origin.port, { ca: CA }, { keepalive: { prewarm: 2 } }));
  await until(() => origin.connections.length === 2, 'they are made');
  expect((await get(gateway.port())).status).toBe(200);
});
