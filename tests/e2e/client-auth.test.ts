/** Client certificates: who gets in, by which server name, over which connection, and what a reload changes. */
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificatePath, pair, pem } from '../support/certificates.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const CA = certificatePath('ca.pem');
const OTHER_CA = certificatePath('other-ca.pem');
const CRL = certificatePath('clients.crl.pem');
const REVOKED = certificatePath('clients-revoked.crl.pem');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function config(originPort: number, settings: object, more: Record<string, unknown> = {}): Record<string, unknown> {
  return simpleConfig(originPort, {
    certificates: { site: pair('site'), names: pair('names') },
    listeners: { web: { address: '127.0.0.1:0', tls: { certificates: ['site', 'names'], ...settings } } },
    logging: { access: { path: join(folder, 'access.log') } },
    ...more,
  });
}

/** The options of a client with this certificate. */
function as(name: string): tls.ConnectionOptions {
  return { cert: pem(`${name}.pem`), key: pem(`${name}.key`) };
}

const TLS12: tls.ConnectionOptions = { maxVersion: 'TLSv1.2' };
const VERSIONS: readonly tls.ConnectionOptions[] = [TLS12, {}];

function get(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

/** The statuses of requests for these hosts over one connection. */
async function statuses(port: number, options: tls.ConnectionOptions, ...hosts: readonly string[]): Promise<number[]> {
  await using client = await RawClient.secure(port, options);
  const found: number[] = [];
  for (const host of hosts) found.push((await client.send(get(host)).response()).status);
  return found;
}

/** What a client sees: the status of its response, or the code of the alert. */
async function outcome(port: number, options: tls.ConnectionOptions): Promise<number | string> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    servername: 'site.example',
    ...options,
  });
  const client = new RawClient(socket);
  client.send(get('site.example'));
  try {
    return (await client.response()).status;
  } catch {
    return client.error;
  } finally {
    socket.destroy();
  }
}

/** The errors in the access log, when there are as many as that. */
async function logged({ running }: TestGateway, count: number): Promise<Record<string, unknown>[]> {
  const read = (): Record<string, unknown>[] => {
    running.gateway.reopenLogs();
    return readFileSync(join(folder, 'access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  await until(() => read().length >= count, `the log has ${count} lines`);
  return read();
}

test.each([
  ['required', 'client', 200, ''],
  ['required', 'direct', 200, ''],
  ['required', '', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_peer_did_not_return_a_certificate'],
  ['required', 'stranger', 400, 'tls_client_unable_to_get_issuer_cert_locally'],
  ['required', 'expired-client', 400, 'tls_client_cert_has_expired'],
  ['required', 'server-only', 400, 'tls_client_invalid_purpose'],
  ['required', 'revoked', 200, ''],
  ['optional', 'client', 200, ''],
  ['optional', '', 200, ''],
  ['optional', 'stranger', 400, 'tls_client_unable_to_get_issuer_cert_locally'],
])('%s: a client with %j gets %s', async (mode, name, expected, code) => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { client_auth: { mode, ca: CA } }));
  for (const version of VERSIONS) {
    const seen = await outcome(gateway.port(), { ...version, ...(name === '' ? {} : as(name)) });
    const alert = version === TLS12 && name === '' ? 'EPROTO' : expected;
    expect(seen).toBe(mode === 'required' ? alert : expected);
  }
  const lines = await logged(gateway, 2);
  expect(lines.map(({ error = '' }) => error)).toEqual([code, code]);
  expect(origin.requests).toHaveLength(expected === 200 ? 2 : 0);
});

test('revocation lists: a listed client, and lists that are too old', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { client_auth: { ca: CA, crl: REVOKED } }));
  expect(await outcome(gateway.port(), as('client'))).toBe(200);
  expect(await outcome(gateway.port(), as('direct'))).toBe(200);
  expect(await outcome(gateway.port(), as('revoked'))).toBe(400);
  await gateway.edit(config(origin.port, { client_auth: { ca: CA, crl: certificatePath('expired.crl.pem') } }));
  expect(await outcome(gateway.port(), as('client'))).toBe(400);
  const errors = (await logged(gateway, 4)).map(({ error = '' }) => error);
  expect(errors).toEqual(['', '', 'tls_client_cert_revoked', 'tls_client_crl_has_expired']);
});

