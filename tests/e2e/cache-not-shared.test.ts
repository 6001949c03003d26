/** Who waits for another's fetch is given only what might be given to it from the store (RFC 9111 §4). */
import { describe, expect, test } from 'vitest';
import { cached } from '../support/cached.ts';
import { until } from '../support/gateway.ts';

const FRESH = { 'Cache-Control': 'max-age=60' };

describe('those who ask for the same thing at once', () => {
  test.each(['max-age=0', 'no-cache, max-age=60', 's-maxage=0, max-age=60'])(
    'do not share what each must have asked for: %s',
    async (says) => {
      let count = 0;
      const waiting: (() => void)[] = [];
      await using it = await cached((_, response) =>
        waiting.push(() => response.writeHead(200, { 'Cache-Control': says }).end(`answer ${++count}`)),
      );
      const all = [it.ask('/'), it.ask('/'), it.ask('/')];
      const { metrics } = it.gateway.running.gateway;
      await until(() => waiting.length === 1 && metrics.caches.get('pages')!.collapsed === 2, 'two wait for the first');
      waiting[0]!();
      await until(() => waiting.length === 3, 'they ask by themselves');
      for (const answer of waiting.slice(1)) answer();
      const bodies = (await Promise.all(all)).map(({ body }) => body);
      expect(bodies.toSorted()).toEqual(['answer 1', 'answer 2', 'answer 3']);
    },
  );

  test('do not share what a check makes private', async () => {
    const waiting: (() => void)[] = [];
    await using it = await cached(({ headers }, response) => {
      if (it.origin.requests.length === 1) return void response.writeHead(200, { ...FRESH, ETag: '"a"' }).end('old');
      const condition = headers['if-none-match'];
      const own = { 'Cache-Control': 'private, max-age=60', ETag: '"a"', 'X-Condition': condition ?? 'none' };
      waiting.push(() => response.writeHead(condition === undefined ? 200 : 304, own).end());
    });
    await it.ask('/');
    it.clock.shift(61_000);
    const two = [it.ask('/'), it.ask('/')];
    const { metrics } = it.gateway.running.gateway;
    await until(() => waiting.length === 1 && metrics.caches.get('pages')!.collapsed === 1, 'one waits for the other');
    waiting[0]!();
    await until(() => waiting.length === 2, 'it asks by itself');
    waiting[1]!();
    const said = (await Promise.all(two)).map(({ headers }) => String(headers['x-condition']));
    expect(said.toSorted()).toEqual(['"a"', 'none']);
  });
});
