/** What is known of a name, against a DNS server of our own, on a clock that stands still. */
import { describe, expect, test } from 'vitest';
import type { DnsNamePlan, DnsPlan, DnsType } from '../../src/plan/types/dns.ts';
import { NameMetrics } from '../../src/observe/metrics.ts';
import { Resolution } from '../../src/upstream/resolution.ts';
import { DnsServer } from '../support/dns-server.ts';
import { until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Setup extends AsyncDisposable {
  readonly server: DnsServer;
  readonly clock: ManualClock;
  readonly resolution: Resolution;
  readonly metrics: NameMetrics;
  readonly plan: DnsPlan;
  /** What was told, in order. */
  readonly told: string[];
  readonly texts: () => string[];
  /** Lets so much time pass, and waits for the next round to be over. */
  readonly next: (ms: number) => Promise<void>;
  readonly rounds: () => number;
}

async function setup(type: DnsType = 'a', more: Partial<DnsPlan> = {}, random = 0): Promise<Setup> {
  const server = await DnsServer.open();
  const clock = new ManualClock();
  const metrics = new NameMetrics();
  const told: string[] = [];
  const name: DnsNamePlan = {
    name: type === 'srv' ? 'app.test' : 'app.test:80',
    host: 'app.test',
    port: type === 'srv' ? 0 : 80,
    type,
    weight: 1,
    maxConnections: 0,
    maxRequests: 0,
    claim: { kind: 'dns', name: 'p/app.test', identity: 'dns:p/app.test' },
    check: null,
  };
  const plan: DnsPlan = {
    servers: [server.address],
    timeout: 10_000,
    minTtl: 1000,
    maxTtl: 300_000,
    hold: 0,
    jitter: 0,
    names: [name],
    ...more,
  };
  const resolution = new Resolution(name, plan, {
    pool: 'p',
    clock,
    random: () => random,
    metrics,
    told: {
      addressesChanged: (_, added, removed) => told.push(`+${added.join()} -${removed.join()}`),
      lookupChanged: (_, code) => told.push(code === '' ? 'fine' : code),
    },
  });
  const rounds = (): number => Object.values(metrics.lookups).reduce((sum, one) => sum + one);
  return {
    server,
    clock,
    resolution,
    metrics,
    plan,
    told,
    texts: () => resolution.found.map(({ text }) => text),
    rounds,
    async next(ms) {
      const before = rounds();
      clock.advance(ms);
      await until(() => rounds() === before + 1, 'a round is over');
    },
    async [Symbol.asyncDispose]() {
      resolution.close();
      expect(clock.waiting).toBe(0);
      await server[Symbol.asyncDispose]();
    },
  };
}

async function started(one: Setup): Promise<void> {
  one.resolution.start();
  await one.resolution.first();
}

describe('TTL', () => {
  test('it is asked for again when the shortest TTL is over, and not before', async () => {
    await using one = await setup();
    one.server.set('app.test', ['10.0.0.1', '10.0.0.2'], 20);
    await started(one);
    one.server.set('app.test', ['10.0.0.1', '10.0.0.3'], 20);
    one.clock.advance(19_999);
    expect(one.resolution.nextAt).toBe(one.clock.wall() + 1);
    expect(one.server.count('app.test')).toBe(1);
    await one.next(1);
    expect(one.texts()).toEqual(['10.0.0.1:80', '10.0.0.3:80']);
    expect(one.told).toEqual(['+10.0.0.1:80,10.0.0.2:80 -', '+10.0.0.3:80 -10.0.0.2:80']);
  });

  test.each([
    [0, 1000],
    [5, 5000],
    [3600, 300_000],
  ])('a TTL of %i s is kept within min_ttl and max_ttl', async (ttl, pause) => {
    await using one = await setup();
    one.server.set('app.test', ['10.0.0.1'], ttl);
    await started(one);
    expect(one.resolution.nextAt - one.clock.wall()).toBe(pause);
  });

  test('jitter makes it longer, by no more than it says', async () => {
    await using one = await setup('a', { jitter: 20 }, 0.5);
    one.server.set('app.test', ['10.0.0.1'], 10);
    await started(one);
    expect(one.resolution.nextAt - one.clock.wall()).toBe(11_000);
  });

  test('a shorter max_ttl holds at once', async () => {
    await using one = await setup();
    one.server.set('app.test', ['10.0.0.1'], 300);
    await started(one);
    one.clock.advance(5000);
    one.resolution.tune({ ...one.plan, maxTtl: 12_000 });
    expect(one.resolution.nextAt - one.clock.wall()).toBe(7000);
  });
});

describe('nothing comes of it', () => {
  test.each(['SERVFAIL', 'REFUSED', 'NXDOMAIN', 'silence', 'garbage'] as const)(
    '%s: what was known stays, and it is asked for again after 1, 2, 4, 8, 16, 30, 30 s',
    async (illness) => {
      await using one = await setup('a', { timeout: illness === 'silence' || illness === 'garbage' ? 100 : 10_000 });
      one.server.set('app.test', ['10.0.0.1'], 10);
      await started(one);
      one.server.fail('app.test', illness);
      await one.next(10_000);
      const pauses: number[] = [];
      for (let i = 0; i < 7; i++) {
        pauses.push((one.resolution.nextAt - one.clock.wall()) / 1000);
        await one.next(pauses.at(-1)! * 1000);
      }
      expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
      expect(one.texts()).toEqual(['10.0.0.1:80']);
      const error = one.resolution.lastError;
      expect(error).toMatch(/^E[A-Z]+$/);
      one.server.heal('app.test');
      one.resolution.tune({ ...one.plan, timeout: 10_000 });
      await one.next(30_000);
      expect([one.resolution.lastError, one.resolution.nextAt - one.clock.wall()]).toEqual(['', 10_000]);
      // Told once, however often it fails.
      expect(one.told).toEqual(['+10.0.0.1:80 -', error, 'fine']);
    },
  );

  test('an empty answer keeps what was known', async () => {
    await using one = await setup();
    one.server.set('app.test', ['10.0.0.1'], 10);
    await started(one);
    one.server.set('app.test', [], 10);
    await one.next(10_000);
    expect([one.texts(), one.resolution.lastError]).toEqual([['10.0.0.1:80'], 'EMPTY']);
    expect(one.metrics).toMatchObject({ lookups: { found: 1, empty: 1, failed: 0 }, changes: 1, addresses: 1 });
  });

  test('a lookup that takes too long by its clock is given up', async () => {
    await using one = await setup('a', { timeout: 60_000 });
    one.server.fail('app.test', 'silence');
    one.resolution.start();
    await until(() => one.server.count('app.test') === 1, 'it is asked');
    await one.next(60_000);
    expect([one.resolution.lastError, one.texts()]).toEqual(['ETIMEOUT', []]);
  });

  test('one that was never found is found when it is there', async () => {
    await using one = await setup();
    await started(one);
    expect([one.texts(), one.resolution.lastError]).toEqual([[], 'EMPTY']);
    one.server.set('app.test', ['10.0.0.1'], 10);
    await one.next(1000);
    expect(one.texts()).toEqual(['10.0.0.1:80']);
  });

  test('addresses that no endpoint can have are left out', async () => {
    await using one = await setup('both');
    one.server.set('app.test', ['0.0.0.0', '10.0.0.1', '::']);
    await started(one);
    expect(one.texts()).toEqual(['10.0.0.1:80']);
  });
});

describe('families', () => {
  test.each([
    ['a', ['10.0.0.1:80']],
    ['aaaa', ['[fd00::1]:80']],
    ['both', ['10.0.0.1:80', '[fd00::1]:80']],
    ['auto', ['10.0.0.1:80']],
  ] as [DnsType, string[]][])('%s', async (type, found) => {
    await using one = await setup(type);
    one.server.set('app.test', ['10.0.0.1', 'fd00::1']);
    await started(one);
    expect(one.texts()).toEqual(found);
  });

  test('auto: AAAA where there is no A', async () => {
    await using one = await setup('auto');
    one.server.set('app.test', ['fd00::1']);
    await started(one);
    expect(one.texts()).toEqual(['[fd00::1]:80']);
  });

  test('both: a family that can not be asked for keeps what was known of it', async () => {
    await using one = await setup('both');
    one.server.set('app.test', ['10.0.0.1', 'fd00::1'], 10);
    await started(one);
    one.server.set('app.test', ['10.0.0.2'], 10);
    one.server.fail('AAAA app.test', 'SERVFAIL');
    await one.next(10_000);
    expect([one.texts(), one.resolution.lastError]).toEqual([['10.0.0.2:80', '[fd00::1]:80'], 'ESERVFAIL']);
    one.server.heal('AAAA app.test');
    await one.next(1000);
    expect([one.texts(), one.resolution.lastError]).toEqual([['10.0.0.2:80'], '']);
  });
});

describe('SRV', () => {
  test('ports, priorities and weights of the records, addresses of their targets', async () => {
    await using one = await setup('srv');
    one.server.setServices('app.test', [
      { target: 'a.test', port: 81, priority: 10, weight: 60 },
      { target: 'b.test', port: 82, priority: 10, weight: 20 },
      { target: 'c.test', port: 83, priority: 20, weight: 0 },
    ]);
    one.server.set('a.test', ['10.0.0.1', '10.0.0.2']);
    one.server.set('b.test', ['fd00::1']);
    one.server.set('c.test', ['10.0.0.3']);
    await started(one);
    expect(one.resolution.found).toEqual([
      { text: '10.0.0.1:81', priority: 0, weight: 60, host: 'a.test:81' },
      { text: '10.0.0.2:81', priority: 0, weight: 60, host: 'a.test:81' },
      { text: '10.0.0.3:83', priority: 1, weight: 1, host: 'c.test:83' },
      { text: '[fd00::1]:82', priority: 0, weight: 20, host: 'b.test:82' },
    ]);
  });

  test.each([
    [
      [60, 20, 40],
      [3, 1, 2],
    ],
    [
      [0, 0],
      [1, 1],
    ],
    [
      [0, 10],
      [1, 10],
    ],
    [
      [65535, 32768],
      [2, 1],
    ],
    [
      [65535, 1],
      [1000, 1],
    ],
  ])('weights %j are as %j', async (written, weights) => {
    await using one = await setup('srv');
    const services = written.map((weight, i) => ({ target: `t${i}.test`, port: 80, weight }));
    one.server.setServices('app.test', services);
    written.forEach((_, i) => one.server.set(`t${i}.test`, [`10.0.0.${i + 1}`]));
    await started(one);
    const shares = one.resolution.found.map(({ weight }) => weight);
    expect(shares.map((share) => share / shares[0]!)).toEqual(weights.map((weight) => weight / weights[0]!));
  });

  test('its own TTL is not known: it is asked for again after 30 s at the latest', async () => {
    await using one = await setup('srv');
    one.server.setServices('app.test', [{ target: 'a.test', port: 81 }], 3600);
    one.server.set('a.test', ['10.0.0.1'], 3600);
    await started(one);
    expect(one.resolution.nextAt - one.clock.wall()).toBe(30_000);
    one.server.set('a.test', ['10.0.0.1'], 7);
    await one.next(30_000);
    expect(one.resolution.nextAt - one.clock.wall()).toBe(7000);
  });

  test('a target that can not be asked for keeps its addresses; no records at all keep everything', async () => {
    await using one = await setup('srv');
    const services = [
      { target: 'a.test', port: 81 },
      { target: 'b.test', port: 82 },
    ];
    one.server.setServices('app.test', services);
    one.server.set('a.test', ['10.0.0.1'], 10);
    one.server.set('b.test', ['10.0.0.2'], 10);
    await started(one);
    one.server.fail('b.test', 'SERVFAIL');
    one.server.set('a.test', ['10.0.0.3'], 10);
    await one.next(10_000);
    expect(one.texts()).toEqual(['10.0.0.2:82', '10.0.0.3:81']);
    // "." is the word for: there is no such service.
    one.server.setServices('app.test', [{ target: '.', port: 0 }]);
    await one.next(1000);
    expect([one.texts(), one.resolution.lastError]).toEqual([['10.0.0.2:82', '10.0.0.3:81'], 'EMPTY']);
  });

  test('more than fits into a datagram comes over TCP', async () => {
    await using one = await setup('srv', { timeout: 60_000 });
    const services = Array.from({ length: 40 }, (_, i) => ({ target: `target-${i}.test`, port: 1000 + i }));
    one.server.setServices('app.test', services);
    services.forEach(({ target }, i) => one.server.set(target, [`10.0.1.${i}`]));
    await started(one);
    expect([one.server.overTcp, one.texts().length]).toEqual([1, 40]);
  });
});

describe('an endpoint fails', () => {
  test('it is asked for at once, but no more often than every min_ttl', async () => {
    await using one = await setup('a', { minTtl: 2000 });
    one.server.set('app.test', ['10.0.0.1'], 300);
    await started(one);
    one.clock.advance(500);
    for (let i = 0; i < 10; i++) one.resolution.suspect();
    one.server.set('app.test', ['10.0.0.2'], 300);
    await one.next(1500);
    expect(one.texts()).toEqual(['10.0.0.2:80']);
    one.clock.advance(60_000);
    one.resolution.suspect();
    await one.next(0);
    expect(one.server.count('app.test')).toBe(3);
    expect(one.resolution.nextAt - one.clock.wall()).toBe(300_000);
  });
});

test('hold: an address stays for that long after the last answer that had it', async () => {
  await using one = await setup('a', { hold: 30_000 });
  one.server.set('app.test', ['10.0.0.1'], 10);
  await started(one);
  one.server.set('app.test', ['10.0.0.2'], 10);
  await one.next(10_000);
  await one.next(10_000);
  expect(one.texts()).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  await one.next(10_000);
  expect(one.texts()).toEqual(['10.0.0.2:80']);
});

test('the order of the answers is of no account', async () => {
  await using one = await setup();
  one.server.set('app.test', ['10.0.0.2', '10.0.0.1'], 10);
  await started(one);
  const before = one.resolution.found;
  one.server.set('app.test', ['10.0.0.1', '10.0.0.2'], 10);
  await one.next(10_000);
  expect(one.resolution.found).toBe(before);
  expect(one.metrics.changes).toBe(1);
});

test('closed in the middle of a question, it is heard of no more', async () => {
  await using one = await setup('a', { timeout: 60_000 });
  one.server.fail('app.test', 'silence');
  one.resolution.start();
  const first = one.resolution.first();
  await until(() => one.server.count('app.test') === 1, 'it is asked');
  one.resolution.close();
  await first;
  expect([one.rounds(), one.told]).toEqual([0, []]);
});
