/** Policies from modules in a running gateway: reloads, refusals, rollbacks, pushes, errors in hooks, and the commands. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { get, getJson } from '../support/requests.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'prozy-modules-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Replaces the file at once. */
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

/** A policy that refuses with the status that `status.ts` says. */
function writePolicy(status: number): string {
  write('status.ts', `export const status = ${status};`);
  return write(
    'policy.ts',
    `import { status } from './status.ts';
     export const schema = { type: 'object', properties: { fail: { type: 'string' }, secret: { type: 'string' } } };
     const reply = { status, reason: 'Said' };
     export default {
       bind({ fail }, { route }) {
         if (fail === 'bind') throw new RangeError('not here');
         return {
           request(x) {
             if (fail === 'request') throw new Error('a mistake');
             if (fail === 'later') return Promise.reject(new Error('a late mistake'));
             return x.path === '/free' ? undefined : reply;
           },
           done(x) { if (fail === 'done') throw new Error('a mistake at the end'); },
         };
       },
       why: (config, x) => 'as the file says',
     };`,
  );
}

const config = (policy: object, more: object = {}): Record<string, unknown> => ({
  version: 1,
  admin: { address: '127.0.0.1:0' },
  listeners: { web: { address: '127.0.0.1:0' } },
  routes: [{ name: 'all', match: {}, respond: { body: 'free' }, policies: [policy] }],
  ...more,
});
const policy = (settings: object = {}): object => ({
  type: 'module',
  module: join(folder, 'policy.ts'),
  config: settings,
});
const statusOf = async (gateway: TestGateway, path = '/'): Promise<number> => (await get(gateway.port(), path)).status;

/** Waits for the next reload. */
async function reloaded({ running: { reloader } }: TestGateway, change: () => void): Promise<void> {
  const before = reloader.reloads.last;
  change();
  await until(() => reloader.reloads.last !== before, 'the change has been taken up');
}

describe('a reload', () => {
  test('follows an edit of what the module imports, and no other version answers', async () => {
    writePolicy(401);
    await using gateway = await testGateway(config(policy()));
    expect([await statusOf(gateway), await statusOf(gateway, '/free')]).toEqual([401, 200]);
    await reloaded(gateway, () => write('status.ts', 'export const status = 402;'));
    expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'applied', generation: 2 });
    expect(await statusOf(gateway)).toBe(402);
  });

  test('is refused while the module cannot be used, at its place, and the old one serves', async () => {
    writePolicy(401);
    await using gateway = await testGateway(config(policy()));
    await reloaded(gateway, () => write('status.ts', 'export const status = ;'));
    expect(gateway.running.reloader.reloads.last).toMatchObject({
      result: 'failed',
      reason: 'validate',
      problems: [{ pointer: '/routes/0/policies/0/module', related: [{ file: join(folder, 'status.ts'), line: 1 }] }],
    });
    expect(await statusOf(gateway)).toBe(401);
    await reloaded(gateway, () => write('status.ts', 'export const status = 403;'));
    expect(await statusOf(gateway)).toBe(403);
  });

  test('is refused if bind throws, at its place', async () => {
    writePolicy(401);
    await using gateway = await testGateway(config(policy()));
    await gateway.edit(config(policy({ fail: 'bind' })));
    const { result, reason, problem, problems } = gateway.running.reloader.reloads.last!;
    expect([result, reason]).toEqual(['failed', 'bind']);
    expect(problem).toContain('policy.ts cannot be bound: RangeError: not here');
    expect(problems).toMatchObject([{ file: gateway.file, line: 1, pointer: '/routes/0/policies/0/module' }]);
    expect(await statusOf(gateway)).toBe(401);
    await expect(testGateway(config(policy({ fail: 'bind' })))).rejects.toThrow(
      'cannot be bound: RangeError: not here',
    );
  });

  test('that is refused at bind leaves nothing behind of what was bound before', async () => {
    writePolicy(401);
    const more = (...policies: object[]): object => ({
      caches: { c: {} },
      pools: { p: { endpoints: ['127.0.0.1:1'] } },
      routes: [
        { name: 'first', match: { path: '/first' }, pool: 'p', policies: [policy()] },
        { name: 'all', match: {}, pool: 'p', policies },
      ],
    });
    await using gateway = await testGateway(config(policy()));
    const { registry } = gateway.running.gateway;
    const before = registry.size;
    await gateway.edit(config({}, more({ type: 'cache', cache: 'c' }, policy({ fail: 'bind' }))));
    expect([gateway.running.reloader.reloads.last?.reason, registry.size]).toEqual(['bind', before]);
  });

  test('of a large config compiles elsewhere, and binds the same texts here', async () => {
    writePolicy(401);
    const routes = Array.from({ length: 300 }, (_, i) => ({
      name: `r${i}`,
      match: { path: `/r${i}` },
      respond: {},
      policies: [policy({ secret: `${i}` })],
    }));
    await using gateway = await testGateway(config(policy()));
    const { routes: own } = config(policy()) as { routes: object[] };
    await gateway.edit(config(policy(), { routes: [...routes, ...own] }));
    expect([await statusOf(gateway), await statusOf(gateway, '/r17')]).toEqual([401, 401]);
    await reloaded(gateway, () => write('status.ts', 'export const status = 402;'));
    expect([await statusOf(gateway), await statusOf(gateway, '/r17')]).toEqual([402, 402]);
    await reloaded(gateway, () => write('status.ts', 'export const status = ;'));
    expect(gateway.running.reloader.reloads.last).toMatchObject({ result: 'failed', reason: 'validate' });
    expect(await statusOf(gateway)).toBe(402);
  });
});

