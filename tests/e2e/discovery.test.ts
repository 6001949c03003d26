/** Endpoints found by DNS names, on real sockets: they come, go, drain, fail and are kept over reloads. */
import { describe, expect, test } from 'vitest';
import { applyPlan } from '../../src/runtime/reload/reload-path.ts';
import { nameViews } from '../../src/runtime/views/runtime-views.ts';
import { planOf } from '../plan/plan-of.ts';
import { DnsServer } from '../support/dns-server.ts';
import { poolLoad, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type HttpOrigin, httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { get } from '../support/requests.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Origins at 127.0.0.1, .2, … of one port; each answers with its place, and `/slow` when it is told to. */
class Origins implements AsyncDisposable {
  readonly all: HttpOrigin[] = [];
  readonly slow: (() => void)[] = [];

  static async open(count: number): Promise<Origins> {
    const origins = new Origins();
    for (let i = 0; i < count; i++) {
      const origin = await httpOrigin(
        ({ url }, response) => {
          if (url === '/slow') origins.slow.push(() => response.end(`${i + 1}`));
          else response.end(`${i + 1}`);
        },
        `127.0.0.${i + 1}`,
        origins.all[0]?.port ?? 0,
      );
      origins.all.push(origin);
    }
    return origins;
  }

  get port(): number {
    return this.all[0]!.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const origin of this.all) await origin[Symbol.asyncDispose]();
  }
}

function configOf(dns: DnsServer, endpoint: object, pool: object = {}, more: object = {}): Record<string, unknown> {
  const settings = { servers: [dns.address], jitter: 0 };
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { app: { endpoints: [endpoint], dns: settings, ...pool } },
    routes: [{ name: 'all', match: {}, pool: 'app' }],
    ...more,
  };
}

interface Setup extends AsyncDisposable {
  readonly dns: DnsServer;
  readonly origins: Origins;
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
  /** Who answers so many requests, one after the other. */
  readonly ask: (times: number) => Promise<string>;
  /** Lets time pass until it is asked for again, and waits until the name stands for these. */
  readonly become: (addresses: readonly string[]) => Promise<void>;
}

/** `app.test` with these addresses, the places of which are the last numbers of theirs. */
async function setup(places: readonly number[], pool: object = {}, firstTurns: () => number = () => 0): Promise<Setup> {
  const origins = await Origins.open(3);
  const dns = await DnsServer.open();
  dns.set(
    'app.test',
    places.map((place) => `127.0.0.${place}`),
    10,
  );
  const clock = new ManualClock();
  const config = configOf(dns, { dns: `app.test:${origins.port}` }, pool);
  const gateway = await testGateway(config, { clock, random: () => 0.5, firstTurns });
  return {
    dns,
    origins,
    gateway,
    clock,
    async ask(times) {
      let who = '';
      for (let i = 0; i < times; i++) {
        const { status, body } = await get(gateway.port());
        who += status === 200 ? body : `(${status})`;
      }
      return who;
    },
    async become(addresses) {
      const next = nameViews(gateway.running.gateway)[0]!.next_lookup;
      if (next !== null) clock.advance(Date.parse(next) - clock.wall());
      await until(() => addressesOf(gateway).join() === addresses.join(), `the name stands for ${addresses.join()}`);
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      expect(clock.waiting).toBe(0);
      await origins[Symbol.asyncDispose]();
      await dns[Symbol.asyncDispose]();
    },
  };
}

function addressesOf({ running: { gateway } }: TestGateway): string[] {
  return nameViews(gateway).flatMap(({ addresses }) => addresses.map(({ endpoint }) => endpoint));
}

function endpoints({ running: { gateway } }: TestGateway): string[] {
  return gateway.current!.pools.get('app')!.value.endpoints.map(({ name }) => name);
}

async function admin(gateway: TestGateway, path: string): Promise<string> {
  return (await get(gateway.adminPort(), path)).body;
}

