import { describe, expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { stripHopByHop, stripNamedByRequest } from '../../src/http/hop-by-hop.ts';
import { knownId } from '../../src/http/known.ts';

/** As the parser leaves it, after stripping. */
function stripped(...lines: readonly (readonly [string, string])[]): string[] {
  return strippedOf(0, ...lines);
}

/** `status`: of the response that the lines are of. */
function strippedOf(status: number, ...lines: readonly (readonly [string, string])[]): string[] {
  const fields = new Fields();
  fields.text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  let at = 0;
  for (const [name, value] of lines) {
    const valueAt = at + name.length + 2;
    fields.push(knownId(name.toLowerCase()), at, at + name.length, valueAt, valueAt + value.length);
    at = valueAt + value.length + 2;
  }
  fields.end = at;
  if (status === 0) stripNamedByRequest(fields);
  stripHopByHop(fields, status);
  const left: string[] = [];
  fields.forEach((name) => left.push(name));
  return left;
}

describe('what Connection names (RFC 9110 §7.6.1)', () => {
  test.each([
    'X-A',
    'Keep-Alive',
    'Trailer',
    'User-Agent',
    'Pragma',
    'Range',
    'If-Match',
    'If-None-Match',
    'If-Modified-Since',
    'If-Unmodified-Since',
  ])('%s goes', (name) => {
    expect(stripped(['Connection', `close, ${name.toLowerCase()}`], [name, 'x'], ['B', '1'])).toEqual(['B']);
  });

  // "Connection" must not be told what is meant for all recipients, and no client makes the gateway forget who asks.
  test.each(['Host', 'Content-Length', 'Date', 'Authorization', 'Cache-Control', 'X-Forwarded-For'])(
    '%s stays',
    (name) => {
      expect(stripped(['Connection', name], [name, 'x'], ['B', '1'])).toEqual([name, 'B']);
    },
  );
});

test('what is of one connection goes without being named', () => {
  const names = [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Upgrade',
    'HTTP2-Settings',
    'Proxy-Authorization',
  ];
  expect(stripped(...names.map((name) => [name, 'x'] as const), ['B', '1'])).toEqual(['B']);
});

describe('what a status is about passes', () => {
  // RFC 9110 §15.5.22, §15.5.8: both MUST be sent with their status.
  test.each([
    [426, 'Upgrade', ['Upgrade', 'B']],
    [407, 'Proxy-Authenticate', ['Proxy-Authenticate', 'B']],
    [200, 'Upgrade', ['B']],
    [101, 'Upgrade', ['B']],
    [401, 'Proxy-Authenticate', ['B']],
    [426, 'Proxy-Authenticate', ['B']],
  ])('%i with %s', (status, name, left) => {
    expect(strippedOf(status, ['Connection', `${name}, keep-alive`], [name, 'x'], ['B', '1'])).toEqual(left);
  });
});
