import { expect, test } from 'vitest';
import { memoized } from '../../src/kit/memoized.ts';

function counted(): { readonly of: (text: string) => { readonly text: string }; readonly made: () => number } {
  let made = 0;
  const of = memoized((text) => {
    made++;
    return { text };
  });
  return { of, made: () => made };
}

test('the same text is made once', () => {
  const { of, made } = counted();
  expect(of('a')).toBe(of('a'));
  expect(of('b').text).toBe('b');
  expect(made()).toBe(2);
});

test('it forgets all when it is full, and goes on', () => {
  const { of, made } = counted();
  for (let i = 0; i < 512; i++) of(`text ${i}`);
  of('text 0');
  expect(made()).toBe(512);
  of('one more');
  of('text 0');
  of('text 0');
  expect(made()).toBe(514);
});

test('a long text is not kept', () => {
  const { of, made } = counted();
  const long = 'x'.repeat(513);
  expect(of(long).text).toBe(long);
  of(long);
  expect(made()).toBe(2);
});

test('every Latin-1 character stays what it is', () => {
  const text = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  expect(counted().of(text).text).toBe(text);
});

test('a text that is not of a wire is not confused with one that is', () => {
  const { of } = counted();
  expect(of('\u0141').text).toBe('\u0141');
  expect(of('A').text).toBe('A');
  expect(of('\u0141').text).toBe('\u0141');
});
