/** What the policy asks for; the way of a body through the gateway is in tests/e2e/buffer.test.ts. */
import { expect, test } from 'vitest';
import { problemReply } from '../../src/http/local-reply.ts';
import { buffer } from '../../src/policies/buffer.ts';
import { exchange } from '../support/exchange.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';

const PLAN = { type: 'buffer', size: 10 } as const;

test('a body is read up to the size, and its refusal is the answer', async () => {
  const limits: number[] = [];
  const refusal = problemReply(413);
  const context = { ...NO_CONTEXT, bufferBody: (limit: number) => Promise.resolve((limits.push(limit), refusal)) };
  const x = exchange({ method: 'POST' });
  x.bodyLength = -1;
  expect(await buffer.bind(PLAN, NO_SCOPE).request!(x, context)).toBe(refusal);
  expect(limits).toEqual([10]);
});

test.each([
  [0, 'there is no body'],
  [-1, 'reads a body of at most 10 bytes'],
  [10, 'reads a body of at most 10 bytes'],
  [11, 'the body is larger than 10 bytes'],
] as const)('explain says of a body of %i: %s', (length, why) => {
  const x = exchange({ method: 'POST' });
  x.bodyLength = length;
  expect(buffer.why!(PLAN, x)).toBe(why);
});
