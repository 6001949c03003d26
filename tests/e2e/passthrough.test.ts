/** TLS that is passed through: chosen by server name and protocols, beside TLS that is decrypted on the same port. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import type { Explanation } from '../../src/explain/explanation.ts';
import { pair, pem } from '../support/certificates.ts';
import { helloOf, inRecords } from '../support/client-hello.ts';
import { endpointOf, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const UNRECOGNIZED_NAME = '\x15\x03\x01\x00\x02\x02\x70';
const DECODE_ERROR = '\x15\x03\x01\x00\x02\x02\x32';

/** A backend with a certificate of its own, which says its name and echoes. */
async function tlsBackend(name: string, certificate: string, ALPNProtocols?: string[]): Promise<Origin> {
  const keys = {
    cert: pem(`${certificate}.pem`),
    key: pem(`${certificate}.key`),
    ...(ALPNProtocols && { ALPNProtocols }),
  };
  return rawOrigin((socket) => {
    const secured = new tls.TLSSocket(socket, { isServer: true, ...keys });
    secured.on('error', () => {});
    secured.on('end', () => secured.end());
    secured.write(`${name}:`);
    secured.on('data', (part: Buffer) => secured.write(part));
  });
}

function endpoints(origins: Readonly<Record<string, Origin>>): object {
  return Object.fromEntries(
    Object.entries(origins).map(([name, { port }]) => [name, { endpoints: [`127.0.0.1:${port}`] }]),
  );
}

interface Settings {
  readonly tls_routes?: readonly object[];
  readonly [more: string]: unknown;
}

function config(origins: Readonly<Record<string, Origin>>, listener: Settings, more: object = {}): object {
  return {
    version: 1,
    certificates: { site: pair('site') },
    pools: endpoints(origins),
    listeners: { web: { address: '127.0.0.1:0', protocol: 'tcp', ...listener } },
    ...more,
  };
}

/** The client's options: it verifies the backend's certificate through the gateway. */
function verified(servername: string, more: tls.ConnectionOptions = {}): tls.ConnectionOptions {
  return { servername, ca: pem('ca.pem'), rejectUnauthorized: true, ...more };
}

/** What the backend that a client reaches says. */
async function reached(port: number, options: tls.ConnectionOptions): Promise<string> {
  await using client = await RawClient.secure(port, options);
  client.send('hello');
  await until(() => client.text.endsWith('hello'), 'the echo comes');
  client.socket.end();
  await client.end();
  return client.text;
}

/** The code of the failure of a handshake. */
async function failureFor(port: number, options: tls.ConnectionOptions): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  socket.destroy();
  return error.code ?? '';
}

/** What a client gets that sends these bytes, until the connection ends. */
async function answerTo(port: number, text: string): Promise<string> {
  await using client = await RawClient.to(port);
  await client.send(text).end();
  return client.text;
}

function activeAt({ running }: TestGateway): number {
  return running.gateway.metrics.listener('web').active;
}

test('names choose the pool, and the client verifies the certificate of the backend behind it', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using others = await tlsBackend('others', 'wildcard');
  await using rest = await tlsBackend('rest', 'site');
  const tls_routes = [
    { name: 'shop', match: { server_name: 'SHOP.example.com' }, pool: 'shop' },
    { name: 'others', match: { server_name: ['*.example.com', 'example.com'] }, pool: 'others' },
  ];
  await using gateway = await testGateway(config({ shop, others, rest }, { tls_routes, pool: 'rest' }));
  const port = gateway.port();
  expect(await reached(port, verified('shop.example.com'))).toBe('shop:hello');
  expect(await reached(port, verified('Other.Example.com'))).toBe('others:hello');
  expect(await reached(port, verified('example.com'))).toBe('others:hello');
  expect(await reached(port, { servername: 'a.b.example.com' })).toBe('others:hello');
  expect(await reached(port, verified('site.example'))).toBe('rest:hello');
  expect(await reached(port, { servername: '' })).toBe('rest:hello');
  expect(await reached(port, verified('shop.example.com', { maxVersion: 'TLSv1.2' }))).toBe('shop:hello');
  // The certificate is that of the backend: another name is not verified.
  expect(await failureFor(port, verified('unknown.example'))).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});