test('depth counts the intermediate certificates', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { client_auth: { ca: CA, depth: 0 } }));
  expect(await outcome(gateway.port(), as('direct'))).toBe(200);
  expect(await outcome(gateway.port(), as('client'))).toBe(400);
  // An intermediate authority in the bundle is trusted itself.
  const intermediate = pem('client.pem').split(/(?<=-----END CERTIFICATE-----\n)/)[1]!;
  writeFileSync(join(folder, 'int.pem'), intermediate);
  await gateway.edit(config(origin.port, { client_auth: { ca: join(folder, 'int.pem'), depth: 0 } }));
  expect(await outcome(gateway.port(), as('client'))).toBe(200);
  expect(await outcome(gateway.port(), as('direct'))).toBe(400);
});

/** `admin` needs a certificate, everything below `deep` one of the other authority; the rest is open. */
const BY_NAME = {
  names: {
    'admin.example.com': { client_auth: { ca: CA } },
    '*.deep.example.com': { client_auth: { ca: OTHER_CA } },
    'strict.example.com': { min_version: '1.3' },
  },
};

test('by server name: only its clients need a certificate, and each authority is for its names', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, BY_NAME));
  const port = gateway.port();
  const reach = (servername: string, options: tls.ConnectionOptions = {}) => outcome(port, { servername, ...options });
  expect(await statuses(port, { servername: 'open.example.com' }, 'open.example.com')).toEqual([200]);
  expect(await reach('admin.example.com')).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  expect(await statuses(port, { servername: 'admin.example.com', ...as('client') }, 'admin.example.com')).toEqual([
    200,
  ]);
  expect(await reach('admin.example.com', as('stranger'))).toBe(400);
  expect(await reach('a.deep.example.com', as('client'))).toBe(400);
  const deep = { servername: 'b.a.deep.example.com', ...as('stranger') };
  expect(await statuses(port, deep, 'a.deep.example.com', 'x.y.deep.example.com', 'deep.example.com')).toEqual([
    200, 200, 421,
  ]);
  expect(await reach('strict.example.com', TLS12)).toBe('EPROTO');
});

test('the open name in the handshake does not open the guarded host (GHSA-hrhx-6h34-j5hc)', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, BY_NAME));
  const port = gateway.port();
  for (const version of VERSIONS) {
    const open = { ...version, servername: 'open.example.com' };
    // A connection of an open host goes on after a refusal: each of its requests is judged.
    const hosts = [
      'open.example.com',
      'admin.example.com',
      'ADMIN.example.com',
      'admin.example.com.',
      'admin.example.com:443',
      'admin.example.com:8443',
      'adm%69n.example.com',
      'a.deep.example.com',
      'other.example.com',
    ];
    expect(await statuses(port, open, ...hosts)).toEqual([200, 421, 421, 421, 421, 421, 421, 421, 200]);
    // A certificate that was not asked for does not count.
    expect(await statuses(port, { ...open, ...as('client') }, 'admin.example.com')).toEqual([421]);
    // Nor does the other authority's.
    const deep = { ...version, servername: 'a.deep.example.com', ...as('stranger') };
    expect(await statuses(port, deep, 'admin.example.com', 'open.example.com')).toEqual([421, 421]);
    await using absolute = await RawClient.secure(port, open);
    absolute.send('GET https://admin.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n');
    const { status, body } = await absolute.response();
    expect([status, JSON.parse(body)]).toMatchObject([421, { title: 'Misdirected Request', status: 421 }]);
    // Without a server name, no other connection would help.
    expect(await statuses(port, { ...version, servername: '' }, 'admin.example.com', 'open.example.com')).toEqual([
      403, 200,
    ]);
  }
  expect(origin.requests.map(({ headers }) => headers['host'])).not.toContain('admin.example.com');
  const errors = (await logged(gateway, 30)).map(({ error = '' }) => error);
  expect(new Set(errors)).toEqual(new Set(['', 'misdirected', 'server_name_needed']));
});

/** A session of a client with these options, after one request, and whether another handshake resumes it. */
async function resumes(
  port: number,
  first: tls.ConnectionOptions,
  then: tls.ConnectionOptions,
): Promise<{ reused: boolean; client: RawClient } | string> {
  await using one = await RawClient.secure(port, first);
  await one.send(get(String(first.servername))).response();
  const session = one.socket.getSession()!;
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...then, session });
  const client = new RawClient(socket);
  try {
    await once(socket, 'secureConnect');
  } catch {
    return client.error;
  }
  const reused = socket.isSessionReused();
  return { reused, client };
}

