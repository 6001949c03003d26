import { expect, test } from 'vitest';
import { RefCounted } from '../../src/kit/ref-counted.ts';

test('it ends with its last holder, and gives back in reverse', () => {
  const ended: string[] = [];
  const kept = new RefCounted('value', [() => ended.push('first'), () => ended.push('second')]);
  kept.hold();
  kept.hold();
  kept.release();
  expect(ended).toEqual([]);
  kept.release();
  expect(ended).toEqual(['second', 'first']);
});