describe('endpoints come and go', () => {
  test('each address is an endpoint; new ones get their share, those that are gone get nothing', async () => {
    await using one = await setup([1, 2]);
    const { port } = one.origins;
    expect(await one.ask(4)).toBe('1212');
    one.dns.set('app.test', ['127.0.0.2', '127.0.0.3'], 10);
    expect(await one.ask(2)).toBe('12');
    await one.become([`127.0.0.2:${port}`, `127.0.0.3:${port}`]);
    expect(await one.ask(4)).toBe('2323');
    expect(endpoints(one.gateway)).toEqual([`127.0.0.2:${port}`, `127.0.0.3:${port}`]);
    expect(one.gateway.logged).toContainEqual(
      expect.objectContaining({
        event: 'the addresses of a name have changed',
        pool: 'app',
        name: `app.test:${port}`,
        added: [`127.0.0.3:${port}`],
        removed: [`127.0.0.1:${port}`],
      }),
    );
  });

  test('rounds begin anywhere when the name stands for others: one request between two changes reaches all', async () => {
    let turns = 0;
    // Spreads over 0 to 1 evenly, as chance does in the long run.
    await using one = await setup([1, 2], {}, () => (turns++ * 0.618) % 1);
    const { port } = one.origins;
    const addresses = (places: readonly number[]): string[] => places.map((place) => `127.0.0.${place}`);
    let who = '';
    for (let i = 0; i < 8; i++) {
      const places = i % 2 === 0 ? [1, 2, 3] : [1, 2];
      one.dns.set('app.test', addresses(places), 10);
      await one.become(addresses(places).map((address) => `${address}:${port}`));
      who += await one.ask(1);
    }
    expect([...new Set(who)].toSorted()).toEqual(['1', '2', '3']);
  });

  test('what is gone finishes what it does, and its idle connections are closed', async () => {
    await using one = await setup([1]);
    await one.ask(1);
    await using slow = await RawClient.to(one.gateway.port());
    slow.send(GET.replace('/ ', '/slow '));
    await until(() => one.origins.slow.length === 1, 'one is under way');
    const other = get(one.gateway.port(), '/slow');
    await until(() => one.origins.slow.length === 2, 'another is under way');
    const load = poolLoad(one.gateway, 'app');
    const [leaving] = load.endpoints;
    one.dns.set('app.test', ['127.0.0.2'], 10);
    await one.become([`127.0.0.2:${one.origins.port}`]);
    expect(await one.ask(2)).toBe('22');
    expect([leaving!.active, leaving!.connections.open]).toEqual([2, 2]);
    one.origins.slow[1]!();
    expect((await other).body).toBe('1');
    await until(() => leaving!.connections.open === 1, 'its connection is closed, not kept');
    one.origins.slow[0]!();
    expect((await slow.response()).body).toBe('1');
    await until(() => load.endpoints.size === 1, 'it is forgotten');
    expect(leaving!.connections.open).toBe(0);
    expect(await admin(one.gateway, '/metrics')).not.toContain(`127.0.0.1:${one.origins.port}`);
  });

  test('one that comes back while it finishes is the one that it was', async () => {
    await using one = await setup([1, 2]);
    const slow = get(one.gateway.port(), '/slow');
    await until(() => one.origins.slow.length === 1, 'one is under way');
    const [first] = poolLoad(one.gateway, 'app').endpoints;
    one.dns.set('app.test', ['127.0.0.2'], 10);
    await one.become([`127.0.0.2:${one.origins.port}`]);
    one.dns.set('app.test', ['127.0.0.1', '127.0.0.2'], 10);
    await one.become([`127.0.0.1:${one.origins.port}`, `127.0.0.2:${one.origins.port}`]);
    const endpoint = one.gateway.running.gateway.current!.pools.get('app')!.value.endpoints[0]!;
    expect([endpoint.state, endpoint.active]).toEqual([first, 1]);
    one.origins.slow[0]!();
    await slow;
    expect(await one.ask(4)).toBe('1212');
  });

  test('an answer that is empty, and one that is an error, keeps them', async () => {
    await using one = await setup([1, 2]);
    one.dns.set('app.test', [], 10);
    one.clock.advance(10_000);
    await until(() => nameViews(one.gateway.running.gateway)[0]!.last_error === 'EMPTY', 'it was empty');
    expect(await one.ask(2)).toBe('12');
    one.dns.fail('app.test', 'NXDOMAIN');
    one.clock.advance(5000);
    expect(await one.ask(2)).toBe('12');
    const warned = one.gateway.logged.filter(({ level }) => level === 'warn');
    expect(warned).toEqual([
      expect.objectContaining({ event: 'a name cannot be looked up; its known addresses stay', error: 'EMPTY' }),
    ]);
  });

  test('one that cannot be connected to is asked about at once, and its request goes to where it is now', async () => {
    await using one = await setup([1]);
    expect(await one.ask(1)).toBe('1');
    await one.origins.all[0]![Symbol.asyncDispose]();
    one.origins.all.shift();
    one.dns.set('app.test', ['127.0.0.2'], 10);
    one.clock.advance(3000);
    expect(await one.ask(1)).toBe('(502)');
    await one.become([`127.0.0.2:${one.origins.port}`]);
    expect(await one.ask(2)).toBe('22');
  });

  test('hosts that are also in the config are one endpoint', async () => {
    await using origins = await Origins.open(2);
    await using dns = await DnsServer.open();
    dns.set('app.test', ['127.0.0.1', '127.0.0.2']);
    dns.set('other.test', ['127.0.0.2']);
    const names = ['app.test', 'other.test'].map((name) => ({ dns: `${name}:${origins.port}` }));
    const pool = { endpoints: [`127.0.0.1:${origins.port}`, ...names], dns: { servers: [dns.address] } };
    await using gateway = await testGateway(configOf(dns, {}, pool), { clock: new ManualClock() });
    expect(endpoints(gateway)).toEqual([`127.0.0.1:${origins.port}`, `127.0.0.2:${origins.port}`]);
  });
});

