/** Certificates over months of virtual time: obtained, renewed, failed, shared between gateways. */
import { readFileSync, statSync, writeFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { asAcmeError } from '../../src/acme/client/acme-error.ts';
import { InternalIssuer } from '../../src/acme/internal-issuer.ts';
import type { Issuer } from '../../src/acme/issuer.ts';
import { type CertificateSpec, keyOf } from '../../src/acme/managed-certificate.ts';
import type { CertificateManager } from '../../src/acme/manager.ts';
import { AcmeWorld } from '../support/acme-world.ts';
import { problem } from '../support/acme-server.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

function specOf(names: string[], ...issuers: Issuer[]): CertificateSpec {
  return { names, keyType: 'p256', issuers };
}

/** What a config that takes effect does. */
async function ready(manager: CertificateManager, specs: CertificateSpec[]): Promise<void> {
  await manager.prepare(specs);
  manager.follow(specs);
}

/** A world with a manager of one certificate. */
async function single(world: AcmeWorld, names = ['a.example'], ...others: Issuer[]) {
  const store = world.store();
  const spec = specOf(names, world.issuer(store), ...others);
  const manager = world.manager(store);
  await ready(manager, [spec]);
  return { manager, key: keyOf(spec), spec, store };
}

const isValid = (manager: CertificateManager, key: string) => (): boolean => manager.status(key)?.state === 'valid';
const serialOf = (manager: CertificateManager, key: string): string =>
  new X509Certificate(manager.pair(key)!.cert).serialNumber;

describe('the first certificate', () => {
  test('has a temporary one before it', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world, ['a.example', '10.1.2.3']);
    const temporary = manager.pair(key)!;
    expect(temporary.temporary).toBe(true);
    expect(new X509Certificate(temporary.cert).subjectAltName).toBe('DNS:a.example, IP Address:10.1.2.3');
    expect(manager.status(key)).toMatchObject({ state: 'temporary', issuer: '', problem: null });
    await world.until(isValid(manager, key), MINUTE);
    expect(manager.pair(key)!.temporary).toBe(false);
    expect(manager.status(key)).toMatchObject({ state: 'valid', issuer: 'default', failures: 0 });
    expect(world.heard).toEqual(['temporary a.example,10.1.2.3', 'issued a.example,10.1.2.3']);
  });

  test('is on disk, readable by its owner alone, and serves after a restart without a request', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key, spec } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    const serial = serialOf(manager, key);
    await manager.close();
    const files = globSync('acme/**', { cwd: world.directory });
    expect(files.filter((file) => file.endsWith('.json'))).toHaveLength(2);
    for (const file of files) {
      const status = statSync(join(world.directory, file));
      expect([file, status.mode & 0o777]).toEqual([file, status.isDirectory() ? 0o700 : 0o600]);
    }
    expect(globSync('acme/locks/*', { cwd: world.directory })).toEqual([]);
    const requests = world.server.requests.length;
    const again = world.manager(world.store());
    await ready(again, [spec]);
    expect(serialOf(again, key)).toBe(serial);
    await world.wait(10 * DAY);
    expect(world.server.requests).toHaveLength(requests);
    expect(world.heard.at(-1)).toBe('stored a.example');
  });

  test('whose file is damaged counts as absent', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key, spec } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await manager.close();
    const [file] = globSync('acme/certificates/*/*.json', { cwd: world.directory });
    const path = join(world.directory, file!);
    writeFileSync(path, readFileSync(path, 'utf8').replace('p256', 'p384'));
    const again = world.manager(world.store());
    await ready(again, [spec]);
    expect(again.status(key)!.state).toBe('temporary');
    await world.until(isValid(again, key), MINUTE);
  });

  test('of many are obtained a few at a time', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const issuer = world.issuer(store);
    let [now, most] = [0, 0];
    const counting: Issuer = {
      name: 'counting',
      identity: issuer.identity,
      advice: () => Promise.resolve(null),
      revoke: () => Promise.resolve(),
      issue: (request) => {
        most = Math.max(most, ++now);
        return issuer.issue(request).finally(() => now--);
      },
    };
    const specs = Array.from({ length: 12 }, (_, i) => specOf([`n${i}.example`], counting));
    const manager = world.manager(store, { mostAtOnce: 3 });
    await ready(manager, specs);
    await world.until(() => manager.all().every(({ state }) => state === 'valid'), HOUR);
    expect(most).toBe(3);
    expect(world.server.accounts.size).toBe(1);
  });
});

