import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { BodyFilter } from '../../src/http/body-filter.ts';
import type { LocalReply } from '../../src/http/local-reply.ts';
import { UNKNOWN_LENGTH } from '../../src/http/message.ts';
import type { DecompressPlan } from '../../src/plan/types/coding.ts';
import { decompress } from '../../src/policies/decompress.ts';
import { FilterBench } from '../support/body-filters.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';

const PLAN: DecompressPlan = { type: 'decompress', encodings: ['br', 'gzip'], maxSize: 1000, maxRatio: 0 };
const hooks = decompress.bind(PLAN, NO_SCOPE);

function posted(fields: readonly (readonly [string, string])[], length = 100) {
  const x = exchange({ method: 'POST', fields });
  x.bodyLength = length;
  return x;
}

test('the decoded request has no coding, no length and no digest of the coded content', async () => {
  const x = posted([
    ['Content-Type', 'text/plain'],
    ['Content-Encoding', 'gzip'],
    ['Content-Length', '100'],
    ['Content-Digest', 'sha-256=:AA==:'],
  ]);
  expect(hooks.request!(x, NO_CONTEXT)).toBeUndefined();
  const filter = hooks.forward!(x) as unknown as BodyFilter;
  expect(linesOf(x.fields)).toEqual(['Content-Type: text/plain']);
  expect(x.bodyLength).toBe(UNKNOWN_LENGTH);
  expect((await new FilterBench(filter).run([gzipSync('hello')])).output.toString()).toBe('hello');
});

test.each(['deflate', 'compress', 'gzip, deflate', 'gzip, gzip, gzip, gzip', 'aes128gcm'])(
  '415 for %s, with the codings that would do',
  (coding) => {
    const reply = hooks.request!(posted([['Content-Encoding', coding]]), NO_CONTEXT) as LocalReply;
    expect(reply.status).toBe(415);
    expect(reply.fields.get('accept-encoding')).toBe('br, gzip');
  },
);

test('a request without coding or content is left alone', () => {
  for (const x of [posted([['Content-Length', '100']]), posted([['Content-Encoding', 'gzip']], 0)]) {
    const before = linesOf(x.fields);
    expect([hooks.request!(x, NO_CONTEXT), hooks.forward!(x)]).toEqual([undefined, undefined]);
    expect(linesOf(x.fields)).toEqual(before);
  }
});

test('"identity" is no coding: the field goes, the content stays', () => {
  const x = posted([
    ['Content-Encoding', 'identity'],
    ['Content-Length', '100'],
  ]);
  expect([hooks.request!(x, NO_CONTEXT), hooks.forward!(x)]).toEqual([undefined, undefined]);
  expect(linesOf(x.fields)).toEqual(['Content-Length: 100']);
  expect(x.bodyLength).toBe(100);
});

test('says what it does', () => {
  const why = (coding?: string) =>
    decompress.why!(PLAN, posted(coding === undefined ? [] : [['Content-Encoding', coding]]));
  expect(why()).toBe('the request has no Content-Encoding');
  expect(why('gzip')).toBe('decodes the content');
  expect(decompress.why!(PLAN, posted([['Content-Encoding', 'gzip']], 0))).toBe('the request has no content');
  expect(why('zstd')).toBe('decodes only br, gzip');
});
