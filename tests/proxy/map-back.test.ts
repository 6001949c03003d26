/** What responses say of the backend's own names, in the names that clients know. */
import { expect, test } from 'vitest';
import type { Rewritten } from '../../src/http/exchange.ts';
import { mapBack } from '../../src/proxy/map-back.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { fieldsOfLines } from '../support/field-lines.ts';

const STRIPPED: Rewritten = { from: '/api', to: '' };
const MOVED: Rewritten = { from: '/api', to: '/v2' };
const ADDED: Rewritten = { from: '', to: '/app' };

interface Asked {
  readonly rewritten?: readonly Rewritten[];
  readonly sent?: string;
  readonly secure?: boolean;
  /** The backend is spoken to by TLS. */
  readonly tls?: boolean;
  readonly host?: string;
}

function mapped(
  line: string | string[],
  { rewritten, sent, secure = false, tls = false, host = 'site.test' }: Asked,
): string[] {
  const x = exchange({ host });
  x.rewritten = rewritten ?? null;
  if (secure) x.claims = { chain: '', forwarded: '', client: '', host: '', proto: 'https', port: '' };
  const fields = fieldsOfLines(
    [line]
      .flat()
      .map((one) => `${one}\r\n`)
      .join(''),
  );
  mapBack(fields, x, sent ?? host, '127.0.0.1:3000', tls);
  return linesOf(fields);
}

const own = { sent: 'backend.internal' };

test.each<[string, string, Asked]>([
  // Below a stripped prefix.
  ['Location: /users?a=/b#c', 'Location: /api/users?a=/b#c', { rewritten: [STRIPPED] }],
  ['Location: /', 'Location: /api/', { rewritten: [STRIPPED] }],
  ['Location: /api/users', 'Location: /api/users', { rewritten: [STRIPPED] }],
  ['Location: /apiary', 'Location: /api/apiary', { rewritten: [STRIPPED] }],
  ['Location: users', 'Location: users', { rewritten: [STRIPPED] }],
  ['Location: ?a', 'Location: ?a', { rewritten: [STRIPPED] }],
  ['Location: http://site.test/users', 'Location: http://site.test/api/users', { rewritten: [STRIPPED] }],
  ['Location: https://site.test', 'Location: https://site.test/api/', { rewritten: [STRIPPED] }],
  ['Location: //site.test/a', 'Location: //site.test/api/a', { rewritten: [STRIPPED] }],
  ['Location: http://other.test/users', 'Location: http://other.test/users', { rewritten: [STRIPPED] }],
  // The Host that it got, with the port that it listens on.
  ['Location: http://site.test:3000/users/', 'Location: http://site.test/api/users/', { rewritten: [STRIPPED] }],
  ['Location: http://backend.internal:3000/a/', 'Location: http://site.test/a/', own],
  ['Location: http://backend.internal:3001/a/', 'Location: http://backend.internal:3001/a/', own],
  ['Content-Location: /users', 'Content-Location: /api/users', { rewritten: [STRIPPED] }],
  ['Refresh: 5; url=/users', 'Refresh: 5; url=/api/users', { rewritten: [STRIPPED] }],
  ['Refresh: 5;URL="/users"', 'Refresh: 5;URL="/api/users"', { rewritten: [STRIPPED] }],
  ['Refresh: 5', 'Refresh: 5', { rewritten: [STRIPPED] }],
  // Another prefix in its place, one more, two.
  ['Location: /v2/users', 'Location: /api/users', { rewritten: [MOVED] }],
  ['Location: /v2', 'Location: /api', { rewritten: [MOVED] }],
  ['Location: /v20', 'Location: /v20', { rewritten: [MOVED] }],
  ['Location: /app/users', 'Location: /users', { rewritten: [ADDED] }],
  ['Location: /app', 'Location: /', { rewritten: [ADDED] }],
  ['Location: /else', 'Location: /else', { rewritten: [ADDED] }],
  [
    'Location: /x',
    'Location: /a/b/x',
    {
      rewritten: [
        { from: '/a', to: '' },
        { from: '/b', to: '' },
      ],
    },
  ],
  // The Host that the backend was given, and where it was reached.
  ['Location: http://backend.internal/x', 'Location: http://site.test/x', own],
  ['Location: http://BACKEND.internal:80/x', 'Location: http://site.test/x', own],
  ['Location: //backend.internal/x', 'Location: //site.test/x', own],
  ['Location: http://127.0.0.1:3000', 'Location: http://site.test', {}],
  ['Location: http://127.0.0.1:3001/x', 'Location: http://127.0.0.1:3001/x', {}],
  ['Location: http://backend.internal/x', 'Location: https://site.test/x', { ...own, secure: true }],
  ['Location: https://backend.internal/x', 'Location: https://site.test/x', { ...own, secure: true }],
  ['Location: https://backend.internal/x', 'Location: http://site.test/x', { ...own, tls: true }],
  ['Location: http://site.test/x', 'Location: http://site.test/x', { secure: true }],
  // It insists on TLS, which the client has not: no way to map that.
  ['Location: https://backend.internal/x', 'Location: https://backend.internal/x', own],
  ['Location: http://backend.internal/x', 'Location: /x', { ...own, host: '' }],
  [
    'Location: http://backend.internal/users',
    'Location: http://site.test/api/users',
    { ...own, rewritten: [STRIPPED] },
  ],
  ['Location: http://user@backend.internal/', 'Location: http://user@backend.internal/', own],
  // Cookies (RFC 6265 §4.1).
  ['Set-Cookie: a=/; Path=/; Secure', 'Set-Cookie: a=/; Path=/api; Secure', { rewritten: [STRIPPED] }],
  ['Set-Cookie: a=1;path=/x/', 'Set-Cookie: a=1;path=/api/x/', { rewritten: [STRIPPED] }],
  ['Set-Cookie: a=1; Path=/', 'Set-Cookie: a=1; Path=/', { rewritten: [MOVED] }],
  ['Set-Cookie: a=1; Path=/v2', 'Set-Cookie: a=1; Path=/api', { rewritten: [MOVED] }],
  ['Set-Cookie: a=1', 'Set-Cookie: a=1', { rewritten: [STRIPPED] }],
  ['Set-Cookie: a=1; Domain=.Backend.internal', 'Set-Cookie: a=1; Domain=site.test', own],
  ['Set-Cookie: a=1; Domain=internal; HttpOnly', 'Set-Cookie: a=1; Domain=site.test; HttpOnly', own],
  ['Set-Cookie: a=1; Domain=site.test', 'Set-Cookie: a=1; Domain=site.test', own],
  ['Set-Cookie: a=1; Domain=backend.internal', 'Set-Cookie: a=1', { ...own, host: '192.0.2.1' }],
  ['Set-Cookie: a=1; Domain=other.test', 'Set-Cookie: a=1; Domain=other.test', own],
])('%s is %s', (line, wanted, asked) => {
  expect(mapped(line, asked)).toEqual([wanted]);
});

test('cookies keep their order', () => {
  const lines = ['Set-Cookie: a=1', 'Set-Cookie: a=2; Path=/', 'Set-Cookie: a=3'];
  expect(mapped(lines, { rewritten: [STRIPPED] })).toEqual([
    'Set-Cookie: a=1',
    'Set-Cookie: a=2; Path=/api',
    'Set-Cookie: a=3',
  ]);
});
