/** The two forms of a path, and what no rule can be walked past with. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Exchange } from '../../src/http/exchange.ts';
import { Fields } from '../../src/http/fields.ts';
import { BodyFraming } from '../../src/http/h1/framing.ts';
import { parseRequestHead, RequestHead } from '../../src/http/h1/parser.ts';
import { judgeHead, RequestTarget } from '../../src/http/h1/request-checks.ts';
import { encodePath, LITERAL, normalizePath, PathReading, type PathRules, readPath } from '../../src/http/path.ts';
import { planOf } from '../plan/plan-of.ts';
import { exchange } from '../support/exchange.ts';
import { Router } from '../../src/proxy/router.ts';

/** What a listener has that says nothing. */
const [WEB] = planOf({ listeners: { web: { address: '127.0.0.1:0' } } }).listeners;
const DEFAULT: PathRules = WEB!.paths;

function read(path: string, rules: Partial<PathRules> = {}): readonly [sent: string, routed: string] | string {
  const out = new PathReading();
  const problem = readPath(path, { ...DEFAULT, ...rules }, out);
  return problem === '' ? [out.sent, out.routed] : problem;
}

describe('by default', () => {
  test.each([
    ['/a', '/a', '/a'],
    ['/%61%2D%7e', '/a-~', '/a-~'],
    ['/a/./b/../c', '/a/c', '/a/c'],
    ['/%c3%bc', '/%C3%BC', '/%C3%BC'],
    ['/%40a/%28b%29', '/%40a/%28b%29', '/@a/(b)'],
    ['/{a}|[b]', '/{a}|[b]', '/{a}|[b]'],
    ['/%7Ba%7D', '/%7Ba%7D', '/{a}'],
    ['/@a%2fb', '/@a%2Fb', '/@a/b'],
    ['/a%5cb', '/a%5Cb', '/a/b'],
    ['//a///b/', '//a///b/', '/a/b/'],
    ['/%2Fadmin', '/%2Fadmin', '/admin'],
    ['/a;v=1/b;', '/a;v=1/b;', '/a/b'],
    ['/a%3Bv/b', '/a%3Bv/b', '/a/b'],
    ['/;/a', '/;/a', '/a'],
    ['/a%3Fb%23c%25d%20e', '/a%3Fb%23c%25d%20e', '/a%3Fb%23c%25d%20e'],
    ['/%252e%252E/a', '/%252e%252E/a', '/%252e%252E/a'],
    ['/%252Fa', '/%252Fa', '/%252Fa'],
    ['/...;/a', '/...;/a', '/.../a'],
  ])('%s is sent as %s and judged as %s', (path, sent, routed) => {
    expect(read(path)).toEqual([sent, routed]);
  });

  test.each([
    ['/x/..;/admin', 'hidden_dot_segment'],
    ['/x/..;a=b/admin', 'hidden_dot_segment'],
    ['/x/.;/admin', 'hidden_dot_segment'],
    ['/x/..%3B/admin', 'hidden_dot_segment'],
    ['/x/%2e%2e;/admin', 'hidden_dot_segment'],
    ['/x/..%2Fadmin', 'hidden_dot_segment'],
    ['/x%2f..%2fadmin', 'hidden_dot_segment'],
    ['/x/..%5cadmin', 'hidden_dot_segment'],
    ['/x%2F..', 'hidden_dot_segment'],
    ['/;%2Fx/admin', 'slash_in_parameter'],
    ['/a%3bb%5cx/admin', 'slash_in_parameter'],
    ['/a\\b', 'malformed_path'],
    ['/a%00', 'malformed_path'],
    ['/a%', 'malformed_path'],
    ['/a%4', 'malformed_path'],
    ['/a%zz', 'malformed_path'],
    ['/x/..%c0%afadmin', 'malformed_path'],
    ['/x/%C0%AE%C0%AE/admin', 'malformed_path'],
    ['/x/..%E0%80%AFadmin', 'malformed_path'],
    ['/x/..%f0%80%80%afadmin', 'malformed_path'],
    ['/x/..%f8%80%80%80%afadmin', 'malformed_path'],
    ['/x/..%F8%80%80%81%81dmin', 'malformed_path'],
    ['/x/..%fc%80%80%80%80%afadmin', 'malformed_path'],
    ['/x/..%FC%80%80%80%81%A1dmin', 'malformed_path'],
    ['/admin%0A', 'control_character'],
    ['/a%0d%0aX', 'control_character'],
    ['/a%7f', 'control_character'],
  ])('%s is refused: %s', (path, problem) => expect(read(path)).toBe(problem));
});

