import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Shared } from '../../src/kit/shared.ts';

test('a value is made once for its key', () => {
  const shared = new Shared<{ n: number }>();
  const first = shared.get('a', () => ({ n: 1 }));
  expect(shared.get('a', () => ({ n: 2 }))).toBe(first);
  expect(shared.get('b', () => ({ n: 3 }))).toEqual({ n: 3 });
});

test('what nobody holds is collected, and made anew if it is wanted again', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const shared = new Shared<{ n: number }>();
  const seen = new WeakRef(shared.get('a', () => ({ n: 1 })));
  for (let i = 0; i < 50 && seen.deref() !== undefined; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(seen.deref()).toBeUndefined();
  expect(shared.get('a', () => ({ n: 2 }))).toEqual({ n: 2 });
});
