/** Modules that do anything at all with what their hooks get: exchanges end, and the gateway serves on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { poolLoad, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-mistakes-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** `seed`: of the choices. Each hook makes up to three mistakes with an object that it can reach, and returns something. */
const MODULE = join(folder, 'mistakes.ts');
writeFileSync(
  MODULE,
  `import { BodyFilter, INTERCEPTED, LocalReply, problemReply } from 'prozy';
   export const schema = { type: 'object' };
   let state = 0;
   const random = (below) => {
     state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
     return Math.floor((state / 2 ** 32) * below);
   };
   const pick = (list) => list[random(list.length)];
   const broken = () => new Proxy({}, { get() { throw new Error('get'); }, has: () => true });
   const VALUES = [
     () => null, () => undefined, () => 5, () => -1, () => Number.NaN, () => 8n, () => '', () => '/a', () => 'a\\r\\nb: c',
     () => 'x'.repeat(100), () => [], () => [['a', 'b']], () => [[null]], () => ({}), () => Symbol('a'), () => true,
     () => () => { throw new Error('called'); }, () => 'content-length', () => 'host', () => 'x-a', broken,
     () => Promise.resolve(5), () => ({ status: 200 }), () => new Date(Number.NaN), () => Buffer.from('abc'),
     () => ({ status: 204, length: 3 }), () => ({ path: '/a', fields: 5 }), () => ({ pause() {}, resume() {} }),
   ];
   const value = () => pick(VALUES)();
   // What a module does outside of its hooks, such as in a listener of its signal, is beyond the gateway's reach.
   const namesOf = (thing) => {
     const names = new Set();
     for (let at = thing; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
       for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor' && name !== 'signal') names.add(name);
     return [...names, 'mine'];
   };
   const isThing = (thing) => typeof thing === 'object' && thing !== null && !Buffer.isBuffer(thing);
   /** Walks to an object that can be reached from that one, and does something with one of its members. */
   function mistake(from) {
     let thing = from;
     for (let steps = random(3); steps > 0; steps--) {
       const things = namesOf(thing).map((name) => thing[name]).filter(isThing);
       if (things.length > 0) thing = pick(things);
     }
     const name = pick(namesOf(thing));
     const kind = random(7);
     if (kind === 0) Object.freeze(thing);
     else if (kind === 1) delete thing[name];
     else if (kind === 2) Object.defineProperty(thing, name, { get: () => { throw new Error('got'); }, configurable: true });
     else if (kind === 3 || typeof thing[name] !== 'function') thing[name] = value();
     else {
       const result = thing[name](value(), value(), value(), value());
       if (result instanceof Promise) result.catch(() => {});
     }
   }
   /** Half of the mistakes are caught by the module itself. */
   function mistakes(...things) {
     for (let i = random(4); i > 0; i--) {
       try { mistake(pick(things)); } catch (error) { if (random(2) === 0) throw error; }
     }
   }
   class Filter extends BodyFilter {
     data(bytes, start, end) { mistakes(this.next, this.previous, this.owner, this); return this.next.data(bytes, start, end); }
     end(trailers) { mistakes(this, trailers ?? this.next); this.next.end(random(4) === 0 ? value() : trailers); }
     flush() { mistakes(this.next); super.flush(); }
     pause() { mistakes(this.previous); super.pause(); }
     resume() { mistakes(this.previous); super.resume(); }
     abort() { mistakes(this.next); return random(2) === 0 ? Promise.reject(new Error('abort')) : undefined; }
   }
   const filter = (otherwise) => pick([otherwise, otherwise, () => new Filter(), () => Object.freeze(new Filter()), value])();
   const REPLY = Object.freeze(new LocalReply(200, [['x-a', 'b']], 'frozen'));
   const CHANGED = new LocalReply(200, [], 'abc');
   function intercept(x, context) {
     const holder = { clientGone() { mistakes(x); } };
     const writer = context.intercept(holder);
     setImmediate(() => {
       // Code outside of a hook: what the writer does must not throw.
       const parts = [
         () => writer.answer(value()), () => writer.answer(REPLY), () => writer.head(value(), value()),
         () => writer.head({ status: 200, length: pick([-1, 0, 3]) }, { pause() {}, resume() { throw new Error('resumed'); } }),
         () => writer.data(value(), value(), value()), () => writer.data(Buffer.from('abc'), 0, 3), () => writer.flush(),
         () => writer.end(value()), () => writer.end(null), () => writer.fail(value()),
         () => writer.informational(value(), value(), value()),
       ];
       for (let i = random(6); i > 0; i--) pick(parts)();
     });
     return INTERCEPTED;
   }
   export default {
     bind({ seed }) {
       state = seed;
       const late = (run) => async (...args) => { await null; return run(...args); };
       const request = (x, context) => {
         mistakes(x, x.fields, context);
         CHANGED.length = random(9);
         return pick([
           () => undefined, () => undefined, () => undefined, () => undefined, () => REPLY, () => CHANGED,
           () => problemReply(403), () => value(), () => intercept(x, context), () => INTERCEPTED,
         ])();
       };
       const hooks = {
         intercepts: true,
         timeout: 20,
         request: (x, context) => (random(4) === 0 ? late(request)(x, context) : request(x, context)),
         forward: (x) => { mistakes(x, x.fields); return filter(() => undefined); },
         response: (x) => { mistakes(x, x.response, x.response.fields); return filter(() => undefined); },
         done: (x) => { mistakes(x, x.fields); return random(4) === 0 ? Promise.reject(value()) : undefined; },
       };
       return hooks;
     },
   };`,
);

const EXCHANGES = 500;

test.each([1, 2, 3, 4])('mistakes with the seed %i', async (seed) => {
  await using origin = await httpOrigin((_, response) => {
    response.writeHead(200, { trailer: 'x-sum' }).write('page');
    response.addTrailers({ 'x-sum': '1' });
    response.end('end');
  });
  const policies = [{ type: 'module', module: MODULE, config: { seed } }];
  const routes = [
    { name: 'clean', match: { path: '/clean' }, pool: 'origin' },
    {
      name: 'cached',
      match: { path: '/cached' },
      pool: 'origin',
      policies: [...policies, { type: 'cache', cache: 'c' }, ...policies],
    },
    { name: 'all', match: {}, pool: 'origin', policies },
  ];
  await using gateway = await testGateway(simpleConfig(origin.port, { routes, caches: { c: {} } }));
  const statuses = new Map<number, number>();
  const send = async (number: number): Promise<void> => {
    const options = number % 3 === 0 ? { method: 'POST', body: 'a body' } : {};
    // A response that has begun breaks off.
    const status = await get(gateway.port(), number % 5 === 0 ? '/cached' : '/any', options).then(
      (response) => response.status,
      () => 0,
    );
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  for (let number = 0; number < EXCHANGES; number += 10)
    await Promise.all(Array.from({ length: 10 }, (_, i) => send(number + i)));
  for (const status of [200, 500]) expect(statuses.get(status)).toBeGreaterThan(10);
  const { status, body } = await get(gateway.port(), '/clean');
  expect([status, body]).toEqual([200, 'pageend']);
  await until(() => gateway.running.gateway.current!.leases === 0, 'nothing is left');
  expect(poolLoad(gateway, 'origin').active).toBe(0);
  expect(gateway.logged.some(({ event }) => event === 'a policy failed')).toBe(true);
});