test.each(VERSIONS)('a session of one name does not open another (CVE-2025-23419), %j', async (version) => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, BY_NAME));
  const port = gateway.port();
  const admin = { ...version, servername: 'admin.example.com' };
  const outcomes: (boolean | string)[] = [];
  for (const [first, then] of [
    // Without a certificate, then at the name that needs one.
    [{ ...version, servername: 'open.example.com' }, admin],
    // A certificate of one authority, then at the name of the other.
    [{ ...version, servername: 'a.deep.example.com', ...as('stranger') }, admin],
    [
      { ...version, servername: 'a.deep.example.com', ...as('stranger') },
      { ...admin, ...as('stranger') },
    ],
    // The same name: it may be resumed, and the client keeps its identity without sending the certificate again.
    [{ ...admin, ...as('client') }, admin],
    [
      { ...admin, ...as('client') },
      { ...version, servername: 'open.example.com' },
    ],
  ] as const) {
    const seen = await resumes(port, first, then);
    if (typeof seen === 'string') outcomes.push(seen);
    else {
      seen.client.send(get(String(then.servername)));
      const answer = await seen.client.response().then(
        ({ status }) => String(status),
        () => seen.client.error,
      );
      outcomes.push(seen.reused, answer);
      await seen.client[Symbol.asyncDispose]();
    }
  }
  const missing = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';
  expect(outcomes).toEqual(
    version === TLS12
      ? [
          'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
          'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
          false,
          '400',
          true,
          '200',
          false,
          '200',
        ]
      : [false, missing, false, missing, false, '400', true, '200', false, '200'],
  );
});

test('without tickets nothing is resumed: the gateway keeps no sessions by their id', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, BY_NAME));
  const { SSL_OP_NO_TICKET } = await import('node:constants');
  const open = { ...TLS12, servername: 'open.example.com', secureOptions: SSL_OP_NO_TICKET };
  const socket = tls.connect({ port: gateway.port(), host: '127.0.0.1', rejectUnauthorized: false, ...open });
  await once(socket, 'secureConnect');
  const session = socket.getSession()!;
  socket.destroy();
  const again = tls.connect({ port: gateway.port(), host: '127.0.0.1', rejectUnauthorized: false, ...open, session });
  await once(again, 'secureConnect');
  expect(again.isSessionReused()).toBe(false);
  again.destroy();
});

test('new lists take effect: the next handshake, idle connections, the next request of others, tickets', async () => {
  const crl = join(folder, 'clients.crl');
  copyFileSync(CRL, crl);
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { client_auth: { ca: CA, crl } }));
  const port = gateway.port();
  await using good = await RawClient.secure(port, { servername: 'site.example', ...as('client') });
  await using bad = await RawClient.secure(port, { servername: 'site.example', ...as('revoked') });
  for (const client of [good, bad]) expect((await client.send(get('site.example')).response()).status).toBe(200);
  const session = bad.socket.getSession()!;
  const { generation } = gateway.running.gateway.current!;
  copyFileSync(REVOKED, crl);
  await until(() => gateway.running.gateway.current!.generation > generation, 'the lists are taken up');
  await bad.end();
  expect((await good.send(get('site.example')).response()).status).toBe(200);
  expect(await outcome(port, as('client'))).toBe(200);
  expect(await outcome(port, as('revoked'))).toBe(400);
  expect(await outcome(port, { ...as('revoked'), session })).toBe(400);
  expect(await outcome(port, { session })).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
});

test('a connection from before client_auth, or of an authority that is gone, is sent away; others go on', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, {}));
  const port = gateway.port();
  await using anonymous = await RawClient.secure(port, { servername: 'site.example' });
  const ask = async (client: RawClient): Promise<number> => (await client.send(get('site.example')).response()).status;
  expect(await ask(anonymous)).toBe(200);
  await gateway.edit(config(origin.port, { client_auth: { ca: CA } }));
  expect(await ask(anonymous)).toBe(421);
  await using known = await RawClient.secure(port, { servername: 'site.example', ...as('client') });
  expect(await ask(known)).toBe(200);
  await gateway.edit(config(origin.port, { client_auth: { ca: CA, mode: 'optional' }, min_version: '1.3' }));
  expect([await ask(known), await ask(anonymous)]).toEqual([200, 200]);
  await gateway.edit(config(origin.port, { client_auth: { ca: OTHER_CA } }));
  expect([await ask(known), await ask(anonymous)]).toEqual([421, 421]);
  await gateway.edit(config(origin.port, {}));
  expect([await ask(known), await ask(anonymous)]).toEqual([200, 200]);
});