test('a rollback runs the module as it was then', async () => {
  writePolicy(401);
  const state = { reload: { state_dir: join(folder, 'state') } };
  await using gateway = await testGateway(config(policy(), state));
  await reloaded(gateway, () => write('status.ts', 'export const status = 402;'));
  expect(await statusOf(gateway)).toBe(402);
  const written = async (): Promise<number> =>
    (await getJson<{ entries: object[] }>(gateway.adminPort(), '/history')).entries.length;
  let entries = 0;
  await until(
    () => entries === 2,
    'the history is written',
    async () => void (entries = await written()),
  );
  const { status } = await get(gateway.adminPort(), '/history/1/rollback', { method: 'POST' });
  expect([status, await statusOf(gateway)]).toEqual([200, 401]);
});

describe('an error in a hook', () => {
  test.each(['request', 'later'])('%s: the client gets a 500, and the log one line a second', async (fail) => {
    writePolicy(401);
    const access = join(folder, 'access.log');
    await using gateway = await testGateway(config(policy({ fail }), { logging: { access: { path: access } } }));
    for (let i = 0; i < 3; i++) expect(await statusOf(gateway)).toBe(500);
    const lines = gateway.logged.filter(({ event }) => event === 'a policy failed');
    expect(lines[0]).toMatchObject({
      level: 'error',
      module: join(folder, 'policy.ts'),
      route: 'all',
      hook: 'request',
    });
    expect(String(lines[0]?.['problem'])).toMatch(/Error: a (late )?mistake/);
    await until(() => (readFileSync(access, 'utf8').match(/"error":"policy_failed"/g)?.length ?? 0) === 3, 'logged');
  });

  test('at the end of an exchange changes nothing else', async () => {
    writePolicy(401);
    await using gateway = await testGateway(config(policy({ fail: 'done' })));
    expect([await statusOf(gateway, '/free'), await statusOf(gateway)]).toEqual([200, 401]);
    expect(gateway.logged.some(({ event, hook }) => event === 'a policy failed' && hook === 'done')).toBe(true);
  });
});

describe('a hook for messages', () => {
  /** A policy whose hooks these are, before an origin that answers with `parts`; returns the response as text. */
  async function answerOf(
    hooks: string,
    parts: string[],
    body = '',
  ): Promise<{ text: string; asked: string[]; log: string }> {
    const asked: string[] = [];
    const origin = createServer((request, response) => {
      let read = '';
      request.on('data', (part: Buffer) => (read += part.toString()));
      request.on('end', () => {
        asked.push(read);
        for (const part of parts) response.write(part);
        response.end();
      });
    });
    await once(origin.listen(0, '127.0.0.1'), 'listening');
    const { port } = origin.address() as AddressInfo;
    write(
      'policy.ts',
      `import { BodyFilter } from 'prozy';
       class Upper extends BodyFilter {
         data(bytes, start, end) {
           const text = Buffer.from(bytes.toString('latin1', start, end).toUpperCase());
           return this.next.data(text, 0, text.length);
         }
         end(trailers) { this.next.end(trailers); }
       }
       class Thrower extends Upper { data() { throw new Error('in a filter'); } }
       export const schema = {};
       export default { bind: () => ({ ${hooks} }) };`,
    );
    try {
      await using gateway = await testGateway(
        config(policy(), {
          pools: { p: { endpoints: [`127.0.0.1:${port}`] } },
          routes: [{ name: 'all', match: {}, pool: 'p', policies: [policy()] }],
        }),
      );
      const socket = connect(gateway.port(), '127.0.0.1');
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      let text = '';
      socket.on('data', (part: Buffer) => (text += part.toString('latin1')));
      await once(socket, 'close');
      return { text, asked, log: JSON.stringify(gateway.logged.filter(({ event }) => event === 'a policy failed')) };
    } finally {
      origin.close();
    }
  }

  test('may change the body both ways; the framing follows the length, once', async () => {
    const hooks = `forward: () => new Upper(), response(x) { x.response.length = 4; return new Upper(); }`;
    const { text, asked } = await answerOf(hooks, ['ab', 'cd'], 'body');
    expect(asked).toEqual(['BODY']);
    expect(text.match(/content-length: 4\r\n/gi)).toHaveLength(1);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/\r\n\r\nABCD$/);
  });

  test('that throws before the request is sent: a 500, and the backend hears nothing', async () => {
    const { text, asked, log } = await answerOf(`forward() { throw new Error('no forward'); }`, ['ab']);
    expect([asked, log]).toEqual([[], expect.stringContaining('no forward')]);
    expect(text).toMatch(/^HTTP\/1.1 500 /);
  });

  test('that throws at the response: a 500 in its place, without its fields and its body', async () => {
    const hooks = `response(x) { x.response.fields.set('x-half', 'done'); throw new Error('no response'); }`;
    const { text, asked } = await answerOf(hooks, ['secret']);
    expect(asked).toHaveLength(1);
    expect(text).toMatch(/^HTTP\/1.1 500 /);
    expect(text).not.toMatch(/secret|x-half/);
  });

  test.each([
    ['throws', 'return new Thrower();', 'in a filter'],
    ['sends less than it announced', 'x.response.length = 9; return new Upper();', ''],
  ])('whose filter %s: the response breaks off', async (_, code, problem) => {
    const { text, log } = await answerOf(`response(x) { ${code} }`, ['abcd', 'efgh'].slice(0, problem === '' ? 1 : 2));
    expect(log).toContain(problem);
    expect(text).not.toMatch(/efgh|0\r\n\r\n$/i);
  });
});

