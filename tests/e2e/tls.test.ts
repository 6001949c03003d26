/** TLS with clients: which certificate they get, renewed files, resumption, and connections that are no TLS. */
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { onTicketKey } from '../../src/net/stream-handles.ts';
import { certificatePath, pair, pem } from '../support/certificates.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET / HTTP/1.1\r\nHost: site.example\r\n\r\n';

function config(originPort: number, settings: object, more: Record<string, unknown> = {}): Record<string, unknown> {
  return simpleConfig(originPort, {
    certificates: Object.fromEntries(['site', 'site-rsa', 'wildcard', 'shop'].map((name) => [name, pair(name)])),
    listeners: { web: { address: '127.0.0.1:0', tls: settings } },
    ...more,
  });
}

/** The common name of the certificate that a client with these options gets. */
async function certificateFor(port: number, options: tls.ConnectionOptions): Promise<string> {
  await using client = await RawClient.secure(port, options);
  return String(client.socket.getPeerCertificate().subject.CN);
}

function connectionsOf({ running }: TestGateway): number {
  return running.gateway.metrics.listener('web').active;
}

/** The code of the failure. */
async function refusalFor(port: number, options: tls.ConnectionOptions): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  socket.destroy();
  return error.code ?? '';
}

test('a request over TLS: verified by a client that trusts the CA, told to the backend as https', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { certificates: ['site'] }));
  await using client = await RawClient.secure(gateway.port(), {
    ca: pem('ca.pem'),
    rejectUnauthorized: true,
    servername: 'site.example',
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  expect([client.socket.getProtocol(), client.socket.alpnProtocol]).toEqual(['TLSv1.3', 'http/1.1']);
  expect((await client.send(GET).response()).status).toBe(200);
  expect((await client.send(GET).response()).status).toBe(200);
  expect(origin.requests[0]!.headers['x-forwarded-proto']).toBe('https');
});

test('large bodies both ways, and a client that reads slowly', async () => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'b');
  await using origin = await httpOrigin((request, response) => {
    expect(request.body.length).toBe(body.length);
    response.end(body);
  });
  await using gateway = await testGateway(config(origin.port, { certificates: ['site'] }));
  await using client = await RawClient.secure(gateway.port());
  client.socket.pause();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.socket.write(body);
  await until(() => origin.requests.length === 1, 'the request arrives');
  client.socket.resume();
  expect((await client.response()).body.length).toBe(body.length);
});

test('the server name chooses: exact before wildcard, one label only, the first for others', async () => {
  await using origin = await httpOrigin();
  const certificates = ['site', 'wildcard', 'shop'];
  await using gateway = await testGateway(config(origin.port, { certificates }));
  const port = gateway.port();
  for (const [servername, name] of [
    ['site.example', 'site'],
    ['shop.example.com', 'shop'],
    ['SHOP.example.com', 'shop'],
    ['other.example.com', 'wildcard'],
    ['example.com', 'wildcard'],
    ['a.b.example.com', 'site'],
    ['unknown.example', 'site'],
    ['', 'site'],
  ])
    expect([servername, await certificateFor(port, { servername: servername! })]).toEqual([servername, name]);
});

test('unknown names may be refused; clients without a name get the first', async () => {
  await using origin = await httpOrigin();
  const settings = { certificates: ['site', 'wildcard'], unknown_name: 'refuse' };
  await using gateway = await testGateway(config(origin.port, settings));
  const port = gateway.port();
  expect(await refusalFor(port, { servername: 'unknown.example' })).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  expect(await certificateFor(port, { servername: '' })).toBe('site');
  expect(await certificateFor(port, { servername: 'a.example.com' })).toBe('wildcard');
});

test('of certificates for the same names, the type of key that the client can use', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { certificates: ['site', 'site-rsa'] }));
  const port = gateway.port();
  const servername = 'site.example';
  expect(await certificateFor(port, { servername })).toBe('site');
  expect(await certificateFor(port, { servername, sigalgs: 'rsa_pss_rsae_sha256' })).toBe('site-rsa');
  const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256';
  expect(await certificateFor(port, { servername, ciphers, maxVersion: 'TLSv1.2' })).toBe('site-rsa');
});