test('a connection from before TLS is sent away from hosts whose clients need a certificate', async () => {
  await using origin = await httpOrigin();
  const plain = config(origin.port, {}, { listeners: { web: { address: '127.0.0.1:0' } } });
  await using gateway = await testGateway(plain);
  await using client = await RawClient.to(gateway.port());
  expect((await client.send(get('site.example')).response()).status).toBe(200);
  await gateway.edit(config(origin.port, { client_auth: { ca: CA } }));
  expect((await client.send(get('site.example')).response()).status).toBe(421);
});

test('a tcp listener lets only clients with a certificate through', async () => {
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  await using gateway = await testGateway({
    version: 1,
    certificates: { site: pair('site') },
    pools: { echo: { endpoints: [`127.0.0.1:${origin.port}`] } },
    listeners: {
      web: {
        address: '127.0.0.1:0',
        protocol: 'tcp',
        pool: 'echo',
        tls: { certificates: ['site'], client_auth: { ca: CA } },
      },
    },
  });
  await using client = await RawClient.secure(gateway.port(), as('client'));
  client.send('hello');
  await until(() => client.text === 'hello', 'the echo comes');
  client.socket.end();
  await client.end();
  const socket = tls.connect({ port: gateway.port(), host: '127.0.0.1', rejectUnauthorized: false, ...as('stranger') });
  const stranger = new RawClient(socket);
  stranger.send('hello');
  await until(() => stranger.closed, 'it is closed');
  expect(stranger.text).toBe('');
});

test('new lists end the byte streams of clients that they revoke, as any tightened rule does', async () => {
  const crl = join(folder, 'clients.crl');
  copyFileSync(CRL, crl);
  await using origin = await rawOrigin((socket) => socket.pipe(socket));
  await using gateway = await testGateway({
    version: 1,
    reload: { tightened: 'cut' },
    certificates: { site: pair('site') },
    pools: { echo: { endpoints: [`127.0.0.1:${origin.port}`] } },
    listeners: {
      web: {
        address: '127.0.0.1:0',
        protocol: 'tcp',
        pool: 'echo',
        tls: { certificates: ['site'], client_auth: { ca: CA, crl } },
      },
    },
  });
  await using good = await RawClient.secure(gateway.port(), as('client'));
  await using bad = await RawClient.secure(gateway.port(), as('revoked'));
  for (const client of [good, bad]) {
    client.send('a');
    await until(() => client.text === 'a', 'the echo comes');
  }
  copyFileSync(REVOKED, crl);
  await until(() => bad.closed || bad.ended, 'the stream is cut');
  good.send('b');
  await until(() => good.text === 'ab', 'the other goes on');
});

const STAFF = [{ uri: 'spiffe://example.org/*', issuer: 'CN=Test Intermediate,O=Test' }];

test('an ACL may want a certificate with certain names, of a listener or of a route', async () => {
  await using origin = await httpOrigin();
  const acls = {
    staff: { certificates: STAFF },
    one: { certificates: [{ subject: 'CN=direct,OU=clients,O=Test' }, { dns: '*.Example' }] },
    nearby: { allow: ['10.0.0.0/8'], certificates: STAFF },
  };
  const route = (name: string) => ({
    name,
    match: { path: `/${name}` },
    policies: [{ type: 'acl', acl: name }],
    pool: 'origin',
  });
  const settings = config(origin.port, { client_auth: { ca: CA, mode: 'optional' } }, { acls });
  const routes = [...Object.keys(acls).map(route), ...(settings['routes'] as object[])];
  await using gateway = await testGateway({ ...settings, routes });
  const asked = async (options: tls.ConnectionOptions): Promise<number[]> => {
    await using client = await RawClient.secure(gateway.port(), options);
    const found: number[] = [];
    for (const path of ['/staff', '/one', '/nearby', '/'])
      found.push((await client.send(`GET ${path} HTTP/1.1\r\nHost: site.example\r\n\r\n`).response()).status);
    return found;
  };
  expect(await asked(as('client'))).toEqual([200, 200, 403, 200]);
  expect(await asked(as('direct'))).toEqual([403, 200, 403, 200]);
  expect(await asked(as('revoked'))).toEqual([200, 403, 403, 200]);
  expect(await asked({})).toEqual([403, 403, 403, 200]);
  // Of the listener: a new list also ends the connections of clients that it leaves out.
  await using kept = await RawClient.secure(gateway.port(), as('client'));
  await using left = await RawClient.secure(gateway.port(), as('direct'));
  for (const client of [kept, left]) expect((await client.send(get('a')).response()).status).toBe(200);
  const web = { address: '127.0.0.1:0', acl: 'staff', tls: { certificates: ['site'], client_auth: { ca: CA } } };
  await gateway.edit({ ...settings, listeners: { web } });
  await left.end();
  expect((await kept.send(get('a')).response()).status).toBe(200);
  expect(await outcome(gateway.port(), as('direct'))).toBe(403);
});