describe('what is shown', () => {
  test('neither the code nor the settings of a module are on the admin pages', async () => {
    writePolicy(401);
    await using gateway = await testGateway(config(policy({ secret: 'hush' })));
    const { body } = await get(gateway.adminPort(), '/plan');
    expect(body).toContain('policy.ts');
    expect(body).not.toMatch(/hush|export const/);
  });

  test('explain, tests of the config and prozy plan run the module', async () => {
    const file = writePolicy(401);
    const tests = [{ request: { url: 'http://a/x' }, expect: { denied_by: 'module', status: 401 } }];
    await using gateway = await testGateway(config(policy(), { tests }));
    const admin = `127.0.0.1:${gateway.adminPort()}`;
    const told = await run('explain', admin, 'GET', 'http://a/x');
    expect(told.out).toContain('as the file says');
    writeFileSync(`${folder}/bad.json`, JSON.stringify(config(policy({ fail: 'bind' }))));
    expect((await run('explain', `${folder}/bad.json`, 'GET', 'http://a/x')).out).toContain('it cannot be bound');
    expect((await run('check', gateway.file)).out).toContain('fine');
    expect(await run('plan', gateway.file, '--against', admin)).toMatchObject({ code: 0 });
    writeFileSync(file, `${'//'.padEnd(100)}\nexport const schema = {}; export default { bind: () => ({}) };`);
    const plan = await run('plan', gateway.file, '--against', admin);
    expect([plan.code, plan.err]).toEqual([1, expect.stringContaining('it to be denied by module')]);
  });
});

describe('a push', () => {
  const TOKEN = 'a-token-that-is-hard-to-guess';
  const pushing = (push: object, more: object[] = []): Record<string, unknown> => ({
    ...config({ type: 'headers' }),
    admin: { address: '127.0.0.1:0', push: { token: '${env:PUSH_TOKEN}', ...push } },
    routes: [{ name: 'all', match: {}, respond: {}, policies: more }],
  });
  const put = async (gateway: TestGateway, next: object): Promise<{ status: number; body: string }> => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { headers: told } = await get(gateway.adminPort(), '/config', { headers });
    const match = { 'if-match': String(told['etag']) };
    return get(gateway.adminPort(), '/config', {
      method: 'PUT',
      headers: { ...headers, ...match },
      body: JSON.stringify(next),
    });
  };

  test('with a module is refused, and its code does not run, unless the config in effect permits it', async () => {
    writePolicy(401);
    const mark = join(folder, 'ran');
    write('policy.ts', `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, ''); throw 1;`);
    await using gateway = await testGateway(pushing({}), { env: { PUSH_TOKEN: TOKEN } });
    const refused = await put(gateway, pushing({ modules: true }, [policy()]));
    expect(refused.status).toBe(422);
    expect(refused.body).toContain('a pushed config may not name any');
    expect(existsSync(mark)).toBe(false);

    writePolicy(401);
    await gateway.edit(pushing({ modules: true }));
    expect((await put(gateway, pushing({ modules: true }, [policy()]))).status).toBe(200);
    expect(await statusOf(gateway)).toBe(401);
    // The config in effect now consists of a file and a module.
    expect((await put(gateway, pushing({ modules: true }))).status).toBe(200);
    expect(await statusOf(gateway)).toBe(200);
  });
});
