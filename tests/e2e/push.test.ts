/** `GET /config` and `PUT /config`: an edit of the file that is tried before it is made, by whoever has the token. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReloadView } from '../../src/runtime/reload/reload.ts';
import { run } from '../support/command.ts';
import { simpleConfig, type TestGateway, testGateway } from '../support/gateway.ts';
import { type Answer, type AskOptions, get, getJson } from '../support/requests.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const ENV = { env: { PUSH_TOKEN: TOKEN } };
const AUTHORISED = { authorization: `Bearer ${TOKEN}` };
const fixed = (body: string): object[] => [{ name: 'all', match: {}, respond: { body } }];
const configOf = (body: string, push: object = {}): Record<string, unknown> =>
  simpleConfig(1, {
    admin: { address: '127.0.0.1:0', push: { token: '${env:PUSH_TOKEN}', ...push } },
    routes: fixed(body),
  });

const ask = (gateway: TestGateway, options: AskOptions): Promise<Answer> =>
  get(gateway.adminPort(), '/config', options);
const fetchConfig = (gateway: TestGateway): Promise<Answer> => ask(gateway, { headers: AUTHORISED });
const tagOf = async (gateway: TestGateway): Promise<string> => String((await fetchConfig(gateway)).headers['etag']);

/** `match`: null: none is sent. */
async function put(
  gateway: TestGateway,
  content: object | string,
  match: string | null,
  headers: http.OutgoingHttpHeaders = AUTHORISED,
): Promise<Answer & { readonly told: Record<string, unknown> }> {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const all = { ...headers, ...(match === null ? {} : { 'if-match': match }) };
  const answer = await ask(gateway, { method: 'PUT', headers: all, body });
  return { ...answer, told: JSON.parse(answer.body) as Record<string, unknown> };
}

const served = async (gateway: TestGateway): Promise<string> => (await get(gateway.port())).body;
const onDisk = (gateway: TestGateway): string => readFileSync(gateway.file, 'utf8');
/** What a push may leave beside the file. */
const beside = (gateway: TestGateway): string[] =>
  readdirSync(dirname(gateway.file)).filter((name) => name !== 'gateway.json');

describe('a push', () => {
  test('takes effect with its file, whole, and the watcher finds nothing new', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    chmodSync(gateway.file, 0o640);
    const before = await fetchConfig(gateway);
    expect([before.status, before.body, before.headers['content-type']]).toEqual([
      200,
      onDisk(gateway),
      'application/json',
    ]);
    const { status, headers, told } = await put(gateway, configOf('new'), String(before.headers['etag']));
    expect([status, told]).toMatchObject([
      200,
      { trigger: 'push', result: 'applied', generation: 2, changes: '~1 route' },
    ]);
    expect(headers['location']).toBe(`/reloads/${String(told['id'])}`);
    expect([await served(gateway), onDisk(gateway)]).toEqual(['new', JSON.stringify(configOf('new'))]);
    expect(headers['etag']).toBe(await tagOf(gateway));
    expect(lstatSync(gateway.file).mode & 0o777).toBe(0o640);
    expect(beside(gateway)).toEqual([]);
    await gateway.edit(configOf('newer'));
    expect(await served(gateway)).toBe('newer');
    // What is told of a file's changes is told in their order: the push was none of them.
    const { reloads } = await getJson<{ reloads: ReloadView[] }>(gateway.adminPort(), '/reloads');
    expect(reloads.map(({ trigger }) => trigger)).toEqual(['watch', 'push', 'start']);
  });

  test('of other text that means the same is written, and makes no generation', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const text = `${JSON.stringify(configOf('old'), null, 2)}\n`;
    const { status, told } = await put(gateway, text, await tagOf(gateway));
    expect([status, told]).toMatchObject([200, { result: 'unchanged', generation: 1 }]);
    expect(onDisk(gateway)).toBe(text);
    const again = await put(gateway, text, await tagOf(gateway));
    expect([again.status, again.told]).toMatchObject([200, { result: 'unchanged' }]);
  });

  test('is judged like any edit: every problem at its place, nothing written, nothing changed', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const before = onDisk(gateway);
    const tag = await tagOf(gateway);
    const bad = [
      ['parse', '{'],
      ['validate', { ...configOf('new'), colour: 'red' }],
      ['plan', { ...configOf('new'), routes: [{ name: 'all', match: {}, pool: 'nowhere' }] }],
      ['tests', { ...configOf('new'), invariants: [{ type: 'route_exists', route: 'other' }] }],
    ] as const;
    for (const [reason, content] of bad) {
      const { status, headers, told } = await put(gateway, content, tag);
      expect([status, headers['content-type'], told['reason']]).toEqual([422, 'application/problem+json', reason]);
      expect(told['problems']).toMatchObject([{ file: gateway.file, line: 1 }]);
      expect(headers['etag']).toBe(tag);
    }
    expect([await served(gateway), onDisk(gateway), beside(gateway)]).toEqual(['old', before, []]);
    const metrics = (await get(gateway.adminPort(), '/metrics')).body;
    expect(metrics).toContain('prozy_config_last_reload_successful 1');
    expect(metrics).toContain('prozy_config_reload_failures_total{reason="tests"} 1');
  });

  test('that is no UTF-8 is refused', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const headers = { ...AUTHORISED, 'if-match': '*' };
    const answer = await new Promise<number>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: gateway.adminPort(), path: '/config', method: 'PUT', headers };
      const request = http.request(options, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject).end(Buffer.from(JSON.stringify(configOf('é')), 'latin1'));
    });
    expect([answer, await served(gateway)]).toEqual([422, 'old']);
  });

  test('whose address cannot be had is refused, and its file not written', async () => {
    await using other = await testGateway(configOf('other'), ENV);
    await using gateway = await testGateway(configOf('old'), ENV);
    const before = onDisk(gateway);
    const taken = { web: { address: '127.0.0.1:0' }, more: { address: `127.0.0.1:${other.port()}` } };
    const { status, told } = await put(gateway, { ...configOf('new'), listeners: taken }, await tagOf(gateway));
    expect([status, told]).toMatchObject([409, { reason: 'bind', problems: [{ pointer: '/listeners/more/address' }] }]);
    expect([await served(gateway), onDisk(gateway), beside(gateway)]).toEqual(['old', before, []]);
  });
});

