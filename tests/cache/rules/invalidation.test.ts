import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  hasOwnContentLocation,
  invalidatedTargets,
  invalidates,
  resolve,
  type Target,
} from '../../../src/cache/rules/invalidation.ts';
import { Fields } from '../../../src/http/fields.ts';

const TARGET: Target = { scheme: 'http', authority: 'h.example', path: '/a/b', query: '?q=1' };

describe('when (RFC 9111 §4.4)', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH', 'PURGE', 'get', 'X'])('%s that succeeds', (method) => {
    for (const status of [200, 201, 204, 299, 301, 302, 304, 399]) expect(invalidates(method, status)).toBe(true);
    for (const status of [100, 199, 400, 404, 412, 500, 503, 599]) expect(invalidates(method, status)).toBe(false);
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])('%s never', (method) => {
    expect(invalidates(method, 200)).toBe(false);
  });
});

const uri = (target: Target | null): string | null =>
  target === null ? null : `${target.scheme}://${target.authority}${target.path}${target.query}`;

describe('references (RFC 3986 §5.2)', () => {
  test.each([
    ['/x', 'http://h.example/x'],
    ['/x?y', 'http://h.example/x?y'],
    ['x', 'http://h.example/a/x'],
    ['./x', 'http://h.example/a/x'],
    ['../x', 'http://h.example/x'],
    ['../../../x', 'http://h.example/x'],
    ['x/./y/../z/', 'http://h.example/a/x/z/'],
    ['..', 'http://h.example/'],
    ['.', 'http://h.example/a/'],
    ['?z', 'http://h.example/a/b?z'],
    ['', 'http://h.example/a/b?q=1'],
    ['#f', 'http://h.example/a/b?q=1'],
    ['/x#f?y', 'http://h.example/x'],
    ['//o.example/x', 'http://o.example/x'],
    ['//o.example', 'http://o.example/'],
    ['//o.example?x', 'http://o.example/?x'],
    ['http://h.example/x', 'http://h.example/x'],
    ['HTTP://H.example:80', 'http://H.example:80/'],
    ['https://h.example/x?y', 'https://h.example/x?y'],
    // In the form that paths are kept in.
    ['/%7Euser/%2f/%e4', 'http://h.example/~user/%2F/%E4'],
    ['x:y', null],
    ['./x:y', 'http://h.example/a/x:y'],
    ['http:x', null],
    ['http:/x', null],
    ['ftp://h.example/x', null],
    ['mailto:a@h.example', null],
    ['/\u00c3\u00bcber', 'http://h.example/%C3%BCber'],
    ['/\u00fcber', null],
    ['/x y', null],
    ['/x\\y', null],
    ['/%', null],
    ['/%00', null],
    ['/\u00e9', null],
    ['/x\r\n', null],
    ['/x, /y', null],
  ])('%j', (reference, resolved) => {
    expect(uri(resolve(reference, TARGET))).toBe(resolved);
  });

  test('against the root', () => {
    expect(uri(resolve('x', { ...TARGET, path: '/' }))).toBe('http://h.example/x');
    expect(resolve('x', { ...TARGET, path: '*', query: '' })).toBeNull();
  });
});

describe('what goes (RFC 9111 §4.4)', () => {
  const paths = (lines: readonly (readonly [string, string])[], target = TARGET): string[] =>
    invalidatedTargets(target, Fields.of(lines)).map(({ path, query }) => path + query);

  test('the target, and what the response names of the same origin', () => {
    expect(paths([])).toEqual(['/a/b?q=1']);
    expect(
      paths([
        ['Location', '/x'],
        ['Content-Location', 'y?z'],
      ]),
    ).toEqual(['/a/b?q=1', '/x', '/a/y?z']);
    expect(paths([['Location', 'http://H.EXAMPLE:80/x']])).toEqual(['/a/b?q=1', '/x']);
    expect(
      paths([
        ['Location', '/x'],
        ['Content-Location', '/x'],
      ]),
    ).toEqual(['/a/b?q=1', '/x']);
    expect(paths([['Content-Location', '']])).toEqual(['/a/b?q=1']);
  });

  test('what is named in each form that a listener may send it in', () => {
    const paths = invalidatedTargets(TARGET, Fields.of([['Location', '/a%2fb//c;d']])).map(({ path }) => path);
    expect(new Set(paths)).toEqual(
      new Set([
        '/a/b',
        '/a%2Fb//c;d',
        '/a/b//c;d',
        '/a/b/c;d',
        '/a%2Fb/c;d',
        '/a%2Fb//c',
        '/a/b//c',
        '/a/b/c',
        '/a%2Fb/c',
      ]),
    );
  });

  test('nothing of another origin', () => {
    for (const other of [
      'https://h.example/x',
      'http://h.example:8080/x',
      'http://o.example/x',
      '//o.example/x',
      'http://h.example@o.example/x',
      'http://h.example.o.example/x',
      'http://o.example#@h.example/x',
      'http://h.example:80x/x',
      'http:///x',
    ]) {
      expect(
        paths([
          ['Location', other],
          ['Content-Location', other],
        ]),
      ).toEqual(['/a/b?q=1']);
    }
  });

  test('a port belongs to the origin, the usual one need not be said', () => {
    const target = { ...TARGET, authority: 'h.example:8080' };
    expect(paths([['Location', 'http://h.example:8080/x']], target)).toEqual(['/a/b?q=1', '/x']);
    expect(paths([['Location', 'http://h.example/x']], target)).toEqual(['/a/b?q=1']);
    const secure: Target = { ...TARGET, scheme: 'https' };
    expect(paths([['Location', 'https://h.example:443/x']], secure)).toEqual(['/a/b?q=1', '/x']);
  });

  test('what it names goes by the authority that was asked for', () => {
    const [, other] = invalidatedTargets(TARGET, Fields.of([['Location', 'http://H.example:80/x']]));
    expect(other).toEqual({ ...TARGET, path: '/x', query: '' });
  });

  test('whatever it names, nothing of another host goes', () => {
    const piece = fc.constantFrom(
      'http:',
      '//',
      '/',
      'h.example',
      'o.example',
      '@',
      ':',
      '80',
      '?',
      '#',
      '..',
      '\\',
      '%2F',
      '[',
      ']',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        for (const { authority, path } of invalidatedTargets(TARGET, Fields.of([['Location', pieces.join('')]]))) {
          expect(authority).toBe('h.example');
          expect(path.startsWith('/')).toBe(true);
        }
      }),
    );
  });
});

test.each([
  ['', true],
  ['/a/b?q=1', true],
  ['b?q=1', true],
  ['http://h.example/a/b?q=1', true],
  ['/a/b', false],
  ['/a/b?q=2', false],
  ['http://o.example/a/b?q=1', false],
  ['/%', false],
])('Content-Location %j is the target itself: %j (RFC 9110 §8.7)', (reference, own) => {
  expect(hasOwnContentLocation(TARGET, Fields.of([['Content-Location', reference]]))).toBe(own);
  expect(hasOwnContentLocation(TARGET, Fields.of([['Location', reference]]))).toBe(false);
});
