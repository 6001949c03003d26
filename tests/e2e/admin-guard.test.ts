/** Who may ask the admin listener for what: the Host it is asked by, the site that asks, the token of actions. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refuse } from '../../src/admin/guard.ts';
import { program } from '../../src/cli/program.ts';
import { simpleConfig, type TestGateway, testGateway } from '../support/gateway.ts';
import { get } from '../support/requests.ts';

const TOKEN = 'a-token-of-many-letters';
const with_ = (admin: object = {}): object =>
  simpleConfig(1, { admin: { address: '127.0.0.1:0', ...admin }, caches: { pages: {} } });

const status = async (
  gateway: TestGateway,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<number> => (await get(gateway.adminPort(), path, { method, headers })).status;

describe('the Host that it is asked by', () => {
  test.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:9090', 200],
    ['10.2.3.4:9090', 200],
    ['[::1]:9090', 200],
    ['localhost:9090', 200],
    ['prozy', 200],
    ['prozy.default.svc.cluster.local:9090', 200],
    ['metadata.google.internal', 200],
    ['Prozy.Example.COM:9090', 200],
    ['a.ops.example.com', 200],
    ['ops.example.com', 421],
    ['xprozy.example.com', 421],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:9090', 421],
    ['local.evil.example', 421],
    ['evillocal.example', 421],
  ])('%s: %i', async (host, expected) => {
    await using gateway = await testGateway(with_({ hosts: ['prozy.example.com', '*.ops.example.com'] }));
    expect(await status(gateway, '/backends', { host })).toBe(expected);
    expect(await status(gateway, '/metrics', { host })).toBe(expected);
    // A rebound name is the page's own origin to its browser.
    const own = { host, 'sec-fetch-site': 'same-origin', origin: `http://${host}` };
    // Another machine of the network can answer for a private name.
    const acts = /^(?:prozy(?:\.default.*)?|metadata\.google\.internal)(?::\d+)?$/.test(host) ? 421 : expected;
    expect(await status(gateway, '/caches/pages?all', own, 'DELETE')).toBe(acts);
    for (const open of ['/health', '/ready']) expect(await status(gateway, open, { host })).toBe(200);
  });
});

describe('pages of other sites', () => {
  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 403, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 200, 200],
    [{ 'sec-fetch-site': 'none' }, 200, 200],
    [{ origin: 'http://elsewhere.test' }, 403, 403],
    [{ origin: 'null' }, 403, 403],
    [{}, 200, 200],
  ])('%j: GET %i, DELETE %i', async (headers, read, act) => {
    await using gateway = await testGateway(with_());
    const sent = headers as Record<string, string>;
    expect(await status(gateway, '/backends', sent)).toBe(read);
    expect(await status(gateway, '/caches/pages?all', sent, 'DELETE')).toBe(act);
  });
});

describe('actions', () => {
  const actions: readonly (readonly [string, string])[] = [
    ['POST', '/backends/origin/127.0.0.1%3A1/disable'],
    ['DELETE', '/caches/pages?all'],
    ['POST', '/reloads'],
    ['POST', '/history/1/rollback'],
    ['DELETE', '/hold'],
  ];

  test.each(actions)('%s %s needs the token once one is set, and reading does not', async (method, path) => {
    await using gateway = await testGateway(with_({ token: `\${env:ADMIN_TOKEN}` }), { env: { ADMIN_TOKEN: TOKEN } });
    const wrong = { authorization: 'Bearer another-token-of-letters' };
    const none = await get(gateway.adminPort(), path, { method });
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="admin"']);
    const refused = await get(gateway.adminPort(), path, { method, headers: wrong });
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="admin", error="invalid_token"',
    ]);
    expect(await status(gateway, path, { authorization: `Bearer ${TOKEN}` }, method)).not.toBe(401);
    expect(await status(gateway, '/backends')).toBe(200);
  });

  test('the token of push is theirs too, where they have none', async () => {
    const push = { token: `\${env:ADMIN_TOKEN}` };
    await using gateway = await testGateway(with_({ push }), { env: { ADMIN_TOKEN: TOKEN } });
    expect(await status(gateway, '/caches/pages?all', {}, 'DELETE')).toBe(401);
    expect(await status(gateway, '/caches/pages?all', { authorization: `Bearer ${TOKEN}` }, 'DELETE')).toBe(200);
  });

  test.each([
    ['127.0.0.1', null],
    ['127.8.9.10', null],
    ['::1', null],
    ['::ffff:127.0.0.1', null],
    // A Unix socket has none.
    [undefined, null],
    ['10.0.0.7', 403],
    ['fd00::2', 403],
    ['::ffff:10.0.0.7', 403],
  ])('without a token they are taken from this machine only: %s', async (remoteAddress, expected) => {
    await using gateway = await testGateway(with_());
    const { gateway: asked, reloader } = gateway.running;
    const message = { method: 'DELETE', url: '/', headers: { host: '10.0.0.1' }, socket: { remoteAddress } };
    const refusal = refuse(
      { gateway: asked, reloader },
      { path: '/' },
      // All that it looks at: a connection from another machine can't be had in a test.
      message as unknown as IncomingMessage,
      { setHeader: () => {} } as unknown as ServerResponse,
    );
    expect(refusal?.status ?? null).toBe(expected);
  });
});

describe('the command line', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test('sends the token that it is given, and says why it is refused', async () => {
    await using gateway = await testGateway(with_({ token: `\${env:ADMIN_TOKEN}` }), { env: { ADMIN_TOKEN: TOKEN } });
    const written: string[] = [];
    const keep = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    vi.spyOn(process.stdout, 'write').mockImplementation(keep);
    vi.spyOn(process.stderr, 'write').mockImplementation(keep);
    const admin = `127.0.0.1:${gateway.adminPort()}`;
    for (const words of [
      ['disable', 'origin', '127.0.0.1:1'],
      ['purge', 'pages', '--all'],
      ['rollback', '1'],
      ['reload'],
    ]) {
      expect(await program([...words, '--admin', admin])).not.toBe(0);
      expect(written.splice(0).join('')).toContain(
        `${admin} refuses: needs the token of the admin listener, in PROZY_ADMIN_TOKEN\n`,
      );
    }
    vi.stubEnv('PROZY_ADMIN_TOKEN', TOKEN);
    expect(await program(['purge', 'pages', '--all', '--admin', admin])).toBe(0);
    expect(await program(['disable', 'origin', '127.0.0.1:1', '--admin', admin])).toBe(0);
  });
});