describe('by setting', () => {
  test.each<[string, Partial<PathRules>, ReturnType<typeof read>]>([
    ['/a%2fb', { encodedSlash: 'decode' }, ['/a/b', '/a/b']],
    ['/x/..%5Cadmin', { encodedSlash: 'decode' }, ['/admin', '/admin']],
    ['/a%2fb', { encodedSlash: 'keep' }, ['/a%2Fb', '/a%2Fb']],
    ['/x/..%2Fa', { encodedSlash: 'keep' }, ['/x/..%2Fa', '/x/..%2Fa']],
    ['/a%2fb', { encodedSlash: 'refuse' }, 'encoded_slash'],
    ['/a%5Cb', { encodedSlash: 'refuse' }, 'encoded_slash'],
    ['//a//b', { repeatedSlashes: 'merge' }, ['/a/b', '/a/b']],
    ['/a//../b', { repeatedSlashes: 'merge' }, ['/b', '/b']],
    ['/a//../b', {}, ['/a/b', '/a/b']],
    ['//a', { repeatedSlashes: 'keep' }, ['//a', '//a']],
    ['/a//b', { repeatedSlashes: 'refuse' }, 'repeated_slashes'],
    ['/%2Fb', { repeatedSlashes: 'refuse' }, 'repeated_slashes'],
    ['/a;v=1/b', { parameters: 'remove' }, ['/a/b', '/a/b']],
    ['/x/..;v/a', { parameters: 'remove' }, ['/a', '/a']],
    ['/x/..%3Bv/a', { parameters: 'remove' }, 'hidden_dot_segment'],
    ['/x/..;/a', { parameters: 'keep' }, ['/x/..;/a', '/x/..;/a']],
    ['/a%3Bb', { parameters: 'keep' }, ['/a%3Bb', '/a;b']],
    ['/a;b', { parameters: 'refuse' }, 'path_parameters'],
    ['/a%3bb', { parameters: 'refuse' }, 'path_parameters'],
    ['/a%0a', { controlCharacters: 'keep' }, ['/a%0A', '/a%0A']],
    ['/a%00', { controlCharacters: 'keep' }, 'malformed_path'],
    ['/x/../a', { send: 'received' }, ['/a', '/a']],
    ['/a//../b', { send: 'received' }, 'hidden_dot_segment'],
    ['/a/;/../b', { send: 'received' }, 'hidden_dot_segment'],
  ])('%s with %j', (path, rules, right) => expect(read(path, rules)).toEqual(right));
});

// === what a request comes to, and what backends make of it

/** As a listener with one rule on /admin reads a target; null: it is refused. */
function taken(target: string, rules: PathRules): { readonly x: Exchange; readonly rule: string } | null {
  const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, 'latin1');
  const [head, fields, out] = [new RequestHead(), new Fields(), new RequestTarget()];
  const limits = { headerSize: 4096, headerCount: 10, uriSize: 1000 };
  if (parseRequestHead(bytes, 0, bytes.length, limits, head, fields) !== bytes.length) return null;
  if (judgeHead(head, fields, rules, new BodyFraming(), out) !== 0) return null;
  const x = exchange({ path: out.path, query: out.query });
  x.routedPath = out.routedPath;
  x.receivedPath = out.receivedPath;
  return { x, rule: ROUTER.match(x) ?? '' };
}

const ROUTER = new Router<string>();
const CONDITIONS = { hosts: null, methods: null, headers: [], query: [] };
ROUTER.add({ ...CONDITIONS, path: { kind: 'prefix', value: '/admin' } }, 'deny');
ROUTER.add({ ...CONDITIONS, path: null }, 'pass');

const decodeAll = (text: string, slashes: boolean): string =>
  text.replace(/%([0-9a-f]{2})/gi, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return !slashes && /[/\\]/.test(character) ? whole : character;
  });
