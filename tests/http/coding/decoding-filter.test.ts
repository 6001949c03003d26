import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { ContentCoding } from '../../../src/http/coding/codings.ts';
import { decodingFilter } from '../../../src/http/coding/decoding-filter.ts';
import { decoderMemory } from '../../../src/http/coding/memory.ts';
import { Fields } from '../../../src/http/fields.ts';
import { FilterBench, partsOf } from '../../support/body-filters.ts';
import { linesOf } from '../../support/exchange.ts';

const ENCODE: Record<ContentCoding, (body: Buffer) => Buffer> = {
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body),
  zstd: (body) => zstdCompressSync(body),
};
const CODINGS = ['zstd', 'br', 'gzip', 'deflate'] as const;
const BODY = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i} of ${(i * 7919) % 1013}\n`).join(''));
const NO_LIMITS = { maxSize: 0, maxRatio: 0 };

function bench(codings: readonly ContentCoding[], limits = NO_LIMITS): FilterBench {
  return new FilterBench(decodingFilter(codings, limits));
}

/** The code of the error in decoding these parts, or 'fine'. */
async function outcome(codings: readonly ContentCoding[], parts: readonly Buffer[], limits = NO_LIMITS) {
  const { error } = await bench(codings, limits).run(parts);
  return error === null ? 'fine' : `${error.code} ${error.status}`;
}

const BAD = 'body_undecodable 400';

afterEach(() => {
  expect(decoderMemory.coders).toBe(0);
});

describe.each(CODINGS)('%s', (coding) => {
  const coded = ENCODE[coding](BODY);

  test('in one part and byte by byte', async () => {
    expect((await bench([coding]).run([coded])).output.equals(BODY)).toBe(true);
    const small = BODY.subarray(0, 300);
    const bytes = await bench([coding]).run(partsOf(ENCODE[coding](small), 1));
    expect([bytes.output.equals(small), bytes.error, bytes.events.at(-1)]).toEqual([true, null, 'end']);
  });

  test('a content that ends early is refused, wherever it ends', async () => {
    for (const kept of [1, 3, coded.length >> 1, coded.length - 1])
      expect(await outcome([coding], [coded.subarray(0, kept)])).toBe(BAD);
  });

  test('bytes after the end are refused, in the same part and in a later one', async () => {
    for (const more of ['x', '\0\0\0\0', 'garbage that goes on']) {
      expect(await outcome([coding], [Buffer.concat([coded, Buffer.from(more)])])).toBe(BAD);
      expect(await outcome([coding], [coded, Buffer.from(more)])).toBe(BAD);
    }
  });

  test('what is not of that coding is refused', async () => {
    expect(await outcome([coding], [Buffer.from('{ "plain": "text" }')])).toBe(BAD);
    expect(await outcome([coding], [randomBytes(16), coded])).toBe(BAD);
  });

  test('no content at all has no coding', async () => {
    const { events } = await bench([coding]).run([]);
    expect(events).toEqual(['end']);
  });

  test('the size limit counts decoded bytes', async () => {
    expect(await outcome([coding], [coded], { maxSize: BODY.length, maxRatio: 0 })).toBe('fine');
    expect(await outcome([coding], [coded], { maxSize: BODY.length - 1, maxRatio: 0 })).toBe('body_too_large 413');
  });

  test('a bomb ends early: no more than a little beyond the limit is decoded', async () => {
    const bomb = ENCODE[coding](Buffer.alloc(64 * 1024 * 1024));
    const limits = { maxSize: 8 * 1024 * 1024, maxRatio: 0 };
    const one = await bench([coding], limits).run(partsOf(bomb, 4096));
    expect(one.error?.status).toBe(413);
    expect(one.output.length).toBeLessThanOrEqual(limits.maxSize);
    const ratio = await bench([coding], { maxSize: 0, maxRatio: 100 }).run(partsOf(bomb, 4096));
    expect(ratio.error?.status).toBe(413);
    expect(ratio.output.length).toBeLessThanOrEqual(Math.max(100 * bomb.length, 2 * 1024 * 1024));
  });

  test('the ratio does not count below 1 MiB', async () => {
    const small = ENCODE[coding](Buffer.alloc(1024 * 1024));
    expect(await outcome([coding], [small], { maxSize: 0, maxRatio: 100 })).toBe('fine');
  });

  test('an abort frees the decoder', async () => {
    const one = bench([coding]);
    await one.write(coded.subarray(0, 100));
    await new Promise((resolve) => setImmediate(resolve));
    expect(decoderMemory.coders).toBe(1);
    one.filter.abort();
    expect(decoderMemory.coders).toBe(0);
  });
});

test('gzip with several members is one content (RFC 1952 §2.2)', async () => {
  const parts = [gzipSync('one '), gzipSync('two '), gzipSync('three')];
  for (const given of [parts, [Buffer.concat(parts)], partsOf(Buffer.concat(parts), 1)])
    expect((await bench(['gzip']).run(given)).output.toString()).toBe('one two three');
  expect(await outcome(['gzip'], [Buffer.concat([...parts, parts[0]!.subarray(0, 5)])])).toBe(BAD);
});

test('deflate is the zlib format only (RFC 9110 §8.4.1.2)', async () => {
  expect(await outcome(['deflate'], [deflateRawSync(BODY)])).toBe(BAD);
});

test('zstd windows beyond 8 MiB are refused (RFC 9659)', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 24, [constants.ZSTD_c_compressionLevel]: 3 };
  // A streamed frame: its window is not shortened to its content.
  const wide = zstdCompressSync(randomBytes(20 * 1024 * 1024), { params });
  expect(await outcome(['zstd'], partsOf(wide, 65_536))).toBe(BAD);
});

describe('several codings', () => {
  const nested = gzipSync(brotliCompressSync(zstdCompressSync(BODY)));
  const codings = ['zstd', 'br', 'gzip'] as const;

  test('the last is removed first', async () => {
    const one = await bench(codings).run(partsOf(nested, 5000));
    expect([one.output.equals(BODY), one.error, one.events.at(-1)]).toEqual([true, null, 'end']);
    expect(await outcome(['gzip', 'br', 'zstd'], [nested])).toBe(BAD);
  });

  test('an error inside reaches the owner, and frees every decoder', async () => {
    const broken = gzipSync(brotliCompressSync(Buffer.from('this is not zstd')));
    const one = await bench(codings).run([broken]);
    one.filter.abort();
    expect(one.error?.status).toBe(400);
    expect(one.parts).toEqual([]);
  });

  test('a slow receiver stops the source', async () => {
    const noise = randomBytes(2_000_000);
    const coded = gzipSync(deflateSync(noise));
    const one = bench(['deflate', 'gzip']);
    const parts = partsOf(coded, 16_384);
    expect(await one.runSlowly(parts)).toBeLessThan(parts.length / 2);
    expect(one.output.equals(noise)).toBe(true);
  });
});

test('trailers pass, but for digests of the coded content', async () => {
  const one = bench(['gzip']);
  await one.write(gzipSync(BODY));
  await one.end(
    Fields.of([
      ['X-Sum', '1'],
      ['Content-Digest', 'sha-256=:AA==:'],
    ]),
  );
  expect(linesOf(one.trailers!)).toEqual(['X-Sum: 1']);
});

test('without memory for another decoder the request is refused: 503', async () => {
  decoderMemory.limit = 16 * 1024 * 1024;
  expect(await outcome(['br'], [brotliCompressSync(BODY)])).toBe('overloaded 503');
  expect(await outcome(['gzip'], [gzipSync(BODY)])).toBe('fine');
  decoderMemory.limit = 0;
});
