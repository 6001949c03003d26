/** The filter chain on real sockets: response hooks of local replies, body filters in both directions, their end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { get } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-filters-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Upper-cases the body in the direction that the config names, and says its name in a field of the response. */
const SHOUT = join(folder, 'shout.ts');
const SRC = join(import.meta.dirname, '../../src');
writeFileSync(
  SHOUT,
  `import { BodyFilter } from ${JSON.stringify(join(SRC, 'http/body-filter.ts'))};
   class Shout extends BodyFilter {
     constructor(name, x) { super(); this.name = name; this.x = x; }
     data(bytes, start, end) {
       const text = this.name + bytes.toString('latin1', start, end).toUpperCase();
       const made = Buffer.from(text, 'latin1');
       return this.next.data(made, 0, made.length);
     }
     end(trailers) { this.next.end(trailers); }
   }
   export const schema = { type: 'object' };
   export default {
     bind: ({ name, on }) => ({
       forward: (x) => {
         if (on !== 'request' || x.bodyLength === 0) return undefined;
         x.fields.remove('content-length');
         x.bodyLength = -1;
         return new Shout(name, x);
       },
       response: (x) => {
         x.response.fields.add('X-Seen', name);
         if (on !== 'response') return undefined;
         x.response.length = -1;
         return new Shout(name, x);
       },
     }),
     why: () => '',
   };`,
);

const shout = (name: string, on: string): object => ({ type: 'module', module: SHOUT, config: { name, on } });

const headers = (name: string, value: string): object => ({
  type: 'headers',
  response: { add: { [name]: value } },
});

/** One listener, one pool, and these routes. */
const configOf = (port: number, routes: readonly object[], listener: object = {}): Record<string, unknown> => ({
  version: 1,
  listeners: { web: { address: '127.0.0.1:0', ...listener } },
  caches: { pages: {} },
  pools: { app: { endpoints: [`127.0.0.1:${port}`] } },
  routes,
});

describe('a local reply passes the response hooks of its route', () => {
  test('a fixed one, a redirect, a refusal and an error', async () => {
    const hsts = headers('Strict-Transport-Security', 'max-age=1');
    await using gateway = await testGateway(
      configOf(1, [
        { name: 'fixed', match: { path: '/fixed' }, respond: { body: 'so' }, policies: [hsts] },
        { name: 'moved', match: { path: '/moved' }, redirect: { scheme: 'https' }, policies: [hsts] },
        {
          name: 'no',
          match: { path: '/no' },
          respond: {},
          policies: [hsts, { type: 'decompress' }],
        },
        { name: 'down', match: { path: '/down' }, pool: 'app', policies: [hsts, { type: 'cache', cache: 'pages' }] },
      ]),
    );
    for (const [path, status] of [
      ['/fixed', 200],
      ['/moved', 308],
      ['/no', 200],
      ['/down', 502],
    ] as const) {
      const answer = await get(gateway.port(), path);
      expect([path, answer.status, answer.headers['strict-transport-security']]).toEqual([path, status, 'max-age=1']);
      expect(answer.headers['cache-status']).toBeUndefined();
      expect(answer.headers['date']).toBeDefined();
    }
  });

  test('and its body filters, with one Content-Length or none', async () => {
    await using gateway = await testGateway(
      configOf(1, [
        { name: 'a', match: {}, respond: { body: 'abc' }, policies: [shout('1', 'response'), shout('2', 'response')] },
      ]),
    );
    const answer = await get(gateway.port(), '/');
    expect(answer).toMatchObject({ status: 200, body: '12ABC', headers: { 'x-seen': '2, 1' } });
    expect(answer.headers['content-length']).toBeUndefined();
    const head = await get(gateway.port(), '/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
  });
});
