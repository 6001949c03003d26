/** Gateways behind one address: the authority reaches another one than that which made the order. */
import { existsSync, globSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PendingChallenges } from '../../src/acme/challenges/responder.ts';
import type { Challenge } from '../../src/acme/client/order.ts';
import { SharedChallenges } from '../../src/acme/shared-challenges.ts';
import { AcmeWorld } from '../support/acme-world.ts';

const STOP = new AbortController().signal;
const CHALLENGE: Challenge = {
  identifier: { type: 'dns', value: 'a.example' },
  token: 'token',
  keyAuthorization: 'token.x',
};

function gateway(world: AcmeWorld) {
  const challenges = new PendingChallenges(world.clock);
  const shared = new SharedChallenges(world.store(), world.clock, challenges);
  return { challenges, shared };
}

test('one answers for the other, as long as the challenge is pending', async () => {
  await using world = await AcmeWorld.open();
  const [mine, other] = [gateway(world), gateway(world)];
  await Promise.all([mine.shared.live(), other.shared.live()]);
  const http = mine.shared.share(mine.challenges.httpSolver).present(CHALLENGE, STOP);
  const tls = mine.shared.share(mine.challenges.tlsSolver).present(CHALLENGE, STOP);
  const withdrawals = await world.pass(Promise.all([http, tls]));
  expect(other.challenges.http01('token')).toBe('token.x');
  expect(other.challenges.tlsAlpn01('A.example')).toEqual(mine.challenges.tlsAlpn01('a.example'));
  expect([other.challenges.http01('other'), other.challenges.tlsAlpn01('b.example')]).toEqual([null, null]);
  await Promise.all(withdrawals.map((withdraw) => withdraw()));
  await world.wait(1000);
  expect([other.challenges.http01('token'), other.challenges.tlsAlpn01('a.example')]).toEqual([null, null]);
  await Promise.all([mine.shared.close(), other.shared.close()]);
  expect(globSync('acme/{gateways,challenges}/*', { cwd: world.directory })).toEqual([]);
  expect(world.clock.waiting).toBe(0);
});

test('a gateway alone does not wait, nor one whose neighbour has died', async () => {
  await using world = await AcmeWorld.open();
  const [mine, other] = [gateway(world), gateway(world)];
  const solver = mine.shared.share(mine.challenges.httpSolver);
  const time = async (): Promise<number> => {
    const before = world.clock.now();
    await (await world.pass(solver.present(CHALLENGE, STOP)))();
    return world.clock.now() - before;
  };
  await other.shared.live();
  const [file] = globSync('acme/gateways/*', { cwd: world.directory });
  await mine.shared.live();
  expect(await time()).toBeGreaterThanOrEqual(2000);
  // It shows no sign of life for a while, then for long.
  const path = join(world.directory, file!);
  const age = (ms: number): void => utimesSync(path, (Date.now() - ms) / 1000, (Date.now() - ms) / 1000);
  age(100_000);
  expect(await time()).toBe(0);
  expect(existsSync(path)).toBe(true);
  age(4_000_000);
  expect(await time()).toBe(0);
  expect(existsSync(path)).toBe(false);
  await Promise.all([mine.shared.close(), other.shared.close()]);
});

test('a challenge that is given up while others are told is withdrawn', async () => {
  await using world = await AcmeWorld.open();
  const [mine, other] = [gateway(world), gateway(world)];
  await Promise.all([mine.shared.live(), other.shared.live()]);
  const stop = new AbortController();
  const presented = mine.shared.share(mine.challenges.httpSolver).present(CHALLENGE, stop.signal);
  await world.until(() => other.challenges.http01('token') !== null, 5000);
  stop.abort();
  await expect(presented).rejects.toMatchObject({ code: 'stopped' });
  expect(mine.challenges.size).toBe(0);
  expect(globSync('acme/challenges/*', { cwd: world.directory })).toEqual([]);
  await Promise.all([mine.shared.close(), other.shared.close()]);
});