const withoutParameters = (text: string): string => text.replace(/;[^/]*/g, '');

function resolveDots(path: string): string {
  const out: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
  }
  return `/${out.join('/')}`;
}

/** What servers make of a path that they are sent: each decodes once; the rest in the orders that are met with. */
function readings(sent: string): string[] {
  const out: string[] = [];
  for (const slashes of [true, false])
    for (const parameters of ['before', 'after', 'never'])
      for (const merges of ['before', 'after', 'never'])
        for (const backslashes of [true, false]) {
          let path = parameters === 'before' ? withoutParameters(sent) : sent;
          path = decodeAll(path, slashes);
          if (backslashes) path = path.replaceAll('\\', '/');
          if (parameters === 'after') path = withoutParameters(path);
          if (merges === 'before') path = path.replace(/\/+/g, '/');
          path = resolveDots(path);
          out.push(merges === 'after' ? path.replace(/\/+/g, '/') : path);
        }
  return out;
}

const below = (path: string): boolean => path === '/admin' || path.startsWith('/admin/');

const PARTS = ['/', '/', '/', '//', 'admin', 'admin', 'x', '..', '..', '.', ';', ';v=1', '%2e', '%2E%2E', '%2f', '%2F'];
const MORE = [
  '%5c',
  '%3b',
  '%61dmin',
  'adm%69n',
  '%252e',
  '%252f',
  '\\',
  '%00',
  '%0a',
  '?',
  '%c0%af',
  '%C3%BC',
  'é',
  '%',
];
const target = fc
  .array(fc.constantFrom(...PARTS, ...PARTS, ...MORE), { maxLength: 12 })
  .map((parts) => `/${parts.join('')}`);

describe.each<PathRules['send']>(['normal', 'received'])('a deny on /admin, when what is sent is %s', (send) => {
  test.each<Partial<PathRules>>([
    {},
    { encodedSlash: 'decode', repeatedSlashes: 'merge', parameters: 'remove' },
    { encodedSlash: 'refuse', repeatedSlashes: 'refuse', parameters: 'refuse' },
    { rawUtf8: 'encode', controlCharacters: 'keep' },
  ])('is walked past by no request that any backend would read as below it: %j', (settings) => {
    let [passed, denied, refused] = [0, 0, 0];
    fc.assert(
      fc.property(target, (text) => {
        const found = taken(text, { ...DEFAULT, ...settings, send });
        if (found === null) refused++;
        else if (found.rule === 'deny') denied++;
        else {
          passed++;
          const { path, receivedPath } = found.x;
          const sent = receivedPath === '' ? path : receivedPath;
          expect(readings(sent).filter(below), `${text} is sent as ${sent}`).toEqual([]);
        }
      }),
      { numRuns: 20_000 },
    );
    expect([passed > 500, denied > 100, refused > 500]).toEqual([true, true, true]);
  });
});

test('what is sent and judged does not change when it is read again', () => {
  fc.assert(
    fc.property(target, (text) => {
      const first = read(text.split('?')[0]!);
      if (typeof first === 'string') return;
      expect(read(first[0])).toEqual(first);
      expect(read(first[1])).toEqual([normalizePath(first[1]), first[1]]);
    }),
    { numRuns: 5000 },
  );
});

test('a path needs no reading if the parser does not ask for it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '/', '.', '-', '@', '{', '=', '%41', ';', '//', '/.')), (parts) => {
      const path = `/${parts.join('')}`;
      const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\n\r\n`);
      const head = new RequestHead();
      parseRequestHead(bytes, 0, bytes.length, { headerSize: 999, headerCount: 1, uriSize: 999 }, head, new Fields());
      if (!head.abnormal) expect(read(path)).toEqual([path, path]);
    }),
    { numRuns: 3000 },
  );
});

test('what is not ASCII is encoded as UTF-8, and what is encoded stays', () => {
  expect(encodePath('/über a/%C3%BC/日本/😀')).toBe('/%C3%BCber%20a/%C3%BC/%E6%97%A5%E6%9C%AC/%F0%9F%98%80');
  expect(normalizePath('/a%2f//b;c')).toBe('/a%2F//b;c');
  expect(LITERAL.encodedSlash).toBe('keep');
});
