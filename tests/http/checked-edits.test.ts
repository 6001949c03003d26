/** Replies of code that the gateway does not know. */
import { expect, test } from 'vitest';
import { problemOfReply } from '../../src/http/checked-edits.ts';
import { LocalReply } from '../../src/http/local-reply.ts';

test.each([
  [[['a', 'b\nSet-Cookie\nc']], '"a: b\\rSet-Cookie\\rc" is no field'],
  [[['a\nb', 'c']], '"a\\rb: c" is no field'],
  [[['a', 'b\r\nc: d']], '"a: b\\r\\rc: d" is no field'],
  [[['a', '\u010a']], '"a: \u010a" is no field'],
  [[['Content-Length', '3']], "Content-Length is the gateway's own to write"],
  [[['a', 'b']], ''],
] as const)('the value of one field is not read as another field: %j', (fields, problem) => {
  expect(problemOfReply(new LocalReply(200, fields, ''))).toBe(problem);
  expect(problemOfReply({ status: 200, fields }) === '').toBe(problem === '');
});
