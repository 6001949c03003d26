import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { encodingFilter } from '../../../src/http/coding/encoding-filter.ts';
import { encoderOf } from '../../../src/http/coding/encoders.ts';
import { encoderMemory } from '../../../src/http/coding/memory.ts';
import { Fields } from '../../../src/http/fields.ts';
import { UNKNOWN_LENGTH } from '../../../src/http/message.ts';
import { FilterBench, partsOf } from '../../support/body-filters.ts';
import { until } from '../../support/gateway.ts';
import { linesOf } from '../../support/exchange.ts';

const DECODE = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync } as const;
const CODINGS = ['zstd', 'br', 'gzip'] as const;
const BODY = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i} of ${(i * 7919) % 1013}\n`).join(''));

function bench(coding: (typeof CODINGS)[number], length: number, level = 3): FilterBench {
  return new FilterBench(encodingFilter(encoderOf(coding, level), length)!);
}

afterEach(() => {
  expect(encoderMemory.coders).toBe(0);
});

describe.each(CODINGS)('%s', (coding) => {
  test.each([
    ['in parts, the length unknown', UNKNOWN_LENGTH, 10_000],
    ['in parts, the length known', BODY.length, 10_000],
    ['in one part', BODY.length, BODY.length],
  ])('%s', async (_, length, size) => {
    const { output, events } = await bench(coding, length).run(partsOf(BODY, size));
    expect(DECODE[coding](output).equals(BODY)).toBe(true);
    expect(output.length).toBeLessThan(BODY.length / 2);
    expect(events.at(-1)).toBe('end');
  });

  test('a small content is coded in one step, before `data` returns', () => {
    for (const size of [1000, 300]) {
      const small = BODY.subarray(0, 1000);
      const one = bench(coding, small.length);
      for (const part of partsOf(small, size)) one.filter.data(part, 0, part.length);
      one.filter.end(null);
      expect(one.events).toEqual(['data', 'end']);
      expect(DECODE[coding](one.output).equals(small)).toBe(true);
    }
  });

  test('what has come so far can be decoded after each read', async () => {
    const one = bench(coding, UNKNOWN_LENGTH);
    for (const event of ['data: one\n\n', 'data: two\n\n', 'data: three\n\n']) {
      const before = one.events.length;
      await one.write(Buffer.from(event));
      await until(() => one.events.length > before && one.events.at(-1) === 'flush', 'the sink is told to write');
      expect(decodedSoFar(coding, one.output).endsWith(event)).toBe(true);
    }
    await one.end();
    expect(one.events.at(-1)).toBe('end');
  });

  test('an empty content of unknown length is a valid one', async () => {
    const { output } = await bench(coding, UNKNOWN_LENGTH).run([]);
    expect(output.length).toBeGreaterThan(0);
    expect(DECODE[coding](output).length).toBe(0);
  });

  test('a slow receiver stops the source, and nothing is lost', async () => {
    const one = bench(coding, UNKNOWN_LENGTH);
    // Nothing that could be compressed.
    const parts = Array.from({ length: 40 }, () => randomBytes(60_000));
    expect(await one.runSlowly(parts)).toBeLessThan(20);
    expect(DECODE[coding](one.output).equals(Buffer.concat(parts))).toBe(true);
  });

  test('an abort frees the coder, whatever it is doing', async () => {
    const idle = bench(coding, UNKNOWN_LENGTH);
    idle.filter.abort();
    const busy = bench(coding, UNKNOWN_LENGTH);
    busy.filter.data(BODY, 0, BODY.length);
    await new Promise((resolve) => setImmediate(resolve));
    busy.filter.abort();
    const between = bench(coding, UNKNOWN_LENGTH);
    await between.write(BODY);
    await until(() => between.events.at(-1) === 'flush', 'a part has been coded');
    const heard = between.events.length;
    between.filter.abort();
    expect(encoderMemory.coders).toBe(0);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([idle.events, busy.events, between.events.length]).toEqual([[], [], heard]);
    const failed = bench(coding, UNKNOWN_LENGTH);
    await failed.write(BODY);
    failed.filter.fail({ code: 'response_truncated' } as never);
    expect(failed.error?.code).toBe('response_truncated');
  });
});

test('parts of a known length are gathered until a job is worth it', async () => {
  const body = BODY.subarray(0, 60_000);
  const whole = bench('gzip', body.length);
  for (const part of partsOf(body, 10_000)) {
    await whole.write(part);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(whole.events).toEqual([]);
  }
  await whole.end();
  expect(whole.events).toEqual(['data', 'end']);
  expect(gunzipSync(whole.output).equals(body)).toBe(true);
});

test('a slow receiver keeps its content while others are coded', () => {
  const slow = bench('gzip', 1000);
  let kept: Buffer = Buffer.alloc(0);
  slow.filter.next.data = (bytes, start, end) => {
    kept = bytes.subarray(start, end);
    return false;
  };
  expect(slow.filter.data(BODY, 0, 1000)).toBe(false);
  const other = bench('gzip', 1000);
  other.filter.data(BODY, 5000, 6000);
  expect(gunzipSync(other.output).equals(BODY.subarray(5000, 6000))).toBe(true);
  expect(gunzipSync(kept).equals(BODY.subarray(0, 1000))).toBe(true);
});

test('bytes are copied, as the next read overwrites them', async () => {
  const one = bench('gzip', UNKNOWN_LENGTH);
  const buffer = Buffer.from(BODY.subarray(0, 1000));
  one.filter.data(buffer, 0, 1000);
  buffer.fill(0);
  await one.end();
  expect(gunzipSync(one.output).equals(BODY.subarray(0, 1000))).toBe(true);
});

test('a pause before the first byte holds the output back', async () => {
  const one = bench('gzip', UNKNOWN_LENGTH);
  one.filter.pause();
  await one.write(BODY.subarray(0, 1000));
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(one.parts).toEqual([]);
  one.filter.resume();
  await one.end();
  expect(gunzipSync(one.output).equals(BODY.subarray(0, 1000))).toBe(true);
});

test('trailers pass, but for digests of another content', async () => {
  const one = bench('br', UNKNOWN_LENGTH);
  await one.write(BODY);
  await one.end(
    Fields.of([
      ['Server-Timing', 'a'],
      ['Content-Digest', 'sha-256=:AA==:'],
      ['Repr-Digest', 'sha-256=:AA==:'],
    ]),
  );
  expect(linesOf(one.trailers!)).toEqual(['Server-Timing: a']);
});

test('without memory for another coder there is no filter', () => {
  const encoder = encoderOf('br', 11);
  encoderMemory.limit = 512 * 1024 * 1024;
  const taken = [];
  for (
    let next = encodingFilter(encoder, UNKNOWN_LENGTH);
    next !== null;
    next = encodingFilter(encoder, UNKNOWN_LENGTH)
  )
    taken.push(next);
  expect(taken.length).toBeGreaterThan(10);
  expect(taken.length * encoder.memory).toBeLessThanOrEqual(encoderMemory.limit);
  for (const filter of taken) filter.abort();
  encoderMemory.limit = 0;
});

function decodedSoFar(coding: (typeof CODINGS)[number], output: Buffer): string {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = constants;
  const finishFlush = { gzip: Z_SYNC_FLUSH, br: BROTLI_OPERATION_FLUSH, zstd: ZSTD_e_flush }[coding];
  return DECODE[coding](output, { finishFlush }).toString();
}
