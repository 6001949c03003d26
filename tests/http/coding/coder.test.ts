/** What coder.ts relies on in Node's zlib, and what it makes of it. */
import { randomBytes } from 'node:crypto';
import {
  brotliDecompressSync,
  constants,
  createGunzip,
  createGzip,
  gunzipSync,
  gzipSync,
  zstdDecompressSync,
} from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Coder, type CoderOwner } from '../../../src/http/coding/coder.ts';
import { encoderOf } from '../../../src/http/coding/encoders.ts';

const BODY = Buffer.from(Array.from({ length: 3000 }, (_, i) => `line ${i} of ${(i * 7919) % 1013}\n`).join(''));
const { Z_NO_FLUSH, Z_FINISH, Z_SYNC_FLUSH } = constants;

/** Records the output of one job, and can hold it up. */
class Recorder implements CoderOwner {
  readonly pieces: Buffer[] = [];
  early = false;
  error: Error | null = null;
  ready = true;
  #settled = Promise.withResolvers<void>();

  output(piece: Buffer): boolean {
    this.pieces.push(piece);
    return this.ready;
  }
  jobDone(): void {
    this.#settled.resolve();
  }
  endedEarly(): void {
    this.early = true;
    this.#settled.resolve();
  }
  coderFailed(error: Error): void {
    this.error = error;
    this.#settled.resolve();
  }

  async job(coder: Coder, part: Buffer, flush: number): Promise<void> {
    this.#settled = Promise.withResolvers();
    coder.owner = this;
    coder.run(part, flush);
    await this.#settled.promise;
  }

  get text(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

test('the flag of each job takes effect, and the last ends the content', async () => {
  const coder = new Coder(createGzip());
  const out = new Recorder();
  await out.job(coder, BODY, Z_NO_FLUSH);
  const waiting = out.text.length;
  await out.job(coder, Buffer.from('now'), Z_SYNC_FLUSH);
  expect(out.text.length).toBeGreaterThan(waiting);
  expect(gunzipSync(out.text, { finishFlush: Z_SYNC_FLUSH }).toString().endsWith('now')).toBe(true);
  await out.job(coder, Buffer.alloc(0), Z_FINISH);
  expect(gunzipSync(out.text).equals(Buffer.concat([BODY, Buffer.from('now')]))).toBe(true);
  coder.close();
});

test('a job that is stopped goes on where it was', async () => {
  const noise = randomBytes(300_000);
  const coder = new Coder(createGzip());
  const out = new Recorder();
  out.ready = false;
  const job = out.job(coder, noise, Z_FINISH);
  for (let pieces = 1; pieces < 5; pieces++) {
    while (out.pieces.length < pieces) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(out.pieces.length).toBe(pieces);
    coder.resume();
  }
  out.ready = true;
  coder.resume();
  await job;
  expect(gunzipSync(out.text).equals(noise)).toBe(true);
  coder.close();
});

test('an error and an early end are reported', async () => {
  const bad = new Recorder();
  await bad.job(new Coder(createGunzip()), Buffer.from('not gzip at all'), Z_NO_FLUSH);
  expect(bad.error?.message).toBe('incorrect header check');
  const short = new Recorder();
  await short.job(new Coder(createGunzip()), gzipSync(BODY).subarray(0, -1), Z_FINISH);
  expect(short.error?.message).toBe('unexpected end of file');
  const early = new Recorder();
  const coder = new Coder(createGunzip());
  await early.job(coder, Buffer.concat([gzipSync('a'), Buffer.alloc(3)]), Z_NO_FLUSH);
  expect(early.early).toBe(true);
  coder.close();
});

describe.each(['gzip', 'zstd', 'br'] as const)('an encoder of %s', (coding) => {
  const decode = { gzip: gunzipSync, zstd: zstdDecompressSync, br: brotliDecompressSync }[coding];
  const encoder = encoderOf(coding, 3);

  test('serves one content after another, at its level', async () => {
    const sizes: number[] = [];
    for (let i = 0; i < 5; i++) {
      const coder = encoder.take();
      const out = new Recorder();
      await out.job(coder, BODY, encoder.flags.last);
      expect(decode(out.text).equals(BODY)).toBe(true);
      sizes.push(out.text.length);
      encoder.give(coder);
    }
    expect(new Set(sizes).size).toBe(1);
  });

  test('is used again, but for br', () => {
    const coder = encoder.take();
    encoder.give(coder);
    expect(encoder.take() === coder).toBe(coding !== 'br');
  });

  test('codes small contents at once, and one that was aborted leaves nothing for the next', async () => {
    const small = BODY.subarray(0, 5000);
    const aborted = encoder.take();
    await new Recorder().job(aborted, BODY, encoder.flags.more);
    encoder.give(aborted);
    for (let i = 0; i < 3; i++) expect(decode(encoder.whole(BODY, 0, 5000)!).equals(small)).toBe(true);
  });
});

test('a level has one encoder, which keeps a bounded number of coders', async () => {
  const encoder = encoderOf('zstd', 5);
  expect(encoderOf('zstd', 5)).toBe(encoder);
  const taken = Array.from({ length: 100 }, () => encoder.take());
  for (const coder of taken) encoder.give(coder);
  const again = Array.from({ length: 100 }, () => encoder.take());
  const kept = again.filter((coder) => taken.includes(coder)).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept * encoder.memory).toBeLessThanOrEqual(16 * 1024 * 1024);
  for (const coder of again) coder.close();
});
