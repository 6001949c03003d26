import { expect, test } from 'vitest';
import { ByteBlocks } from '../../src/kit/byte-blocks.ts';

test.each([
  [-1, 1],
  [-1, 700],
  [-1, 100_000],
  [250_000, 1],
  [250_000, 100_000],
  [10, 700],
])('expecting %i, in parts of %i: all bytes, and little memory besides', (length, part) => {
  const total = 250_000;
  const sent = Buffer.from(Array.from({ length: total }, (_, i) => i % 251));
  const blocks = new ByteBlocks(length);
  for (let at = 0; at < total; at += part) {
    const bytes = Buffer.from(sent.subarray(at, at + part));
    expect(blocks.append(bytes, 0, bytes.length)).toBe(true);
    // They were valid during the call only.
    bytes.fill(0);
  }
  expect([blocks.size, blocks.whole().equals(sent)]).toEqual([total, true]);
  expect(blocks.occupied).toBeLessThanOrEqual(total + (length === total ? 0 : 65_536));
  const parts = Array.from({ length: blocks.count }, (_, i) => blocks.block(i));
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
});

test('a short part of unknown length takes a short block', () => {
  const blocks = new ByteBlocks(-1);
  blocks.append(Buffer.from('hello'), 1, 4);
  expect([blocks.occupied, blocks.whole().toString()]).toEqual([1024, 'ell']);
});

test.each([
  [3, 3],
  [60_000, 1024],
])('a part of an announced length of %i takes a block of %i', (length, block) => {
  const blocks = new ByteBlocks(length);
  blocks.append(Buffer.from('x'), 0, 1);
  expect(blocks.occupied).toBe(block);
});

test('each block needs to be granted', () => {
  const asked: number[] = [];
  const blocks = new ByteBlocks(-1, (bytes) => asked.push(bytes) < 2);
  expect(blocks.append(Buffer.alloc(1024), 0, 1024)).toBe(true);
  expect(blocks.append(Buffer.alloc(1), 0, 1)).toBe(false);
  expect([asked, blocks.occupied]).toEqual([[1024, 2048], 1024]);
});

test('nothing is an empty piece', () => {
  expect(new ByteBlocks(0).whole().length).toBe(0);
});