test('backends learn the certificate (RFC 9440), and only that which the gateway has seen', async () => {
  await using origin = await httpOrigin();
  const listeners = (identity: object): Record<string, unknown> => ({
    listeners: {
      web: {
        address: '127.0.0.1:0',
        trusted_proxies: ['127.0.0.1'],
        identity: { untrusted: 'pass', underscores: 'pass', ...identity },
        tls: { certificates: ['site'], client_auth: { ca: CA, mode: 'optional' } },
      },
    },
  });
  await using gateway = await testGateway(config(origin.port, {}, listeners({ client_cert: 'chain' })));
  const forged = 'Client-Cert: :Zm9yZ2Vk:\r\nClient-Cert-Chain: :Zm9yZ2Vk:\r\nClient_Cert: :Zm9yZ2Vk:\r\n';
  const told = async (options: tls.ConnectionOptions, more = ''): Promise<Record<string, unknown>> => {
    await using client = await RawClient.secure(gateway.port(), options);
    await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${forged}${more}\r\n`).response();
    const { headers } = origin.requests.at(-1)!;
    return Object.fromEntries(Object.entries(headers).filter(([name]) => /^client.cert/.test(name)));
  };
  const ders = pem('client.pem')
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map((text) => `:${text.replace(/-----[^-]*-----|\n/g, '')}:`);
  const leafAndChain = { 'client-cert': ders[0], 'client-cert-chain': ders[1] };
  expect(await told(as('client'))).toEqual(leafAndChain);
  // What a trusted proxy says of the client does not replace it.
  expect(await told(as('client'), 'X-Forwarded-For: 203.0.113.7\r\n')).toEqual(leafAndChain);
  expect(await told({})).toEqual({});
  await gateway.edit(config(origin.port, {}, listeners({ client_cert: 'leaf' })));
  expect(await told(as('client'))).toEqual({ 'client-cert': ders[0] });
  // Without the setting it is the trusted proxy's word.
  await gateway.edit(config(origin.port, {}, listeners({})));
  expect(await told(as('client'))).toMatchObject({ 'client-cert': ':Zm9yZ2Vk:' });
});

test('the access log has the version, the suite, the server name and the client, and whom it refuses', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port, { client_auth: { ca: CA } }));
  const port = gateway.port();
  expect(await statuses(port, { servername: 'site.example', ...as('client') }, 'a', 'b')).toEqual([200, 200]);
  expect(await outcome(port, { ...as('stranger'), ...TLS12 })).toBe(400);
  expect(await outcome(port, {})).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  const [first, second, refused, missing] = await logged(gateway, 4);
  expect(missing).toMatchObject({ server_name: 'site.example', error: 'tls_peer_did_not_return_a_certificate' });
  const fingerprint = /^[0-9a-f]{64}$/;
  const seen = {
    tls_version: 'TLSv1.3',
    tls_cipher: 'TLS_AES_256_GCM_SHA384',
    server_name: 'site.example',
    client_subject: 'CN=client',
    client_spiffe_id: 'spiffe://example.org/client',
    client_fingerprint: expect.stringMatching(fingerprint) as string,
    status: 200,
  };
  expect([first, second]).toMatchObject([seen, seen]);
  expect(refused).toMatchObject({
    tls_version: 'TLSv1.2',
    client_subject: 'CN=stranger,OU=clients,O=Test',
    error: 'tls_client_unable_to_get_issuer_cert_locally',
  });
});