describe('start', () => {
  test('a name that stands for nothing yet holds nobody up: 503 until it does', async () => {
    await using one = await setup([]);
    const { headers, status } = await get(one.gateway.port());
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    one.dns.set('app.test', ['127.0.0.3'], 10);
    await one.become([`127.0.0.3:${one.origins.port}`]);
    expect(await one.ask(2)).toBe('33');
  });

  test('servers that do not answer do not hold it up for as long as they are given', { timeout: 45_000 }, async () => {
    await using dns = await DnsServer.open();
    dns.fail('app.test', 'silence');
    const patient = { servers: [dns.address], timeout: '1m' };
    await using gateway = await testGateway(configOf(dns, { dns: 'app.test:80' }, { dns: patient }));
    expect((await get(gateway.port())).status).toBe(503);
  });

  test('a reload that brings a name costs nobody an answer: it is asked for before', async () => {
    await using origins = await Origins.open(1);
    await using dns = await DnsServer.open();
    dns.set('app.test', ['127.0.0.1']);
    const fixed = configOf(dns, { address: '127.0.0.1:1' }, {}, { routes: [] });
    await using gateway = await testGateway(fixed);
    const stop = new AbortController();
    const statuses = new Set<number>();
    const asked = (async () => {
      while (!stop.signal.aborted) statuses.add((await get(gateway.port())).status);
    })();
    await gateway.edit(configOf(dns, { dns: `app.test:${origins.port}` }));
    for (let i = 0; i < 20; i++) statuses.add((await get(gateway.port())).status);
    stop.abort();
    await asked;
    expect(statuses).toEqual(new Set([404, 200]));
  });
});

describe('SRV', () => {
  test('weights are used, by round_robin too; the next priority when nobody of the first is well', async () => {
    await using origins = await Origins.open(1);
    await using second = await httpOrigin((_, response) => response.end('2'));
    await using backup = await httpOrigin((_, response) => response.end('3'));
    await using dns = await DnsServer.open();
    dns.setServices('_http._tcp.app.test', [
      { target: 'a.test', port: origins.port, priority: 1, weight: 30 },
      { target: 'a.test', port: second.port, priority: 1, weight: 10 },
      { target: 'b.test', port: backup.port, priority: 2, weight: 10 },
    ]);
    dns.set('a.test', ['127.0.0.1']);
    dns.set('b.test', ['127.0.0.1']);
    const config = configOf(dns, { dns: { name: '_http._tcp.app.test', type: 'srv' } });
    await using gateway = await testGateway(config, { clock: new ManualClock() });
    const ask = async (times: number): Promise<string> => {
      let who = '';
      for (let i = 0; i < times; i++) who += (await get(gateway.port())).body;
      return who;
    };
    expect((await ask(8)).split('').toSorted().join('')).toBe('11111122');
    const [first, other] = gateway.running.gateway.current!.pools.get('app')!.value.endpoints;
    first!.state.command('disabled');
    expect(await ask(3)).toBe(first!.name.endsWith(`:${second.port}`) ? '111' : '222');
    other!.state.command('draining');
    expect(await ask(3)).toBe('333');
    first!.state.command('enabled');
    expect(await ask(1)).not.toBe('3');
  });
});