describe('renewal', () => {
  test('takes place at a third of the life, again and again, each time once', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    const first = serialOf(manager, key);
    await world.wait(58 * DAY);
    expect(serialOf(manager, key)).toBe(first);
    await world.wait(2 * DAY);
    expect(serialOf(manager, key)).not.toBe(first);
    await world.wait(240 * DAY);
    expect(world.server.orders).toHaveLength(6);
    // Older pairs go.
    expect(globSync('acme/certificates/*/*.json', { cwd: world.directory })).toHaveLength(3);
    expect(world.heard.filter((one) => !one.startsWith('issued'))).toEqual(['temporary a.example']);
  });

  test('of a certificate of 6 days takes place after 4', async () => {
    await using world = await AcmeWorld.open();
    world.server.lifetime = 6 * DAY;
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await world.wait(90 * DAY);
    expect(world.server.orders.length).toBeGreaterThanOrEqual(22);
    expect(world.server.orders.length).toBeLessThanOrEqual(24);
  });

  test('follows the window of the authority, which may change it (RFC 9773)', async () => {
    await using world = await AcmeWorld.open();
    const start = world.clock.wall();
    const at = (days: number): string => new Date(start + days * DAY).toISOString();
    world.server.window = () => ({ start: at(70), end: at(72) });
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await world.until(() => manager.status(key)!.suggested !== null, MINUTE);
    expect(Math.round((manager.status(key)!.nextAttempt - start) / DAY)).toBe(71);
    await world.wait(30 * DAY);
    expect(world.server.orders).toHaveLength(1);
    // All are to be replaced within days: what an incident is like.
    const first = serialOf(manager, key);
    world.server.window = ({ serialNumber }) =>
      serialNumber === first ? { start: at(20), end: at(31) } : { start: at(90), end: at(91) };
    await world.wait(DAY);
    expect(serialOf(manager, key)).not.toBe(first);
    expect(world.server.orders).toHaveLength(2);
    expect(world.server.orders[1]!.replaces).toMatch(/^[\w-]+\.[\w-]+$/);
  });

  test('is not made more than once a day for an authority that always wants it', async () => {
    await using world = await AcmeWorld.open();
    world.server.window = () => ({ start: '2020-01-01T00:00:00Z', end: '2020-01-02T00:00:00Z' });
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await world.wait(3 * DAY);
    expect(world.server.orders.length).toBeLessThanOrEqual(5);
  });

  test('does not need the advice', async () => {
    await using world = await AcmeWorld.open();
    world.server.window = () => ({ start: 'x', end: 'y' });
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await world.wait(89 * DAY);
    expect(world.server.orders).toHaveLength(2);
    expect(manager.status(key)!.suggested).toBe(null);
    // About once a day.
    const asked = world.server.hits - world.server.requests.length;
    expect(asked).toBeLessThan(120 * 3);
  });

  test('at the wish of an operator is at once', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    const first = serialOf(manager, key);
    expect(manager.renew('unknown')).toBe(false);
    expect(manager.renew(key)).toBe(true);
    await world.until(() => serialOf(manager, key) !== first, MINUTE);
  });

  test('follows a revocation', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world);
    expect(asAcmeError(await manager.revoke(key, 4).catch((error: unknown) => error)).code).toBe('not_found');
    await world.until(isValid(manager, key), MINUTE);
    const first = serialOf(manager, key);
    await world.pass(manager.revoke(key, 4));
    expect(world.server.revoked).toEqual([{ serial: first, reason: 4 }]);
    await world.until(isValid(manager, key), MINUTE);
    expect(serialOf(manager, key)).not.toBe(first);
  });
});