describe('If-Match', () => {
  test('is needed, and must name what is in effect', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const tag = await tagOf(gateway);
    expect((await put(gateway, configOf('new'), null)).status).toBe(428);
    expect((await put(gateway, configOf('new'), 'nonsense')).status).toBe(400);
    const stale = await put(gateway, configOf('new'), '"another"');
    expect([stale.status, stale.told['reason'], stale.headers['etag']]).toEqual([412, 'stale', tag]);
    // A weak tag matches nothing (RFC 9110 §8.8.3.2).
    expect((await put(gateway, configOf('new'), `W/${tag}`)).status).toBe(412);
    expect(await served(gateway)).toBe('old');
    expect((await put(gateway, configOf('new'), `"another", ${tag}`)).status).toBe(200);
    expect((await put(gateway, configOf('newer'), '*')).status).toBe(200);
    expect(await served(gateway)).toBe('newer');
  });

  test('lets one of many pushes through that were made from the same config', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const tag = await tagOf(gateway);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => put(gateway, configOf(`new ${i}`), tag)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array<number>(9).fill(412)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect([await served(gateway), onDisk(gateway)]).toEqual([
      `new ${winner}`,
      JSON.stringify(configOf(`new ${winner}`)),
    ]);
    expect(gateway.running.gateway.current!.generation).toBe(2);
  });
});

describe('who may', () => {
  test('nobody, unless it is set', async () => {
    const config = simpleConfig(1, { admin: { address: '127.0.0.1:0' }, routes: fixed('old') });
    await using gateway = await testGateway(config, ENV);
    expect((await fetchConfig(gateway)).status).toBe(404);
    expect((await put(gateway, config, '*')).status).toBe(404);
  });

  test('whoever has the token, and no page of another site', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const without = await ask(gateway, {});
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer realm="config"']);
    const wrong = await ask(gateway, { headers: { authorization: `Bearer ${TOKEN}!` } });
    expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="config", error="invalid_token"',
    ]);
    expect(gateway.logged.at(-1)).toMatchObject({ level: 'warn', client: '127.0.0.1' });
    for (const headers of [{}, { authorization: 'Bearer' }, { authorization: `Basic ${TOKEN}` }])
      expect((await put(gateway, configOf('new'), '*', headers)).status).toBe(401);
    for (const elsewhere of [{ origin: 'http://elsewhere.test' }, { 'sec-fetch-site': 'cross-site' }])
      expect((await put(gateway, configOf('new'), '*', { ...AUTHORISED, ...elsewhere })).status).toBe(403);
    expect(await served(gateway)).toBe('old');
    expect(JSON.stringify(gateway.logged)).not.toContain(TOKEN);
    expect((await get(gateway.adminPort(), '/plan')).body).not.toContain(TOKEN);
  });

  test('the token may change, and the admin listener stays', async () => {
    const env: Record<string, string> = { ...ENV.env, OTHER_TOKEN: 'another-one-that-nobody-guesses' };
    await using gateway = await testGateway(configOf('old'), { env });
    const port = gateway.adminPort();
    const pushed = await put(gateway, configOf('new', { token: '${env:OTHER_TOKEN}' }), '*');
    expect([pushed.status, gateway.adminPort()]).toEqual([200, port]);
    expect((await fetchConfig(gateway)).status).toBe(401);
    const headers = { authorization: `Bearer ${env['OTHER_TOKEN']}` };
    expect((await ask(gateway, { headers })).status).toBe(200);
  });
});

test('what is too large is not read', async () => {
  await using gateway = await testGateway(configOf('old', { max_size: '2KiB' }), ENV);
  const large = configOf('x'.repeat(2048), { max_size: '2KiB' });
  expect((await put(gateway, large, '*')).status).toBe(413);
  const chunked = { ...AUTHORISED, 'transfer-encoding': 'chunked' };
  for (const size of [2048, 4 * 1024 * 1024])
    expect((await put(gateway, 'x'.repeat(size + 1), '*', chunked)).status).toBe(413);
  expect((await put(gateway, configOf('new', { max_size: '2KiB' }), '*')).status).toBe(200);
  expect((await put(gateway, 'zipped', '*', { ...AUTHORISED, 'content-encoding': 'gzip' })).status).toBe(415);
});