describe('reload', () => {
  test('edits of other lines neither ask anew nor reset anything', async () => {
    await using one = await setup([1, 2]);
    await one.ask(4);
    const config = (n: number): object =>
      configOf(
        one.dns,
        { dns: `app.test:${one.origins.port}` },
        {},
        {
          routes: [
            { name: 'fixed', match: { path: { exact: '/fixed' } }, respond: { body: `${n}` } },
            { name: 'all', match: {}, pool: 'app' },
          ],
        },
      );
    const pool = one.gateway.running.gateway.current!.pools.get('app')!.value;
    const states = pool.endpoints.map(({ state }) => state);
    states[1]!.command('draining');
    const due = nameViews(one.gateway.running.gateway)[0]!.next_lookup;
    for (let i = 0; i < 5; i++) await applyPlan(one.gateway.running.gateway, planOf(config(i)));
    const now = one.gateway.running.gateway.current!.pools.get('app')!.value;
    expect(now).toBe(pool);
    expect(now.endpoints.map(({ state }) => state)).toEqual(states);
    expect(nameViews(one.gateway.running.gateway)[0]!.next_lookup).toBe(due);
    expect(one.dns.count('app.test')).toBe(1);
    expect(await one.ask(2)).toBe('11');
  });

  test('a change of the pool keeps what is known, its endpoints and their health; a change of the name asks anew', async () => {
    await using one = await setup([1, 2]);
    one.dns.set('other.test', ['127.0.0.2'], 10);
    await one.ask(2);
    const before = one.gateway.running.gateway.current!.pools.get('app')!.value.endpoints.map(({ state }) => state);
    before[1]!.health.connectFailed('connect_refused');
    const edit = (name: string): Promise<unknown> => {
      const endpoint = { dns: `${name}:${one.origins.port}`, weight: 3 };
      return applyPlan(one.gateway.running.gateway, planOf(configOf(one.dns, endpoint, { strategy: 'random' })));
    };
    await edit('app.test');
    const after = one.gateway.running.gateway.current!.pools.get('app')!.value.endpoints;
    expect(after.map(({ state }) => state)).toEqual(before);
    expect(after.map(({ weight, state }) => [weight, state.health.state])).toEqual([
      [3, 'healthy'],
      [3, 'failing'],
    ]);
    await edit('other.test');
    const moved = one.gateway.running.gateway.current!.pools.get('app')!.value.endpoints;
    expect(moved.map(({ state }) => state)).toEqual([before[1]]);
    expect(moved[0]!.state.health.state).toBe('failing');
  });
});

