import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LOCK_LIFETIME, Locks } from '../../src/acme/lock.ts';
import { AcmeWorld } from '../support/acme-world.ts';

const files = (world: AcmeWorld): string[] => globSync('acme/locks/*', { cwd: world.directory });

describe('a lock', () => {
  test('is held by one at a time, however long', async () => {
    await using world = await AcmeWorld.open();
    const [mine, other] = [new Locks(world.store(), world.clock), new Locks(world.store(), world.clock)];
    const lock = await mine.take('a');
    expect(lock).not.toBe(null);
    for (let i = 0; i < 20; i++) {
      expect(await other.take('a')).toBe(null);
      await world.wait(LOCK_LIFETIME / 2);
    }
    expect(lock!.lost.aborted).toBe(false);
    expect(await other.take('b')).not.toBe(null);
    await lock!.release();
    expect(await other.take('a')).not.toBe(null);
  });

  test('leaves nothing behind', async () => {
    await using world = await AcmeWorld.open();
    const lock = await new Locks(world.store(), world.clock).take('a');
    expect(files(world)).toHaveLength(1);
    await lock!.release();
    expect(files(world)).toEqual([]);
    expect(world.clock.waiting).toBe(0);
  });

  test('that its owner no longer refreshes is taken over when it has been watched for its life', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    writeFileSync(join(await store.prepare('locks'), 'a'), 'another host 1 abc 7\n');
    const locks = new Locks(store, world.clock);
    expect(await locks.take('a')).toBe(null);
    world.clock.advance(LOCK_LIFETIME - 1);
    expect(await locks.take('a')).toBe(null);
    world.clock.advance(1);
    const lock = await locks.take('a');
    expect(lock).not.toBe(null);
    expect(files(world)).toHaveLength(1);
    await lock!.release();
    expect(files(world)).toEqual([]);
  });

  test('is taken over by one of several', async () => {
    await using world = await AcmeWorld.open();
    writeFileSync(join(await world.store().prepare('locks'), 'a'), 'another host 1 abc 7\n');
    const all = Array.from({ length: 5 }, () => new Locks(world.store(), world.clock));
    expect(await Promise.all(all.map((one) => one.take('a')))).toEqual([null, null, null, null, null]);
    world.clock.advance(LOCK_LIFETIME);
    const taken = await Promise.all(all.map((one) => one.take('a')));
    expect(taken.filter((lock) => lock !== null)).toHaveLength(1);
    await Promise.all(taken.map((lock) => Promise.resolve(lock?.release())));
    expect(files(world)).toEqual([]);
  });

  test('that was taken over tells its former owner, who leaves it alone', async () => {
    await using world = await AcmeWorld.open();
    const store = world.store();
    const lock = (await new Locks(store, world.clock).take('a'))!;
    writeFileSync(join(world.directory, 'acme/locks/a'), 'another host 1 abc 7\n');
    await world.until(() => lock.lost.aborted, LOCK_LIFETIME);
    expect(lock.lost.reason).toMatchObject({ code: 'lost_lock' });
    await lock.release();
    expect(files(world)).toHaveLength(1);
  });
});