test('whoever leaves while it sends has pushed nothing', async () => {
  await using gateway = await testGateway(configOf('old'), ENV);
  const headers = { ...AUTHORISED, 'if-match': '*', 'content-length': 1000 };
  const options = { host: '127.0.0.1', port: gateway.adminPort(), path: '/config', method: 'PUT', headers };
  const request = http.request(options);
  request.on('error', () => {});
  await new Promise<void>((resolve) => request.write('{', () => resolve()));
  request.destroy();
  expect((await put(gateway, configOf('new'), '*')).status).toBe(200);
  const { reloads } = await getJson<{ reloads: ReloadView[] }>(gateway.adminPort(), '/reloads');
  expect(reloads).toHaveLength(2);
  expect(gateway.logged.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('secrets', () => {
  const pools = { origin: { endpoints: ['127.0.0.1:1'], sticky: { secret: 'written as it is, alas' } } };

  test('a config with a secret in it is not shown, and not taken', async () => {
    await using gateway = await testGateway({ ...configOf('old'), pools }, ENV);
    const shown = await fetchConfig(gateway);
    expect([shown.status, shown.headers['etag']]).toEqual([409, undefined]);
    expect(shown.body).toContain('pools.origin.sticky.secret');
    expect(shown.body).not.toContain('alas');
    const { status, told } = await put(gateway, { ...configOf('new'), pools }, '*');
    expect([status, told]).toMatchObject([422, { problems: [{ pointer: '/pools/origin/sticky/secret' }] }]);
    expect(JSON.stringify(told)).not.toContain('alas');
    expect(await served(gateway)).toBe('old');
  });

  test('the token must be a reference', async () => {
    await expect(testGateway(configOf('old', { token: TOKEN }), ENV)).rejects.toThrow(
      /admin\.push\.token {2}must be a reference/,
    );
  });
});

describe('a file that is not for a push to write', () => {
  test('holds another config than what is in effect', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const tag = await tagOf(gateway);
    const { reloader } = gateway.running;
    await gateway.edit('{ "half": ');
    const { status, told } = await put(gateway, configOf('new'), tag);
    expect([status, told['reason'], onDisk(gateway)]).toEqual([409, 'file', '{ "half": ']);
    await gateway.edit(configOf('old'));
    expect(reloader.reloads.last).toMatchObject({ result: 'unchanged' });
    expect((await put(gateway, configOf('new'), tag)).status).toBe(200);
  });

  test('is a symbolic link, or mounted by Kubernetes', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const folder = dirname(gateway.file);
    renameSync(gateway.file, join(folder, 'real.json'));
    symlinkSync('real.json', gateway.file);
    const linked = await put(gateway, configOf('new'), await tagOf(gateway));
    expect([linked.status, linked.told['detail']]).toMatchObject([
      409,
      expect.stringContaining('symbolic link') as string,
    ]);
    symlinkSync('..2026', join(folder, '..data'));
    const mounted = await put(gateway, configOf('new'), await tagOf(gateway));
    expect([mounted.status, mounted.told['detail']]).toMatchObject([
      409,
      expect.stringContaining('Kubernetes') as string,
    ]);
    expect(await served(gateway)).toBe('old');
  });

  test('is one of several, before or after', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    const folder = dirname(gateway.file);
    writeFileSync(join(folder, 'part.yaml'), 'acls: { a: {} }\n');
    const including = { ...configOf('new'), include: ['part.yaml'] };
    const pushed = await put(gateway, including, await tagOf(gateway));
    expect([pushed.status, pushed.told['reason']]).toEqual([409, 'file']);
    await gateway.edit(including);
    expect((await fetchConfig(gateway)).status).toBe(409);
    expect((await put(gateway, configOf('newer'), '*')).status).toBe(409);
    expect(await served(gateway)).toBe('new');
  });

  test('what a killed process has left beside it is no obstacle', async () => {
    await using gateway = await testGateway(configOf('old'), ENV);
    writeFileSync(join(dirname(gateway.file), '.gateway.json.new'), 'half');
    expect((await put(gateway, configOf('new'), '*')).status).toBe(200);
    expect(existsSync(join(dirname(gateway.file), '.gateway.json.new'))).toBe(false);
  });
});

test('prozy plan calls it out that configs may be pushed', async () => {
  await using gateway = await testGateway({ ...configOf('old'), admin: { address: '127.0.0.1:0' } }, ENV);
  writeFileSync(`${gateway.file}.json`, JSON.stringify(configOf('old', { token: '${file:token}' })));
  writeFileSync(join(dirname(gateway.file), 'token'), TOKEN);
  const { out, err } = await run('plan', `${gateway.file}.json`, '--against', gateway.file);
  expect(err).toBe('');
  expect(out).toContain('! loosened: clients with the token may push a config');
});
