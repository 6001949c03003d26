/** Every strategy as a config asks for it, and clients that are kept, on real sockets. */
import type http from 'node:http';
import { describe, expect, test } from 'vitest';
import { testGateway, type TestGateway, until } from '../support/gateway.ts';
import { answering, httpOrigin, type HttpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Answer, get } from '../support/requests.ts';

type Headers = Readonly<Record<string, string>>;

/** Origins that answer with their number. */
class Origins implements AsyncDisposable {
  readonly all: HttpOrigin[] = [];
  /** Answers that wait to be let go. */
  readonly held: http.ServerResponse[] = [];
  holding = false;

  static async of(count: number): Promise<Origins> {
    const origins = new Origins();
    for (let i = 0; i < count; i++) {
      const origin = await httpOrigin((_, response) => {
        if (origins.holding) origins.held.push(response.setHeader('x-origin', i));
        else response.end(String(i));
      });
      origins.all.push(origin);
    }
    return origins;
  }

  get addresses(): string[] {
    return this.all.map(({ port }) => `127.0.0.1:${port}`);
  }

  async stop(i: number): Promise<void> {
    await this.all[i]![Symbol.asyncDispose]();
    this.all[i] = { ...this.all[i]!, [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const origin of this.all) await origin[Symbol.asyncDispose]();
  }
}

function configOf(pool: object): Record<string, unknown> {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0', trusted_proxies: ['127.0.0.1'] } },
    pools: { app: pool },
    routes: [{ name: 'all', match: {}, pool: 'app' }],
  };
}

async function ask(gateway: TestGateway, headers: Headers = {}, path = '/'): Promise<Answer> {
  const answer = await get(gateway.port(), path, { headers });
  expect(answer.status).toBe(200);
  return answer;
}

/** Which origins answered, in order. */
async function answers(gateway: TestGateway, asked: readonly (readonly [Headers, string?])[]): Promise<number[]> {
  const got: number[] = [];
  for (const [headers, path] of asked) got.push(Number((await ask(gateway, headers, path)).body));
  return got;
}

function counted(got: readonly number[]): number[] {
  return [0, 1, 2].map((origin) => got.filter((one) => one === origin).length);
}

const times = (count: number): [Headers][] => Array.from({ length: count }, () => [{}]);