describe('beside the rest', () => {
  test('active checks begin and end with their endpoints, and ask for the name', async () => {
    await using one = await setup([1], { health: { active: { interval: '1s', jitter: 0 } } });
    const checks = (place: number): number => one.origins.all[place - 1]!.requests.length;
    one.clock.advance(0);
    await until(() => checks(1) === 1, 'the first is checked');
    expect(one.origins.all[0]!.requests[0]!.headers.host).toBe(`app.test:${one.origins.port}`);
    one.dns.set('app.test', ['127.0.0.2'], 10);
    await one.become([`127.0.0.2:${one.origins.port}`]);
    const before = checks(1);
    const often = async (): Promise<void> => one.clock.advance(100);
    await until(() => checks(2) > 5, 'the second is checked again and again', often);
    expect(checks(1)).toBe(before);
  });

  test('sticky clients stay with their address, and are given another when it is gone', async () => {
    await using one = await setup([1, 2], { sticky: { cookie: 'to', secret: 'a secret that nobody knows at all' } });
    const first = await get(one.gateway.port());
    const cookie = first.headers['set-cookie']![0]!.split(';')[0]!;
    const again = (): ReturnType<typeof get> => get(one.gateway.port(), '/', { headers: { cookie } });
    for (let i = 0; i < 3; i++) expect((await again()).body).toBe(first.body);
    one.dns.set('app.test', ['127.0.0.2', '127.0.0.3'], 10);
    await one.become([`127.0.0.2:${one.origins.port}`, `127.0.0.3:${one.origins.port}`]);
    const moved = await again();
    expect(moved.headers['set-cookie']).toHaveLength(1);
    one.dns.set('app.test', ['127.0.0.1', '127.0.0.2', '127.0.0.3'], 10);
    await one.become([1, 2, 3].map((place) => `127.0.0.${place}:${one.origins.port}`));
    expect((await again()).body).toBe(first.body);
  });

  test('an operator can drain one; it is told on /backends, /names, /events and in metrics', async () => {
    await using one = await setup([1, 2]);
    const { port } = one.origins;
    const events: unknown[] = [];
    const stop = one.gateway.running.gateway.events.listen((event) => events.push(event));
    const path = `/backends/app/${encodeURIComponent(`127.0.0.1:${port}`)}/drain`;
    expect((await get(one.gateway.adminPort(), path, { method: 'POST' })).status).toBe(200);
    expect(await one.ask(2)).toBe('22');
    expect(JSON.parse(await admin(one.gateway, '/backends'))).toMatchObject([
      { pool: 'app', endpoint: `127.0.0.1:${port}`, name: `app.test:${port}`, state: 'draining' },
      { pool: 'app', endpoint: `127.0.0.2:${port}`, name: `app.test:${port}`, state: 'healthy' },
    ]);
    one.dns.set('app.test', ['127.0.0.2'], 10);
    await one.become([`127.0.0.2:${port}`]);
    expect(JSON.parse(await admin(one.gateway, '/names'))).toMatchObject([
      {
        pool: 'app',
        name: `app.test:${port}`,
        type: 'auto',
        last_error: '',
        addresses: [{ endpoint: `127.0.0.2:${port}` }],
      },
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'addresses', pool: 'app', added: [], removed: [`127.0.0.1:${port}`] }),
    );
    stop();
    const metrics = await admin(one.gateway, '/metrics');
    const labels = `{pool="app",name="app.test:${port}"}`;
    expect(metrics).toContain(`prozy_dns_addresses${labels} 1\n`);
    expect(metrics).toContain(`prozy_dns_changes_total${labels} 2\n`);
    expect(metrics).toContain(`prozy_dns_lookups_total{pool="app",name="app.test:${port}",result="found"} 2\n`);
  });

  test('clients that ask all the while see none of it', async () => {
    await using one = await setup([1]);
    const stop = new AbortController();
    const statuses = new Map<number, number>();
    const clients = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        const { status } = await get(one.gateway.port());
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    const sets = [[1, 2], [2], [2, 3], [1, 2, 3], [3], [1]];
    for (let i = 0; i < 60; i++) {
      const places = sets[i % sets.length]!;
      one.dns.set(
        'app.test',
        places.map((place) => `127.0.0.${place}`),
        1,
      );
      await one.become(places.map((place) => `127.0.0.${place}:${one.origins.port}`));
      const before = statuses.get(200) ?? 0;
      await until(() => (statuses.get(200) ?? 0) >= before + 8, 'they ask on');
    }
    stop.abort();
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
  });

  test('a thousand changes leave nothing behind', async () => {
    await using one = await setup([1]);
    const { port } = one.origins;
    for (let i = 0; i < 1000; i++) {
      const place = 1 + ((i + 1) % 3);
      one.dns.set('app.test', [`127.0.0.${place}`], 1);
      await one.become([`127.0.0.${place}:${port}`]);
      if (i % 50 === 0) expect(await one.ask(1)).toBe(`${place}`);
    }
    const { gateway } = one.gateway.running;
    // Listeners' socket and count, the pool's load, the name, its one endpoint.
    expect([gateway.registry.size, poolLoad(one.gateway, 'app').endpoints.size]).toEqual([4, 1]);
    expect([...gateway.metrics.endpoints.get('app')!.keys()]).toHaveLength(1);
    expect(gateway.timed).toBeLessThan(3);
  });
});