describe('an authority', () => {
  test('that is away for an hour is asked seldom, and found soon after', async () => {
    await using world = await AcmeWorld.open();
    world.server.away = true;
    const { manager, key } = await single(world);
    await world.wait(HOUR);
    const tries = world.heard.filter((one) => one.startsWith('default: connect_failed')).length;
    expect(tries).toBeGreaterThanOrEqual(5);
    expect(tries).toBeLessThanOrEqual(7);
    expect(manager.status(key)).toMatchObject({
      state: 'temporary',
      failures: tries,
      problem: { issuer: 'default', code: 'connect_failed' },
    });
    world.server.away = false;
    await world.until(isValid(manager, key), HOUR);
    expect(manager.status(key)).toMatchObject({ failures: 0, problem: null });
  });

  test('that is away when a renewal is due leaves the old certificate in use', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    const first = serialOf(manager, key);
    world.server.away = true;
    await world.wait(61 * DAY);
    expect(serialOf(manager, key)).toBe(first);
    const tries = world.heard.length;
    expect(tries).toBeGreaterThan(5);
    await world.wait(DAY);
    // Once an hour, no more.
    expect(world.heard.length - tries).toBeLessThanOrEqual(25);
    world.server.away = false;
    await world.until(() => serialOf(manager, key) !== first, 2 * HOUR);
  });

  test('that is away is found out by a few certificates, not by all', async () => {
    await using world = await AcmeWorld.open();
    world.server.away = true;
    const store = world.store();
    const issuer = world.issuer(store);
    const manager = world.manager(store);
    await ready(
      manager,
      Array.from({ length: 40 }, (_, i) => specOf([`n${i}.example`], issuer)),
    );
    await world.wait(HOUR);
    expect(world.server.hits).toBeLessThan(40);
    world.server.away = false;
    await world.until(() => manager.all().every(({ state }) => state === 'valid'), 3 * HOUR);
  });

  test('that limits is left alone for as long as it says', async () => {
    await using world = await AcmeWorld.open();
    world.server.trouble = (path) =>
      path === '/order'
        ? problem('rateLimited', 'too many certificates', 429, { 'retry-after': String(36 * 3600) })
        : null;
    const { manager, key } = await single(world);
    await world.wait(MINUTE);
    const hits = world.server.hits;
    expect(manager.status(key)!.problem).toMatchObject({ code: 'rate_limited', detail: 'too many certificates' });
    await world.wait(35 * HOUR);
    expect(world.server.hits).toBe(hits);
    world.server.trouble = () => null;
    await world.until(isValid(manager, key), 2 * HOUR);
  });

  test('that fails has the next issuer in its place, without a pause', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const broken = world.issuer(store, { name: 'first', authority: world.authority('https://127.0.0.1:1/directory') });
    const spec = specOf(['a.example'], broken, world.issuer(store, { name: 'second' }));
    const manager = world.manager(store);
    await ready(manager, [spec]);
    await world.until(isValid(manager, keyOf(spec)), MINUTE);
    expect(world.heard).toEqual(['temporary a.example', 'first: connect_failed a.example', 'issued a.example']);
    expect(manager.status(keyOf(spec))).toMatchObject({ issuer: 'second', problem: null });
  });

  test('that has lost the account gets the same key again', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    world.server.forgetAccounts();
    const first = serialOf(manager, key);
    manager.renew(key);
    await world.until(() => serialOf(manager, key) !== first, MINUTE);
    expect(world.server.accounts.size).toBe(1);
  });

  test('that can not reach one kind of challenge is offered another at the next attempt', async () => {
    await using world = await AcmeWorld.open();
    world.server.ports.http = 1;
    const { manager, key } = await single(world);
    await world.until(isValid(manager, key), 10 * MINUTE);
    expect(world.heard).toEqual(['temporary a.example', 'default: connection a.example', 'issued a.example']);
  });
});

describe('several gateways with one store', () => {
  test('order once, and all use the result', async () => {
    await using world = await AcmeWorld.open();
    world.server.validationPolls = 10;
    const managers = [0, 1, 2].map(() => {
      const store = world.store();
      const spec = specOf(['a.example'], world.issuer(store));
      return { manager: world.manager(store, { watch: MINUTE }), spec };
    });
    await Promise.all(managers.map(({ manager, spec }) => ready(manager, [spec])));
    const key = keyOf(managers[0]!.spec);
    await world.until(() => managers.every(({ manager }) => isValid(manager, key)()), HOUR);
    expect(world.server.orders).toHaveLength(1);
    expect(world.server.accounts.size).toBe(1);
    expect(new Set(managers.map(({ manager }) => serialOf(manager, key))).size).toBe(1);
    // A renewal at the wish of one reaches the others.
    managers[1]!.manager.renew(key);
    await world.until(() => world.server.orders.length === 2, MINUTE);
    await world.until(() => new Set(managers.map(({ manager }) => serialOf(manager, key))).size === 1, 2 * MINUTE);
    await world.wait(120 * MINUTE);
    expect(world.server.orders).toHaveLength(2);
  });

  test('go on when one dies with the lock', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key, store } = await single(world);
    await world.until(isValid(manager, key), MINUTE);
    await manager.close();
    const again = world.manager(world.store());
    await store.prepare('locks');
    writeFileSync(join(world.directory, 'acme/locks', key), 'another host 1 abc 0\n');
    await ready(again, [specOf(['a.example'], world.issuer(store))]);
    again.renew(key);
    await world.until(() => world.server.orders.length === 2, 2 * MINUTE);
    await world.wait(MINUTE);
    expect(globSync('acme/locks/*', { cwd: world.directory })).toEqual([]);
  });
});

