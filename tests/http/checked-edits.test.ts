/** Replies of code that the gateway does not know. */
import { expect, test } from 'vitest';
import { checkedReply } from '../../src/http/checked-edits.ts';
import { LocalReply } from '../../src/http/local-reply.ts';

test.each([
  [[['a', 'b\nSet-Cookie\nc']], '"a: b\\rSet-Cookie\\rc" is no field'],
  [[['a\nb', 'c']], '"a\\rb: c" is no field'],
  [[['a', 'b\r\nc: d']], '"a: b\\r\\rc: d" is no field'],
  [[['a', '\u010a']], '"a: \u010a" is no field'],
  [[['Content-Length', '3']], "Content-Length is the gateway's own to write"],
  [[['a', 'b']], ''],
] as const)('the value of one field is not read as another field: %j', (fields, problem) => {
  const replies = [new LocalReply(200, fields, ''), { status: 200, fields }];
  const [own, plain] = replies.map((reply) => checkedReply(reply));
  if (problem !== '') expect([own, typeof plain]).toEqual([problem, 'string']);
  else for (const reply of [own, plain]) expect((reply as LocalReply).fields.pairs).toEqual(fields);
});

test('a reply is a copy: its maker may freeze or change its own', () => {
  const own = Object.freeze(new LocalReply(200, [['a', 'b']], 'c'));
  const copy = checkedReply(own) as LocalReply;
  expect([copy === own, Object.isFrozen(copy)]).toEqual([false, false]);
  expect(copy).toMatchObject({ status: 200, body: 'c', length: 1 });
  const longer = Object.assign(new LocalReply(200, [], 'c'), { length: 5 });
  expect(checkedReply(longer)).toMatchObject({ body: 'c', length: 1 });
});

test.each([null, undefined, 5, 'a', {}, { status: '200' }, { status: 200, fields: null }, { status: 200, body: 5 }])(
  'no reply: %j',
  (reply) => expect(typeof checkedReply(reply)).toBe('string'),
);