describe('how an endpoint is chosen', () => {
  test.each([
    ['round_robin', [4, 4, 4], [1, 3, 1]],
    ['weighted_round_robin', [2, 6, 2], [1, 3, 1]],
    [{ type: 'weighted_round_robin' }, [10, 2, 2], [5, 1, 1]],
  ])('%j has %j over weights of %j', async (strategy, expected, weights) => {
    await using origins = await Origins.of(3);
    const endpoints = origins.addresses.map((address, i) => ({ address, weight: weights[i] }));
    await using gateway = await testGateway(configOf({ strategy, endpoints }));
    const sum = expected.reduce((all, one) => all + one, 0);
    expect(counted(await answers(gateway, times(sum)))).toEqual(expected);
  });

  test.each(['random', 'p2c'])('%s comes to all of them', async (strategy) => {
    await using origins = await Origins.of(3);
    await using gateway = await testGateway(configOf({ strategy, endpoints: origins.addresses }));
    // That one of three is left out by chance happens once in 10^17.
    for (const count of counted(await answers(gateway, times(100)))) expect(count).toBeGreaterThan(0);
  });

  test.each(['least_connections', 'p2c'])('%s goes by what is under way', async (strategy) => {
    await using origins = await Origins.of(2);
    await using gateway = await testGateway(configOf({ strategy, endpoints: origins.addresses }));
    origins.holding = true;
    const asked: Promise<Answer>[] = [];
    for (let i = 0; i < 12; i++) {
      asked.push(get(gateway.port()));
      await until(() => origins.held.length === i + 1, 'the request has come to an origin');
    }
    const of = (origin: number) => origins.held.filter((one) => one.getHeader('x-origin') === origin);
    expect([of(0).length, of(1).length]).toEqual([6, 6]);
    for (const response of of(1)) response.end('1');
    await until(() => gateway.running.gateway.current!.leases === 6, 'the gateway knows that those are over');
    origins.holding = false;
    expect(counted(await answers(gateway, times(10)))).toEqual([0, 10, 0]);
    for (const response of of(0)) response.end('0');
    await Promise.all(asked);
  });

  const clients = Array.from({ length: 60 }, (_, i) => `198.51.100.${i}`);
  type Asking = (client: string) => readonly [Headers, string?];

  test.each<[unknown, Asking]>([
    ['ip_hash', (client) => [{ 'x-forwarded-for': client }]],
    [{ type: 'ring_hash', key: { header: 'X-User' } }, (client) => [{ 'x-user': client }]],
    [{ type: 'ring_hash', key: 'path' }, (client) => [{}, `/${client}?q=${Math.random()}`]],
    [{ type: 'maglev', key: { cookie: 'sid' } }, (client) => [{ cookie: `x=1; sid=${client}` }]],
    [{ type: 'maglev', table_size: 1009 }, (client) => [{ 'x-forwarded-for': client }]],
  ])('%j keeps to its key: over time, over a reload, and while another endpoint is away', async (strategy, asking) => {
    await using origins = await Origins.of(3);
    const endpoints = origins.addresses;
    await using gateway = await testGateway(configOf({ strategy, endpoints }));
    const asked = clients.map(asking);
    const first = await answers(gateway, asked);
    for (const count of counted(first)) expect(count).toBeGreaterThan(1);
    expect(await answers(gateway, asked.toReversed())).toEqual(first.toReversed());
    await gateway.edit(configOf({ strategy, endpoints: endpoints.toReversed(), max_connections: 50 }));
    expect(await answers(gateway, asked)).toEqual(first);
    await origins.stop(1);
    const during = await answers(gateway, asked);
    first.forEach((origin, i) => (origin === 1 ? expect(during[i]).not.toBe(1) : expect(during[i]).toBe(origin)));
    const heirs = counted(during.filter((_, i) => first[i] === 1));
    expect(Math.min(heirs[0]!, heirs[2]!)).toBeGreaterThan(0);
  });

  test('who lacks the key is told by its address', async () => {
    await using origins = await Origins.of(3);
    const strategy = { type: 'ring_hash', key: { header: 'x-user' } };
    await using gateway = await testGateway(configOf({ strategy, endpoints: origins.addresses }));
    const asked = clients.map((client) => [{ 'x-forwarded-for': client }] as const);
    const first = await answers(gateway, asked);
    expect(new Set(first).size).toBe(3);
    expect(await answers(gateway, asked)).toEqual(first);
  });

  test('tcp connections are told by their address', async () => {
    await using one = await rawOrigin((socket) => socket.write('here'));
    await using two = await rawOrigin((socket) => socket.write('here'));
    const endpoints = [one, two].map(({ port }) => `127.0.0.1:${port}`);
    await using gateway = await testGateway({
      version: 1,
      listeners: { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'db' } },
      pools: { db: { strategy: { type: 'maglev', key: { cookie: 'a' } }, endpoints, sticky: {} } },
    });
    for (let i = 0; i < 6; i++) {
      await using client = await RawClient.to(gateway.port('db'));
      await until(() => client.text === 'here', 'somebody answers');
    }
    expect([one.received.length, two.received.length].toSorted((a, b) => a - b)).toEqual([0, 6]);
  });
});