describe('a reload', () => {
  test('that is not in effect yet, or never, orders nothing', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const [a, b] = [specOf(['a.example'], world.issuer(store)), specOf(['b.example'], world.issuer(store))];
    const manager = world.manager(store);
    await ready(manager, [a]);
    await manager.prepare([a, b]);
    await world.wait(DAY);
    expect(world.server.orders).toHaveLength(1);
    expect(manager.pair(keyOf(b))!.temporary).toBe(true);
    manager.follow([a]);
    expect(manager.pair(keyOf(b))).toBe(null);
  });

  test('keeps what it still names, and forgets the rest', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const [a, b] = [specOf(['a.example'], world.issuer(store)), specOf(['b.example'], world.issuer(store))];
    const manager = world.manager(store);
    await ready(manager, [a]);
    await world.until(isValid(manager, keyOf(a)), MINUTE);
    const serial = serialOf(manager, keyOf(a));
    await ready(manager, [a, b]);
    expect(serialOf(manager, keyOf(a))).toBe(serial);
    await world.until(isValid(manager, keyOf(b)), MINUTE);
    await ready(manager, [b]);
    expect(manager.pair(keyOf(a))).toBe(null);
    expect(manager.all().map(({ names }) => names)).toEqual([['b.example']]);
    // What was forgotten is still in the store.
    await ready(manager, [a, b]);
    expect(serialOf(manager, keyOf(a))).toBe(serial);
    expect(world.server.orders).toHaveLength(2);
  });
});

describe('the internal issuer', () => {
  test('makes certificates below a root that stays', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const issuer = new InternalIssuer('dev', 7 * DAY, store, world.clock);
    const spec = specOf(['localhost', '127.0.0.1', '*.dev.test'], issuer);
    const manager = world.manager(store);
    await ready(manager, [spec]);
    await world.until(isValid(manager, keyOf(spec)), MINUTE);
    const root = new X509Certificate((await issuer.root()).cert);
    const leaf = new X509Certificate(manager.pair(keyOf(spec))!.cert);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(root)).toBe(true);
    const first = serialOf(manager, keyOf(spec));
    await world.wait(6 * DAY);
    expect(serialOf(manager, keyOf(spec))).not.toBe(first);
    expect(new X509Certificate(manager.pair(keyOf(spec))!.cert).verify(root.publicKey)).toBe(true);
    const other = new InternalIssuer('dev', 7 * DAY, world.store(), world.clock);
    expect((await other.root()).cert).toBe((await issuer.root()).cert);
    expect(asAcmeError(await manager.revoke(keyOf(spec), 0).catch((error: unknown) => error)).code).toBe('unsupported');
  });

  test('has a new root in time', async () => {
    await using world = await AcmeWorld.open();
    const issuer = new InternalIssuer('dev', 7 * DAY, world.store(), world.clock);
    const first = (await issuer.root()).cert;
    world.clock.advance(3200 * DAY);
    expect((await issuer.root()).cert).toBe(first);
    world.clock.advance(100 * DAY);
    const second = (await issuer.root()).cert;
    expect(second).not.toBe(first);
    expect(await issuer.root()).toMatchObject({ cert: second });
  });
});

describe('a store that can not be written', () => {
  test('is reported once, and tried again', async () => {
    await using world = await AcmeWorld.open();
    writeFileSync(join(world.directory, 'acme'), 'a file');
    const { manager, key } = await single(world);
    await world.wait(10 * MINUTE);
    expect(world.heard.filter((one) => one.includes('acme'))).toHaveLength(1);
    expect(world.server.orders).toHaveLength(0);
    expect(manager.pair(key)!.temporary).toBe(true);
  });

  test('does not cost a certificate that was obtained', async () => {
    await using world = await AcmeWorld.open();
    const { manager, key, store } = await single(world);
    store.save = () => Promise.reject(new Error('ENOSPC: no space left'));
    await world.until(isValid(manager, key), MINUTE);
    await world.wait(DAY);
    expect(world.server.orders).toHaveLength(1);
    expect(world.heard).toEqual(['temporary a.example', 'issued a.example', 'ENOSPC: no space left']);
  });
});
