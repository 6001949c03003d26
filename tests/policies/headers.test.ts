import { expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { ResponseHead } from '../../src/http/message.ts';
import { headers } from '../../src/policies/headers.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { NO_SCOPE } from '../support/policy.ts';

const NONE = { set: [], add: [], remove: [] } as const;

test('removes, sets and adds on the request', () => {
  const hooks = headers.bind(
    {
      type: 'headers',
      request: { remove: ['x-gone'], set: [['X-One', 'new']], add: [['x-two', 'b']] },
      response: NONE,
    },
    NO_SCOPE,
  );
  const fields = [
    ['X-Gone', '1'],
    ['x-one', 'old'],
    ['x-one', 'older'],
    ['X-Two', 'a'],
  ] as const;
  const x = exchange({ fields });
  hooks.forward!(x);
  expect(linesOf(x.fields)).toEqual(['X-Two: a', 'X-One: new', 'x-two: b']);
  expect(hooks.response).toBeUndefined();
});

test('of a name that is set twice, the last value counts', () => {
  const set = [
    ['X-One', 'a'],
    ['via', 'b'],
    ['x-one', 'c'],
  ] as const;
  const hooks = headers.bind({ type: 'headers', request: NONE, response: { ...NONE, set } }, NO_SCOPE);
  const x = exchange();
  const fields = Fields.of([['Via', 'theirs']]);
  x.response = new ResponseHead(200, '', fields, 0);
  hooks.response!(x);
  expect(linesOf(fields)).toEqual(['x-one: c', 'via: b']);
});

test('edits the response and leaves the request alone', () => {
  const hooks = headers.bind({ type: 'headers', request: NONE, response: { ...NONE, remove: ['server'] } }, NO_SCOPE);
  const x = exchange({ fields: [['server', 'mine']] });
  const fields = Fields.of([
    ['Server', 'theirs'],
    ['x', 'y'],
  ]);
  x.response = new ResponseHead(200, '', fields, 0);
  hooks.response!(x);
  expect([linesOf(fields), linesOf(x.fields)]).toEqual([['x: y'], ['server: mine']]);
  expect(hooks.forward).toBeUndefined();
});

test('what is neither set, added nor removed costs no hook', () => {
  expect(headers.bind({ type: 'headers', request: NONE, response: NONE }, NO_SCOPE)).toEqual({});
});