test('protocols choose too: a challenge of any name goes to the solver', async () => {
  await using solver = await tlsBackend('solver', 'site', ['acme-tls/1']);
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [
    { name: 'acme', match: { alpn: 'acme-tls/1' }, pool: 'solver' },
    { name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' },
  ];
  await using gateway = await testGateway(config({ solver, shop }, { tls_routes }));
  const servername = 'shop.example.com';
  expect(await reached(gateway.port(), { servername, ALPNProtocols: ['acme-tls/1'] })).toBe('solver:hello');
  expect(await reached(gateway.port(), { servername, ALPNProtocols: ['h2', 'http/1.1'] })).toBe('shop:hello');
});

test('a name that no route takes is refused by an alert; so is a client without one', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [{ name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' }];
  const more = { admin: { address: '127.0.0.1:0' } };
  await using gateway = await testGateway(config({ shop }, { tls_routes }, more));
  for (const servername of ['', 'unknown.example', 'example.com', 'x.shop.example.com'])
    expect([servername, await failureFor(gateway.port(), { servername })]).toEqual([
      servername,
      'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    ]);
  await reached(gateway.port(), { servername: 'shop.example.com' });
  const { body } = await get(gateway.adminPort(), '/metrics');
  expect(body).toContain('prozy_tls_handshakes_total{listener="web",result="tls_unrecognized_name"} 4');
  expect(body).toContain('prozy_tls_routed_total{listener="web",route="shop"} 1');
});

test('an http listener passes some names through, and answers the others itself', async () => {
  await using origin = await httpOrigin();
  await using shop = await tlsBackend('shop', 'shop');
  await using others = await tlsBackend('others', 'wildcard');
  const tls_routes = [
    { name: 'www', match: { server_name: 'www.example.com' }, mode: 'terminate' },
    { name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' },
    { name: 'others', match: { server_name: '*.example.com' }, pool: 'others' },
  ];
  const listener = { protocol: 'http', tls: { certificates: ['site'] }, tls_routes };
  const routes = [{ name: 'all', match: {}, pool: 'origin' }];
  await using gateway = await testGateway(config({ origin, shop, others }, listener, { routes }));
  const port = gateway.port();
  for (const servername of ['site.example', 'www.example.com', '']) {
    await using client = await RawClient.secure(port, { servername });
    expect(client.socket.getPeerCertificate().subject.CN).toBe('site');
    const { body } = await client.send('GET /x HTTP/1.1\r\nHost: site.example\r\n\r\n').response();
    expect(body).toBe('ok /x');
  }
  expect(await reached(port, verified('shop.example.com'))).toBe('shop:hello');
  expect(await reached(port, verified('any.example.com'))).toBe('others:hello');
  await using plain = await RawClient.to(port);
  expect((await plain.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').response()).status).toBe(400);
});

test('a tcp listener decrypts for one pool and passes through to another', async () => {
  await using echo = await rawOrigin((socket) => {
    socket.write('plain:');
    socket.pipe(socket);
  });
  await using mail = await rawOrigin((socket) => {
    socket.write('mail:');
    socket.pipe(socket);
  });
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [
    { name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' },
    { name: 'mail', match: { server_name: 'localhost' }, mode: 'terminate', pool: 'mail' },
  ];
  const listener = { tls: { certificates: ['site'] }, tls_routes, pool: 'echo' };
  await using gateway = await testGateway(config({ echo, mail, shop }, listener));
  const port = gateway.port();
  expect(await reached(port, verified('site.example'))).toBe('plain:hello');
  expect(await reached(port, verified('localhost'))).toBe('mail:hello');
  expect(await reached(port, verified('shop.example.com'))).toBe('shop:hello');
});

test('what is no TLS goes to the pool for that, or is reset', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using ssh = await rawOrigin((socket) => socket.write('SSH-2.0-server\r\n'));
  const tls_routes = [{ name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' }];
  await using gateway = await testGateway(config({ shop, ssh }, { tls_routes, plain_pool: 'ssh' }));
  await using client = await RawClient.to(gateway.port());
  client.send('SSH-2.0-client\r\n');
  await until(() => client.text === 'SSH-2.0-server\r\n', 'the server answers');
  expect(Buffer.concat(ssh.received[0]!).toString()).toBe('SSH-2.0-client\r\n');
  expect(await reached(gateway.port(), verified('shop.example.com'))).toBe('shop:hello');

  await using strict = await testGateway(config({ shop }, { tls_routes, pool: 'shop' }));
  expect(await answerTo(strict.port(), 'SSH-2.0-client\r\n')).toBe('');
  expect(strict.running.gateway.metrics.listener('web').failedHandshakes.get('tls_plain_text')).toBe(1);
});

/** Sends what is written first byte by byte. */
function slowly(socket: net.Socket): Duplex {
  let first = true;
  const slow = new Duplex({
    read() {},
    write(bytes: Buffer, _, done) {
      if (!first) {
        socket.write(bytes, () => done());
        return;
      }
      first = false;
      let at = 0;
      const next = (): void => {
        if (at === bytes.length) done();
        else socket.write(bytes.subarray(at, ++at), () => setImmediate(next));
      };
      next();
    },
    final: (done) => socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (part: Buffer) => slow.push(part)).on('end', () => slow.push(null));
  socket.on('error', (error) => slow.destroy(error));
  return slow;
}

test('a hello in pieces of one byte, and one in records of three', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using bytes = await rawOrigin(() => {});
  const tls_routes = [
    { name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' },
    { name: 'bytes', match: { server_name: 'bytes.example.com' }, pool: 'bytes' },
  ];
  await using gateway = await testGateway(config({ shop, bytes }, { tls_routes }));
  const socket = net.connect({ port: gateway.port(), host: '127.0.0.1', noDelay: true });
  const client = tls.connect({ socket: slowly(socket), ...verified('shop.example.com') });
  let text = '';
  client.on('data', (part: Buffer) => (text += part.toString()));
  client.write('hello');
  await until(() => text === 'shop:hello', 'the echo comes');
  client.destroy();

  const hello = inRecords(await helloOf({ servername: 'bytes.example.com' }), 3);
  await using raw = await RawClient.to(gateway.port());
  raw.socket.write(hello.subarray(0, 100));
  await until(() => activeAt(gateway) > 0, 'it is accepted');
  expect(bytes.received.length).toBe(0);
  raw.socket.write(Buffer.concat([hello.subarray(100), Buffer.from('early data')]));
  const got = (): Buffer => Buffer.concat(bytes.received[0] ?? []);
  await until(() => got().length === hello.length + 10, 'all of it arrives');
  expect(got().equals(Buffer.concat([hello, Buffer.from('early data')]))).toBe(true);
});

test('megabytes both ways behind the hello', async () => {
  await using shop = await tlsBackend('', 'shop');
  const tls_routes = [{ name: 'shop', match: {}, pool: 'shop' }];
  await using gateway = await testGateway(config({ shop }, { tls_routes }));
  await using client = await RawClient.secure(gateway.port(), { servername: 'shop.example.com' });
  const block = 'b'.repeat(4 * 1024 * 1024);
  client.socket.pause();
  client.send(block);
  await until(() => activeAt(gateway) === 1, 'it is relayed');
  client.socket.resume();
  await until(() => client.text.length === block.length + 1, 'all of it comes back');
});

test('half a hello is waited for until the timeout; a malformed or giant one is refused', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [{ name: 'shop', match: {}, pool: 'shop' }];
  const listener = { tls_routes, timeouts: { handshake: '300ms' } };
  await using gateway = await testGateway(config({ shop }, listener));
  const port = gateway.port();
  const hello = await helloOf({ servername: 'shop.example.com' });
  expect(await answerTo(port, hello.toString('latin1', 0, hello.length - 1))).toBe('');
  expect(await answerTo(port, '')).toBe('');
  expect(await answerTo(port, '\x16\x03\x01\x00\x04\x02\x00\x00\x00')).toBe(DECODE_ERROR);
  expect(await answerTo(port, '\x16\x03\x01\x00\x04\x01\x00\x80\x01')).toBe('');
  await using left = await RawClient.to(port);
  left.send('\x16\x03').socket.end();
  await left.end();
  expect(Object.fromEntries(gateway.running.gateway.metrics.listener('web').failedHandshakes)).toEqual({
    tls_handshake_timeout: 2,
    tls_hello_malformed: 1,
    tls_hello_too_large: 1,
    client_gone: 1,
  });
  expect(shop.received.length).toBe(0);
  expect(activeAt(gateway)).toBe(0);
});

test('the access log tells route, pool, server name and endpoint; a refusal its reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const path = join(folder, 'access.log');
  try {
    await using shop = await rawOrigin((socket) => socket.once('data', () => socket.end()));
    const tls_routes = [{ name: 'sales', match: { server_name: '*.example.com' }, pool: 'shop' }];
    const more = { logging: { access: { path } } };
    {
      await using gateway = await testGateway(config({ shop }, { tls_routes }, more));
      const hello = (await helloOf({ servername: 'Shop.example.com' })).toString('latin1');
      expect(await answerTo(gateway.port(), hello)).toBe('');
      expect(await answerTo(gateway.port(), (await helloOf({ servername: 'x.example' })).toString('latin1'))).toBe(
        UNRECOGNIZED_NAME,
      );
      await until(() => activeAt(gateway) === 0, 'both are over');
    }
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const [relayed, refused] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(relayed).toMatchObject({
      kind: 'tcp',
      listener: 'web',
      route: 'sales',
      pool: 'shop',
      server_name: 'shop.example.com',
      endpoint: `127.0.0.1:${shop.port}`,
    });
    expect(relayed!['bytes_in']).toBe(Buffer.concat(shop.received[0]!).length);
    expect(refused).toMatchObject({ kind: 'tcp', route: '', error: 'tls_unrecognized_name' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('limits and ACLs hold for connections that are passed through, on http listeners too', async () => {
  await using origin = await httpOrigin();
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [{ name: 'shop', match: { server_name: 'shop.example.com' }, pool: 'shop' }];
  const web = (more: object): Settings => ({ protocol: 'http', tls: { certificates: ['site'] }, tls_routes, ...more });
  const more = { acls: { none: { default: 'deny' } }, routes: [{ name: 'all', match: {}, pool: 'origin' }] };
  await using gateway = await testGateway(config({ origin, shop }, web({ limits: { connections: 1 } }), more));
  const hello = (await helloOf({ servername: 'shop.example.com' })).toString('latin1');
  {
    await using held = await RawClient.secure(gateway.port(), { servername: 'shop.example.com' });
    const second = net.connect(gateway.port(), '127.0.0.1');
    const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
    expect([error.code, held.closed]).toEqual(['ECONNRESET', false]);
  }
  await gateway.edit(config({ origin, shop }, web({ acl: 'none' }), more));
  const before = shop.received.length;
  expect(await answerTo(gateway.port(), hello)).toBe('');
  expect(shop.received.length).toBe(before);
  expect(gateway.running.gateway.metrics.listener('web').refusedByAcl).toBe(1);
});

test('a reload: the relay goes on and migrates while its choice is the same, else stays behind', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using other = await tlsBackend('other', 'shop');
  const route = (pool: string, name: string): object => ({ name: 'shop', match: { server_name: name }, pool });
  const set = (...tls_routes: object[]): object => config({ shop, other }, { tls_routes });
  await using gateway = await testGateway(set(route('shop', 'shop.example.com')));
  const { gateway: running } = gateway.running;
  const generations = (): number => running.snapshots.length;
  await using client = await RawClient.secure(gateway.port(), { servername: 'shop.example.com' });
  await gateway.edit(
    set({ name: 'x', match: { server_name: 'x.example' }, pool: 'other' }, route('shop', '*.example.com')),
  );
  expect([generations(), running.current!.leases]).toEqual([1, 1]);
  // The name now belongs to another pool, then to none, then to its own again.
  await gateway.edit(set(route('other', '*.example.com')));
  expect([generations(), running.current!.leases]).toEqual([2, 0]);
  expect([...running.snapshots.at(-1)!.holders].map(({ blocker }) => blocker)).toEqual(['pool_changed']);
  await gateway.edit(set({ name: 'x', match: { server_name: 'x.example' }, pool: 'other' }));
  expect([...running.snapshots.at(-1)!.holders].map(({ blocker }) => blocker)).toEqual(['routed_elsewhere']);
  client.send('still');
  await until(() => client.text === 'shop:still', 'it goes on');
  expect(await reached(gateway.port(), { servername: 'x.example' })).toBe('other:hello');
  await gateway.edit(set(route('shop', 'shop.example.com')));
  expect([generations(), running.current!.leases]).toEqual([1, 1]);
});

test('a hello that spans a reload is judged by the new config', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using other = await rawOrigin(() => {});
  const set = (pool: string): object =>
    config({ shop, other }, { tls_routes: [{ name: 'all', match: {}, pool }], admin: undefined });
  await using gateway = await testGateway(set('shop'));
  const hello = await helloOf({ servername: 'shop.example.com' });
  await using client = await RawClient.to(gateway.port());
  client.socket.write(hello.subarray(0, 20));
  await until(() => activeAt(gateway) === 1, 'it is accepted');
  await gateway.edit(set('other'));
  client.socket.write(hello.subarray(20));
  await until(() => Buffer.concat(other.received[0] ?? []).equals(hello), 'the new pool gets all of it');
  expect(endpointOf(gateway, 'other').active).toBe(1);
});

test('a pool without an endpoint resets; a refused connection is retried with the same bytes', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  const tls_routes = [{ name: 'shop', match: {}, pool: 'p' }];
  const web = { address: '127.0.0.1:0', protocol: 'tcp', tls_routes };
  const of = (...all: string[]): object => ({ version: 1, listeners: { web }, pools: { p: { endpoints: all } } });
  await using gateway = await testGateway(of('127.0.0.1:1', `127.0.0.1:${shop.port}`));
  expect(await reached(gateway.port(), verified('shop.example.com'))).toBe('shop:hello');
  await using dead = await testGateway(of('127.0.0.1:1'));
  expect(await answerTo(dead.port(), (await helloOf({ servername: 'a.example' })).toString('latin1'))).toBe('');
});

test('what explain says of a connection is what becomes of it', async () => {
  await using shop = await tlsBackend('shop', 'shop');
  await using origin = await httpOrigin();
  const tls_routes = [
    { name: 'www', match: { server_name: 'www.example.com' }, mode: 'terminate' },
    { name: 'shop', match: { server_name: '*.example.com', alpn: 'x' }, pool: 'shop' },
  ];
  const listener = { protocol: 'http', tls: { certificates: ['site'] }, tls_routes };
  const more = { admin: { address: '127.0.0.1:0' }, routes: [{ name: 'all', match: {}, pool: 'origin' }] };
  await using gateway = await testGateway(config({ shop, origin }, listener, more));
  const explained = async (url: string, alpn = ''): Promise<unknown[]> => {
    const query = new URLSearchParams({ url, ...(alpn === '' ? {} : { alpn }) });
    const { body } = await get(gateway.adminPort(), `/explain?${query.toString()}`);
    const told = JSON.parse(body) as Explanation;
    return [told.outcome.by, told.tls?.route, told.route, told.pools.map(({ pool }) => pool).join()];
  };
  expect(await explained('tls://shop.example.com', 'x')).toEqual(['pool', 'shop', null, 'shop']);
  expect(await reached(gateway.port(), { servername: 'shop.example.com', ALPNProtocols: ['x'] })).toBe('shop:hello');
  expect(await explained('https://shop.example.com/', 'x')).toEqual(['pool', 'shop', null, 'shop']);
  expect(await explained('https://shop.example.com/')).toEqual(['pool', null, 'all', 'origin']);
  expect(await explained('tls://www.example.com', 'x')).toEqual(['tls', 'www', null, '']);
  expect(await explained('https://www.example.com/')).toEqual(['pool', 'www', 'all', 'origin']);
  expect(await explained('http://www.example.com/')).toEqual(['listener', undefined, null, '']);
});
