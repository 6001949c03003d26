/** Certificates for names that clients ask for: allowed, refused, limited, renewed while they are used. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { asAcmeError } from '../../src/acme/client/acme-error.ts';
import { AUTHORITY_LIMITS, httpClient } from '../../src/acme/client/http-client.ts';
import { type Ask, askEndpoint, OnDemand, type OnDemandParts } from '../../src/acme/on-demand.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { problem } from '../support/acme-server.ts';
import { AcmeWorld } from '../support/acme-world.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;

function onDemand(world: AcmeWorld, parts: Partial<OnDemandParts> = {}) {
  const store = world.store();
  const manager = world.manager(store);
  const asked: string[] = [];
  const failures: string[] = [];
  const ask: Ask = (name) => {
    asked.push(name);
    return Promise.resolve(name.endsWith('.good.example'));
  };
  const made = new OnDemand({
    manager,
    ask,
    keyType: 'p256',
    issuers: [world.issuer(store)],
    clock: world.clock,
    most: 3,
    rate: 5,
    per: 10 * MINUTE,
    patience: 30_000,
    failed: (name, { code }) => failures.push(`${name} ${code}`),
    ...parts,
  });
  return { made, manager, asked, failures };
}

describe('a name', () => {
  test('that is allowed gets a certificate; handshakes at once share the order', async () => {
    await using world = await AcmeWorld.open();
    const { made, asked } = onDemand(world);
    expect(made.find('a.good.example')).toBe(null);
    const [first, second] = await world.pass(
      Promise.all([made.obtain('a.good.example'), made.obtain('a.good.example')]),
    );
    expect(new X509Certificate(first!.cert).subjectAltName).toBe('DNS:a.good.example');
    expect(second).toBe(first);
    expect(made.find('a.good.example')).toMatchObject(first!);
    expect(asked).toEqual(['a.good.example']);
    expect(world.server.orders).toHaveLength(1);
  });

  test('that is refused costs no order, and one question a minute', async () => {
    await using world = await AcmeWorld.open();
    const { made, asked } = onDemand(world);
    for (let i = 0; i < 4; i++) expect(await made.obtain('a.bad.example')).toBe(null);
    expect(asked).toHaveLength(1);
    world.clock.advance(MINUTE);
    expect(await made.obtain('a.bad.example')).toBe(null);
    expect(asked).toHaveLength(2);
    expect(world.server.hits).toBe(0);
  });

  test.each(['10.1.2.3', 'localhost', 'A.good.example', 'a..good.example', 'a b.good.example', ''])(
    'like %j is never asked about',
    async (name) => {
      await using world = await AcmeWorld.open();
      const { made, asked } = onDemand(world);
      expect(await made.obtain(name)).toBe(null);
      expect(asked).toEqual([]);
    },
  );

  test('beyond the rate waits for its turn', async () => {
    await using world = await AcmeWorld.open();
    const { made, asked } = onDemand(world);
    for (let i = 0; i < 9; i++) await made.obtain(`n${i}.bad.example`);
    expect(asked).toHaveLength(5);
    world.clock.advance(2 * MINUTE);
    for (let i = 0; i < 9; i++) await made.obtain(`m${i}.bad.example`);
    expect(asked).toHaveLength(6);
  });

  test('beyond the number takes the place of the one that was not used for the longest time', async () => {
    await using world = await AcmeWorld.open();
    const { made, manager } = onDemand(world);
    for (const name of ['a', 'b', 'c']) await world.pass(made.obtain(`${name}.good.example`));
    made.find('a.good.example');
    await world.pass(made.obtain('d.good.example'));
    expect(manager.all().map(({ names }) => names[0])).toEqual(['a.good.example', 'c.good.example', 'd.good.example']);
    // It is still in the store.
    await world.pass(made.obtain('b.good.example'));
    expect(world.server.orders).toHaveLength(4);
  });

  test('whose certificate takes too long fails the handshake, not the order', async () => {
    await using world = await AcmeWorld.open();
    Object.assign(world.server, { validationPolls: 10, retryAfter: '20' });
    const { made } = onDemand(world);
    expect(await world.pass(made.obtain('a.good.example'))).toBe(null);
    await world.until(() => made.find('a.good.example') !== null, 10 * MINUTE);
  });

  test('whose certificate can not be obtained costs no order at each handshake', async () => {
    await using world = await AcmeWorld.open();
    Object.assign(world.server.ports, { http: 1, tls: 1 });
    const { made } = onDemand(world);
    for (let i = 0; i < 5; i++) expect(await world.pass(made.obtain('a.good.example'))).toBe(null);
    expect(world.server.orders).toHaveLength(1);
  });

  test('is renewed while it is used and allowed', async () => {
    await using world = await AcmeWorld.open();
    const { made, asked } = onDemand(world);
    await world.pass(made.obtain('a.good.example'));
    for (let day = 0; day < 60; day += 5) {
      made.find('a.good.example');
      await world.wait(5 * DAY);
    }
    expect(world.server.orders).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test('that is not used any more is given up', async () => {
    await using world = await AcmeWorld.open();
    const { made, manager } = onDemand(world);
    await world.pass(made.obtain('a.good.example'));
    await world.wait(60 * DAY);
    expect(world.server.orders).toHaveLength(1);
    expect(manager.all()).toEqual([]);
    expect(made.find('a.good.example')).toBe(null);
  });

  test('for which no certificate can be obtained is given up when no client asks for it any more', async () => {
    await using world = await AcmeWorld.open();
    world.server.trouble = (path) => (path === '/order' ? problem('rejectedIdentifier', 'not this one') : null);
    const { made, manager } = onDemand(world);
    expect(await world.pass(made.obtain('a.good.example'))).toBe(null);
    await world.wait(6 * DAY);
    const tries = world.server.count('/order');
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(15);
    await world.wait(4 * DAY);
    expect(manager.all()).toEqual([]);
    expect(world.server.count('/order') - tries).toBeLessThanOrEqual(2);
  });

  test('that is not allowed any more is given up when its renewal is due', async () => {
    await using world = await AcmeWorld.open();
    let allowed = true;
    const { made, manager } = onDemand(world, { ask: () => Promise.resolve(allowed) });
    await world.pass(made.obtain('a.good.example'));
    allowed = false;
    for (let day = 0; day < 60; day += 5) {
      made.find('a.good.example');
      await world.wait(5 * DAY);
    }
    expect(world.server.orders).toHaveLength(1);
    expect(manager.all()).toEqual([]);
  });
});

describe('the endpoint', () => {
  test('is asked for the domain; only 2xx is a yes, and a failure is none of both', async () => {
    const got: string[] = [];
    let status = 200;
    const server = http.createServer((request, response) => {
      got.push(request.url!);
      response.writeHead(status).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = httpClient(
      { ...AUTHORITY_LIMITS, plain: true },
      systemClock,
      'prozy/test',
      new AbortController().signal,
    );
    const ask = askEndpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}/ask?x=1`, client);
    expect(await ask('a.example')).toBe(true);
    status = 404;
    expect(await ask('b.example')).toBe(false);
    status = 503;
    expect(asAcmeError(await ask('c.example').catch((error: unknown) => error)).code).toBe('ask_failed');
    expect(got).toEqual(['/ask?x=1&domain=a.example', '/ask?x=1&domain=b.example', '/ask?x=1&domain=c.example']);
    await new Promise((resolve) => server.close(resolve));
  });

  test('that fails is asked again at the next handshake', async () => {
    await using world = await AcmeWorld.open();
    let fails = true;
    const ask: Ask = () => (fails ? Promise.reject(asAcmeError(new Error('away'))) : Promise.resolve(true));
    const { made, failures } = onDemand(world, { ask });
    expect(await made.obtain('a.good.example')).toBe(null);
    expect(failures).toEqual(['a.good.example internal']);
    fails = false;
    expect(await world.pass(made.obtain('a.good.example'))).not.toBe(null);
  });
});