describe('a client that is kept', () => {
  const SECRET = 'a secret of some length';
  /** The cookie that an answer gives, as the client sends it. */
  const given = ({ headers }: Answer): string => headers['set-cookie']![0]!.split(';')[0]!;

  test('stays with its endpoint: through reloads, another order, a weight of 0, and a gateway of the same secret', async () => {
    await using origins = await Origins.of(3);
    const endpoints = origins.addresses;
    const sticky = { cookie: 'at', secret: SECRET, ttl: '1h' };
    const config = configOf({ sticky, endpoints });
    await using gateway = await testGateway(config);
    const first = await ask(gateway);
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(/^at=[\w-]{22}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/),
    ]);
    const cookie = given(first);
    const stays = async (at: TestGateway): Promise<void> => {
      for (let i = 0; i < 4; i++) {
        const answer = await ask(at, { cookie: `a=b; ${cookie}` });
        expect([answer.body, answer.headers['set-cookie']]).toEqual([first.body, undefined]);
      }
    };
    await stays(gateway);
    await gateway.edit(configOf({ sticky, endpoints: endpoints.toReversed(), strategy: 'random' }));
    await stays(gateway);
    const drained = endpoints.map((address, i) => ({ address, weight: String(i) === first.body ? 0 : 1 }));
    await gateway.edit(configOf({ sticky, endpoints: drained }));
    await stays(gateway);
    // New ones do not come to it.
    for (let i = 0; i < 6; i++) expect((await ask(gateway)).body).not.toBe(first.body);
    await using other = await testGateway(config);
    await stays(other);
  });

  test('is chosen an endpoint for anew, and told so, if its cookie is of no use', async () => {
    await using origins = await Origins.of(2);
    await using gateway = await testGateway(configOf({ sticky: { secret: SECRET }, endpoints: origins.addresses }));
    await using unsigned = await testGateway(configOf({ sticky: {}, endpoints: origins.addresses }));
    for (const cookie of ['prozy_endpoint=', 'prozy_endpoint=made-up', given(await ask(unsigned))]) {
      const answer = await ask(gateway, { cookie });
      const again = await ask(gateway, { cookie: given(answer) });
      expect([again.body, again.headers['set-cookie']]).toEqual([answer.body, undefined]);
    }
    const first = await ask(gateway);
    await gateway.edit(
      configOf({ sticky: { secret: SECRET }, endpoints: origins.addresses.filter((_, i) => String(i) !== first.body) }),
    );
    const moved = await ask(gateway, { cookie: given(first) });
    expect(moved.body).not.toBe(first.body);
    expect(given(moved)).not.toBe(given(first));
  });

  test('moves when its endpoint fails, and stays where it has moved to', async () => {
    await using origins = await Origins.of(3);
    await using gateway = await testGateway(configOf({ sticky: {}, endpoints: origins.addresses }));
    const first = await ask(gateway);
    await origins.stop(Number(first.body));
    const second = await ask(gateway, { cookie: given(first) });
    expect(second.body).not.toBe(first.body);
    for (let i = 0; i < 4; i++) {
      const answer = await ask(gateway, { cookie: given(second) });
      expect([answer.body, answer.headers['set-cookie']]).toEqual([second.body, undefined]);
    }
  });

  test('has the cookies of its application beside it', async () => {
    await using origin = await httpOrigin((_, response) =>
      response.setHeader('Set-Cookie', ['session=1', 'lang=en']).end('ok'),
    );
    await using gateway = await testGateway(configOf({ sticky: {}, endpoints: [`127.0.0.1:${origin.port}`] }));
    const { headers } = await ask(gateway);
    expect(headers['set-cookie']).toEqual(['session=1', 'lang=en', expect.stringMatching(/^prozy_endpoint=/)]);
  });

  test('is given its cookie with a 101 too', async () => {
    await using origin = await rawOrigin(
      answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'),
    );
    await using gateway = await testGateway(configOf({ sticky: {}, endpoints: [`127.0.0.1:${origin.port}`] }));
    await using client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await until(() => client.text.includes('\r\n\r\n'), 'the protocol is switched');
    expect(client.text).toMatch(/^HTTP\/1.1 101 .*\r\nSet-Cookie: prozy_endpoint=[\w-]{22}; Path=\//s);
  });

  test('has no cookie where nobody is kept', async () => {
    await using origins = await Origins.of(2);
    await using gateway = await testGateway(configOf({ endpoints: origins.addresses }));
    expect((await ask(gateway)).headers['set-cookie']).toBeUndefined();
  });
});