test('versions, suites and protocols that the listener does not have', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { certificates: ['site'], min_version: '1.3' }));
  const port = gateway.port();
  expect(await refusalFor(port, { maxVersion: 'TLSv1.2' })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  expect(await refusalFor(port, { ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

test('a renewed pair serves the next handshake; the open connection goes on; tickets still resume', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const place = (name: string): void => {
    copyFileSync(certificatePath(`${name}.pem`), join(folder, 'new.pem'));
    copyFileSync(certificatePath(`${name}.key`), join(folder, 'new.key'));
  };
  try {
    place('site');
    await using origin = await httpOrigin();
    const certificates = { site: { cert: join(folder, 'new.pem'), key: join(folder, 'new.key') } };
    const listeners = { web: { address: '127.0.0.1:0', tls: { certificates: ['site'] } } };
    await using gateway = await testGateway(simpleConfig(origin.port, { certificates, listeners }));
    const port = gateway.port();
    await using kept = await RawClient.secure(port);
    expect((await kept.send(GET).response()).status).toBe(200);
    const session = kept.socket.getSession()!;
    const { generation } = gateway.running.gateway.current!;
    place('renewed');
    await until(() => gateway.running.gateway.current!.generation > generation, 'the files are taken up');
    expect(await certificateFor(port, {})).toBe('renewed');
    expect((await kept.send(GET).response()).status).toBe(200);
    await using again = await RawClient.secure(port, { session });
    expect(again.socket.isSessionReused()).toBe(true);
    // A key that does not fit is refused, at its place, and the pair in effect serves on.
    const before = gateway.running.reloader.reloads.last;
    copyFileSync(certificatePath('shop.key'), join(folder, 'new.key'));
    await until(() => gateway.running.reloader.reloads.last !== before, 'the file is taken up');
    expect(JSON.stringify(gateway.logged.at(-1))).toContain('it does not belong to the certificate');
    expect(await certificateFor(port, {})).toBe('renewed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a session is not resumed under other settings', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { certificates: ['site'] }));
  await using first = await RawClient.secure(gateway.port());
  const session = first.socket.getSession()!;
  await gateway.edit(config(origin.port, { certificates: ['site'], min_version: '1.3' }));
  await using second = await RawClient.secure(gateway.port(), { session });
  expect(second.socket.isSessionReused()).toBe(false);
  await gateway.edit(config(origin.port, { certificates: ['site'] }));
  await using third = await RawClient.secure(gateway.port(), { session });
  expect(third.socket.isSessionReused()).toBe(true);
});

test('plain HTTP is told so; other bytes are reset; each is in the log and the metrics', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const log = join(folder, 'access.log');
  try {
    await using origin = await httpOrigin();
    const more = { logging: { access: { path: log } }, admin: { address: '127.0.0.1:0' } };
    await using gateway = await testGateway(config(origin.port, { certificates: ['site'] }, more));
    const port = gateway.port();
    await using plain = await RawClient.to(port);
    const { status, body } = await plain.send(GET).response();
    expect([status, body]).toEqual([400, 'this port speaks HTTPS: use https:// in the URL\n']);
    for (const bytes of ['\x00\x01\x02', '\x16\x03\x01\x00\x04\x02\x00\x00\x00']) {
      await using client = await RawClient.to(port);
      await client.send(bytes).end();
      expect(client.text).toBe(bytes[0] === '\x16' ? '\x15\x03\x01\x00\x02\x02\x32' : '');
    }
    const gone = await RawClient.to(port);
    gone.send('\x16\x03').socket.end();
    await gone.end();
    await gone[Symbol.asyncDispose]();
    const { body: metrics } = await get(gateway.adminPort(), '/metrics');
    const counts = metrics.split('\n').filter((line) => line.startsWith('prozy_tls_handshakes_total'));
    expect(counts).toEqual([
      'prozy_tls_handshakes_total{listener="web",result="full"} 0',
      'prozy_tls_handshakes_total{listener="web",result="resumed"} 0',
      'prozy_tls_handshakes_total{listener="web",result="tls_plain_text"} 2',
      'prozy_tls_handshakes_total{listener="web",result="tls_hello_malformed"} 1',
      'prozy_tls_handshakes_total{listener="web",result="client_gone"} 1',
    ]);
    expect(connectionsOf(gateway)).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('TLS on a port without it gets a 400 that the log explains', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const log = join(folder, 'access.log');
  try {
    await using origin = await httpOrigin();
    const listeners = { web: { address: '127.0.0.1:0' } };
    await using gateway = await testGateway(
      simpleConfig(origin.port, { listeners, logging: { access: { path: log } } }),
    );
    const client = tls.connect({ port: gateway.port(), host: '127.0.0.1' });
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_SSL_WRONG_VERSION_NUMBER');
    client.destroy();
    await until(() => readFileSync(log, 'utf8').endsWith('\n'), 'the line is written');
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ status: 400, error: 'tls_on_plain_port' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a tcp listener decrypts for its pool', async () => {
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  await using gateway = await testGateway({
    version: 1,
    certificates: { site: pair('site') },
    pools: { echo: { endpoints: [`127.0.0.1:${origin.port}`] } },
    listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'echo', tls: { certificates: ['site'] } } },
  });
  await using client = await RawClient.secure(gateway.port());
  client.send('hello');
  await until(() => client.text === 'hello', 'the echo comes');
  client.socket.end();
  await client.end();
});

test('a handshake that is not finished in time is ended, and a connection limit counts it', async () => {
  await using origin = await httpOrigin();
  const listeners = {
    web: {
      address: '127.0.0.1:0',
      tls: { certificates: ['site'] },
      timeouts: { handshake: '300ms' },
      limits: { connections: 1 },
    },
  };
  await using gateway = await testGateway(config(origin.port, {}, { listeners }));
  await using slow = await RawClient.to(gateway.port());
  slow.send('\x16');
  await until(() => connectionsOf(gateway) === 1, 'it is accepted');
  const refused = net.connect(gateway.port(), '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  await slow.end();
  expect(await certificateFor(gateway.port(), {})).toBe('site');
});

test('key files: gateways share tickets; a new key is added first, used next, and the old one leaves', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const file = join(folder, 'ticket.key');
  const [old, fresh] = ['o', 'f'].map((letter) => Buffer.alloc(80, letter).toString('base64'));
  const settings = { certificates: ['site'], tickets: { key_files: [file] } };
  try {
    writeFileSync(file, Buffer.alloc(80, 'o'));
    await using origin = await httpOrigin();
    await using gateway = await testGateway(config(origin.port, settings));
    await using twin = await testGateway(config(origin.port, settings));
    const visit = async (port: number, session?: Buffer): Promise<{ resumed: boolean; session: Buffer }> => {
      await using client = await RawClient.secure(port, session === undefined ? {} : { session });
      expect((await client.send(GET).response()).status).toBe(200);
      return { resumed: client.socket.isSessionReused(), session: client.socket.getSession()! };
    };
    const write = async (...keys: (string | undefined)[]): Promise<void> => {
      const before = [gateway, twin].map(({ running }) => running.reloader.reloads.last);
      writeFileSync(file, keys.join('\n'));
      for (const [i, { running }] of [gateway, twin].entries())
        await until(() => running.reloader.reloads.last !== before[i], 'the keys are taken up');
    };
    const first = await visit(gateway.port());
    expect((await visit(twin.port(), first.session)).resumed).toBe(true);
    // Without several keys at once, only the first of them counts.
    if (onTicketKey !== null) {
      await write(fresh, old);
      expect((await visit(gateway.port(), first.session)).resumed).toBe(true);
    }
    await write(fresh);
    expect((await visit(gateway.port(), first.session)).resumed).toBe(false);
    const { session } = await visit(gateway.port());
    expect((await visit(twin.port(), session)).resumed).toBe(true);
    await gateway.edit(config(origin.port, { certificates: ['site'], tickets: { enabled: false } }));
    const without = tls.connect({ port: gateway.port(), host: '127.0.0.1', rejectUnauthorized: false, session });
    await once(without, 'secureConnect');
    expect(without.isSessionReused()).toBe(false);
    without.destroy();
    expect(JSON.stringify([...gateway.logged, ...twin.logged])).not.toContain(fresh);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('of more handshakes than the limit, the others wait; those that are not finished make room', async () => {
  const clock = new ManualClock();
  await using origin = await httpOrigin();
  const listeners = {
    web: { address: '127.0.0.1:0', tls: { certificates: ['site'] }, limits: { handshakes: 2 } },
  };
  await using gateway = await testGateway(config(origin.port, {}, { listeners }), { clock });
  const { metrics } = gateway.running.gateway;
  const web = metrics.listener('web');
  const hello = await helloOf({ servername: 'site.example' });
  const half = await Promise.all([1, 2].map(() => RawClient.to(gateway.port())));
  for (const one of half) one.socket.write(hello);
  await until(() => web.handshakesActive === 2, 'two have begun');
  const waiting = RawClient.secure(gateway.port());
  await until(() => web.handshakesWaiting === 1, 'one waits');
  expect(web.handshakes).toBe(0);
  clock.advance(1200);
  await using client = await waiting;
  expect((await client.send(GET).response()).status).toBe(200);
  expect([web.handshakes, [...web.failedHandshakes]]).toEqual([1, [['tls_handshake_timeout', 1]]]);
  for (const one of half) one.socket.destroy();
  await until(() => web.handshakesActive + web.handshakesWaiting === 0, 'all have ended');
});

test('while the gateway is overloaded, connections are reset before their handshake', async () => {
  await using origin = await httpOrigin();
  const more = { limits: { overload: { memory: '1B' } } };
  await using gateway = await testGateway(config(origin.port, { certificates: ['site'] }, more));
  await until(() => gateway.running.gateway.state === 'overloaded', 'it is overloaded');
  const socket = net.connect(gateway.port(), '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  expect(gateway.running.gateway.metrics.listener('web').refusedByOverload).toBe(1);
});

/** The first bytes of a client with these options. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  server.close();
  return bytes;
}
