/** The client against an authority that checks what it gets, and performs the challenges. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { register, renewalId, renewalInfo, revoke } from '../../src/acme/client/account.ts';
import { AccountKey } from '../../src/acme/client/account-key.ts';
import { AcmeError, asAcmeError } from '../../src/acme/client/acme-error.ts';
import { AUTHORITY_LIMITS, httpClient, type HttpLimits } from '../../src/acme/client/http-client.ts';
import { order, type OrderRequest, type Solver } from '../../src/acme/client/order.ts';
import { dnsSolver } from '../../src/acme/challenges/dns01.ts';
import { readChain } from '../../src/acme/x509/certificates.ts';
import { generateKey } from '../../src/acme/x509/keys.ts';
import { type Clock, systemClock } from '../../src/kit/clock.ts';
import { AcmeWorld } from '../support/acme-world.ts';
import { problem } from '../support/acme-server.ts';
import { ManualClock } from '../support/manual-clock.ts';

async function request(names: string[], solvers: Solver[], more: Partial<OrderRequest> = {}): Promise<OrderRequest> {
  const key = await generateKey('p256');
  return { names, key, profile: null, replaces: null, preferredChain: null, solvers, ...more };
}

function dns(world: AcmeWorld, leftover: (name: string) => void = () => {}): Solver {
  return dnsSolver({ hook: world.hook, wait: 5000, clock: world.clock, leftover: ({ name }) => leftover(name) });
}

const failure = (promise: Promise<unknown>): Promise<AcmeError> =>
  promise.then(() => Promise.reject(new Error('it succeeded')), asAcmeError);

describe('an order', () => {
  test.each([
    ['http-01', ['a.example', 'b.example']],
    ['tls-alpn-01', ['a.example', '10.1.2.3']],
    ['dns-01', ['*.a.example', 'a.example']],
  ])('is fulfilled by %s', async (type, names) => {
    await using world = await AcmeWorld.open();
    const { httpSolver, tlsSolver } = world.challenges;
    const solver = [httpSolver, tlsSolver, dns(world)].find((one) => one.type === type)!;
    const wanted = await request(names, [solver]);
    const chain = await world.pass(order(await world.account(), wanted, world.stop.signal));
    const [leaf, root] = readChain(chain);
    expect(leaf!.checkPrivateKey(wanted.key)).toBe(true);
    expect(leaf!.verify(root!.publicKey)).toBe(true);
    expect(leaf!.subjectAltName?.split(', ').map((name) => name.replace(/^.*?:/, ''))).toEqual(names);
    // Nothing that was presented stays.
    expect(world.challenges.size).toBe(0);
    expect([...world.server.records.values()].flat()).toEqual([]);
  });

  test('takes the first challenge that suits the name: a wildcard needs DNS, an address can not have it', async () => {
    await using world = await AcmeWorld.open();
    const wanted = await request(['*.a.example', '10.1.2.3'], [dns(world), world.challenges.httpSolver]);
    await world.pass(order(await world.account(), wanted, world.stop.signal));
    const types = world.server.requests
      .filter(({ url }) => url.includes('/challenge/'))
      .map(({ url }) => url.split('/').at(-1));
    expect(types).toEqual(['dns-01', 'http-01']);
  });

  test('fails with what an authority has against a name, and withdraws', async () => {
    await using world = await AcmeWorld.open();
    world.server.ports.http = 1;
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const error = await failure(world.pass(order(await world.account(), wanted, world.stop.signal)));
    expect(error.code).toBe('connection');
    expect(error.message).toMatch(/^a\.example \(http-01\): .*ECONNREFUSED/);
    expect(world.challenges.size).toBe(0);
  });

  test('says which challenges there are, if none is allowed', async () => {
    await using world = await AcmeWorld.open();
    world.server.challengeTypes = ['http-01', 'tls-alpn-01'];
    const wanted = await request(['a.example'], [dns(world)]);
    const error = await failure(world.pass(order(await world.account(), wanted, world.stop.signal)));
    expect([error.code, error.message]).toEqual([
      'no_challenge',
      'a.example: the config allows no challenge that the authority offers (http-01, tls-alpn-01)',
    ]);
  });

  test('waits for a slow validation and a slow authority as Retry-After says', async () => {
    await using world = await AcmeWorld.open();
    Object.assign(world.server, { validationPolls: 4, processingPolls: 3, retryAfter: '20' });
    const before = world.clock.now();
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    await world.pass(order(await world.account(), wanted, world.stop.signal));
    const waited = (world.clock.now() - before) / 1000;
    expect(waited).toBeGreaterThanOrEqual(7 * 20);
    expect(waited).toBeLessThan(9 * 20);
  });

  test('is given up when an authority never ends', async () => {
    await using world = await AcmeWorld.open();
    world.server.validationPolls = 1_000_000;
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const error = await failure(world.pass(order(await world.account(), wanted, world.stop.signal)));
    expect(error.code).toBe('too_slow');
    expect(world.server.count('/authorization')).toBeLessThanOrEqual(101);
    expect(world.challenges.size).toBe(0);
  });

  test('ends at once when the gateway stops', async () => {
    await using world = await AcmeWorld.open();
    world.server.validationPolls = 1_000_000;
    const stop = new AbortController();
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const failed = failure(order(await world.account(), wanted, stop.signal));
    await world.until(() => world.server.count('/authorization') > 3);
    stop.abort();
    expect((await failed).code).toBe('stopped');
    expect(world.challenges.size).toBe(0);
  });

  test('survives polls that fail in passing', async () => {
    await using world = await AcmeWorld.open();
    let failures = 0;
    world.server.validationPolls = 2;
    world.server.trouble = (path) =>
      path.startsWith('/authorization') && failures++ % 2 === 1 ? problem('serverInternal', 'a moment', 503) : null;
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    await world.pass(order(await world.account(), wanted, world.stop.signal));
    expect(failures).toBeGreaterThan(3);
  });

  test('takes the chain of the preferred root', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    const rootOf = async (preferredChain: string | null): Promise<string> => {
      const wanted = await request(['a.example'], [world.challenges.httpSolver], { preferredChain });
      return readChain(await world.pass(order(account, wanted, world.stop.signal))).at(-1)!.subject;
    };
    expect(await rootOf(null)).toBe('CN=Test Root');
    expect(await rootOf('Other Root')).toBe('CN=Other Root');
    expect(await rootOf('No such root')).toBe('CN=Test Root');
  });

  test('asks for a profile that the authority has, and for no other', async () => {
    await using world = await AcmeWorld.open();
    world.server.profiles = { shortlived: '…', classic: '…' };
    const account = await world.account();
    const wanted = await request(['a.example'], [world.challenges.httpSolver], { profile: 'shortlived' });
    await world.pass(order(account, wanted, world.stop.signal));
    expect(world.server.orders[0]!.profile).toBe('shortlived');
    const error = await failure(order(account, { ...wanted, profile: 'tiny' }, world.stop.signal));
    expect(error.code).toBe('profile_unsupported');
    expect(error.message).toContain('has no profile "tiny"; it has shortlived, classic');
    expect(world.server.orders).toHaveLength(1);
  });

  test.each([
    [
      'for another name',
      (json: Record<string, unknown>) => Object.assign(json, { identifier: { type: 'dns', value: 'evil.example' } }),
    ],
    [
      'with a token that is a path',
      (json: Record<string, unknown>) =>
        Object.assign(json, { challenges: [{ type: 'http-01', url: 'x', token: '../x' }] }),
    ],
  ])('refuses an authorization %s', async (_, change) => {
    await using world = await AcmeWorld.open();
    const client = world.http();
    const { authority, signer } = await world.account();
    const changed = {
      send: async (sent: Parameters<typeof client.send>[0]) => {
        const response = await client.send(sent);
        if (!sent.url.includes('/authorization/')) return response;
        return { ...response, body: JSON.stringify(change(JSON.parse(response.body) as Record<string, unknown>)) };
      },
    };
    const other = new (authority.constructor as new (...parts: unknown[]) => typeof authority)(
      authority.url,
      changed,
      world.clock,
    );
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const error = await failure(world.pass(order({ authority: other, signer }, wanted, world.stop.signal)));
    expect(error.code).toBe('bad_response');
    expect(world.challenges.size).toBe(0);
  });
});

describe('nonces', () => {
  test('a request is made again with the nonce of the refusal (RFC 8555 §6.5)', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const heads = world.server.hits;
    world.server.badNonces = 5;
    await world.pass(order(account, wanted, world.stop.signal));
    expect(world.server.badNonces).toBe(0);
    expect(world.server.hits).toBeGreaterThan(heads);
  });

  test('but not for ever', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    world.server.badNonces = 1000;
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    expect((await failure(order(account, wanted, world.stop.signal))).code).toBe('bad_nonce');
    expect(1000 - world.server.badNonces).toBe(11);
  });

  test('orders at once share them, each used once', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    const all = ['a', 'b', 'c', 'd', 'e'].map(async (name) =>
      order(account, await request([`${name}.example`], [world.challenges.httpSolver]), world.stop.signal),
    );
    expect(await world.pass(Promise.all(all))).toHaveLength(5);
  });
});

describe('an account', () => {
  test('is one for a key, registered once', async () => {
    await using world = await AcmeWorld.open();
    const key = new AccountKey(await generateKey('p256'));
    const registration = { contact: ['mailto:admin@a.example'], external: null };
    const first = await register(world.authority(), key, registration);
    expect(await register(world.authority(), key, registration)).toBe(first);
    expect(world.server.contacts).toEqual([['mailto:admin@a.example']]);
  });

  test('is bound to an external one (RFC 8555 §7.3.4)', async () => {
    await using world = await AcmeWorld.open();
    const hmacKey = Buffer.from('a secret of the authority').toString('base64url');
    world.server.external = { keyId: 'kid-1', key: hmacKey };
    const key = new AccountKey(await generateKey('p256'));
    const tried = (external: { keyId: string; hmacKey: string } | null) =>
      register(world.authority(), key, { contact: [], external });
    expect((await failure(tried(null))).code).toBe('external_account_required');
    expect((await failure(tried({ keyId: 'kid-1', hmacKey: 'AAAA' }))).code).toBe('unauthorized');
    expect(await tried({ keyId: 'kid-1', hmacKey })).toContain('/accounts/');
  });

  test('its thumbprint is that of RFC 7638 for an EC key, and its signatures are ES256', async () => {
    const key = await generateKey('p256');
    const account = new AccountKey(key);
    expect(account.thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(account.authorize('token')).toBe(`token.${account.thumbprint}`);
    expect(createPublicKey({ key: { ...account.jwk }, format: 'jwk' }).equals(createPublicKey(key))).toBe(true);
    expect(() => new AccountKey(key)).not.toThrow();
    const rsa = await generateKey('rsa2048');
    expect(() => new AccountKey(rsa)).toThrow('not a P-256 key');
  });
});

describe('a certificate', () => {
  test('is revoked with its reason', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const cert = new X509Certificate(await world.pass(order(account, wanted, world.stop.signal)));
    await revoke(account, cert, 4);
    expect(world.server.revoked).toEqual([{ serial: cert.serialNumber, reason: 4 }]);
    expect((await failure(revoke(account, cert, 4))).code).toBe('already_revoked');
  });

  test('has renewal information (RFC 9773), and its successor says what it replaces', async () => {
    await using world = await AcmeWorld.open();
    world.server.window = () => ({ start: '2026-02-01T00:00:00Z', end: '2026-02-03T00:00:00Z' });
    const account = await world.account();
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const cert = new X509Certificate(await world.pass(order(account, wanted, world.stop.signal)));
    const id = renewalId(cert)!;
    expect(await renewalInfo(account.authority, id)).toEqual({
      start: Date.UTC(2026, 1, 1),
      end: Date.UTC(2026, 1, 3),
      explanation: '',
      retryAfter: 21_600_000,
    });
    await world.pass(order(account, { ...wanted, replaces: id }, world.stop.signal));
    // One that is replaced already is no reason to go without (RFC 9773 §5).
    await world.pass(order(account, { ...wanted, replaces: id }, world.stop.signal));
    expect(world.server.orders.map(({ replaces }) => replaces)).toEqual([undefined, id, undefined]);
    world.server.window = () => ({ start: '2026-02-03T00:00:00Z', end: '2026-02-03T00:00:00Z' });
    expect((await failure(renewalInfo(account.authority, id))).code).toBe('bad_response');
  });

  test('there is no renewal information where the directory names none', async () => {
    await using world = await AcmeWorld.open();
    expect(await renewalInfo(world.authority(), 'a.b')).toBe(null);
  });
});

describe('problem documents', () => {
  test('keep their code, words, parts and Retry-After', async () => {
    await using world = await AcmeWorld.open();
    const account = await world.account();
    world.server.trouble = (path) =>
      path === '/order'
        ? {
            ...problem('rateLimited', 'too many\ncertificates', 429, { 'retry-after': '3600' }),
            subproblems: [
              {
                type: 'urn:ietf:params:acme:error:caa',
                detail: 'CAA forbids it',
                identifier: { type: 'dns', value: 'a.example' },
              },
            ],
          }
        : null;
    const wanted = await request(['a.example'], [world.challenges.httpSolver]);
    const error = await failure(order(account, wanted, world.stop.signal));
    expect(error).toMatchObject({
      code: 'rate_limited',
      status: 429,
      retryAfter: 3_600_000,
      message: 'too many certificates; a.example: CAA forbids it',
      subproblems: [{ identifier: 'a.example', code: 'caa', detail: 'CAA forbids it' }],
    });
  });

  test('of another vocabulary count as a refusal', async () => {
    await using world = await AcmeWorld.open();
    world.server.trouble = () => problem('x'.repeat(1000), 'y'.repeat(10_000), 418);
    const error = await failure(world.authority().directory());
    expect([error.code, error.status, error.message.length]).toEqual(['refused', 418, 500]);
  });
});

describe('HTTP', () => {
  async function answering(answer: http.RequestListener, limits: Partial<HttpLimits> = {}, clock: Clock = systemClock) {
    const server = http.createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stop = new AbortController();
    const client = httpClient({ ...AUTHORITY_LIMITS, plain: true, ...limits }, clock, 'prozy/test', stop.signal);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return {
      url,
      stop,
      send: () => client.send({ method: 'GET', url }),
      client,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test('a redirect is not followed', async () => {
    await using one = await answering((_, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    const error = await failure(one.send());
    expect([error.code, error.message]).toEqual([
      'redirected',
      expect.stringMatching(/redirects to http:\/\/127\.0\.0\.1:1\/$/),
    ]);
  });

  test('a response is bounded', async () => {
    await using one = await answering((_, response) => response.end('x'.repeat(1001)), { maxBody: 1000 });
    expect((await failure(one.send())).code).toBe('response_too_large');
  });

  test('a peer that does not answer costs the time limit, no more', async () => {
    const clock = new ManualClock();
    const arrived = Promise.withResolvers<void>();
    await using one = await answering(() => arrived.resolve(), { timeout: 5000 }, clock);
    const failed = failure(one.send());
    await arrived.promise;
    clock.advance(5000);
    expect((await failed).code).toBe('timeout');
    expect(clock.waiting).toBe(0);
  });

  test('a peer that is slow within its body does too', async () => {
    const clock = new ManualClock();
    const arrived = Promise.withResolvers<void>();
    await using one = await answering(
      (_, response) => {
        response.write('a part');
        arrived.resolve();
      },
      { timeout: 5000 },
      clock,
    );
    const failed = failure(one.send());
    await arrived.promise;
    clock.advance(5000);
    expect((await failed).code).toBe('timeout');
  });

  test('a stop ends it', async () => {
    const arrived = Promise.withResolvers<void>();
    await using one = await answering(() => arrived.resolve());
    const failed = failure(one.send());
    await arrived.promise;
    one.stop.abort();
    expect((await failed).code).toBe('stopped');
    expect((await failure(one.send())).code).toBe('stopped');
  });

  test('no listener, no plain HTTP, no other certificate than one that we trust', async () => {
    await using world = await AcmeWorld.open();
    const stop = new AbortController().signal;
    const strict = httpClient(AUTHORITY_LIMITS, systemClock, 'prozy/test', stop);
    expect((await failure(strict.send({ method: 'GET', url: 'https://127.0.0.1:1/' }))).code).toBe('connect_failed');
    expect((await failure(strict.send({ method: 'GET', url: 'http://127.0.0.1:1/' }))).code).toBe('bad_response');
    expect((await failure(strict.send({ method: 'GET', url: 'file:///etc/passwd' }))).code).toBe('bad_response');
    const untrusted = await failure(strict.send({ method: 'GET', url: world.server.directory }));
    expect([untrusted.code, untrusted.message]).toEqual([
      'connect_failed',
      expect.stringContaining('UNABLE_TO_VERIFY'),
    ]);
  });
});
