/**
 * What reads a value that a client or a backend has written takes time that grows with its length, not with the square of it.
 * CPU for n characters is compared with CPU for 4n: four times as much if it is linear, sixteen times if it is quadratic.
 */
import { describe, expect, test } from 'vitest';
import { matches } from '../../src/admin/entity-tag.ts';
import { hasToken } from '../../src/admin/token.ts';
import { listMatches } from '../../src/cache/rules/conditional.ts';
import { fieldNames, requestDirectives, responseDirectives } from '../../src/cache/rules/directives.ts';
import { parseHttpDate } from '../../src/cache/rules/http-date.ts';
import { resolve } from '../../src/cache/rules/invalidation.ts';
import { parseContentRange, parseRange } from '../../src/cache/rules/range.ts';
import { parseDictionary } from '../../src/cache/rules/structured-dictionary.ts';
import { tagsOf } from '../../src/cache/rules/tags.ts';
import { targetedDirectives } from '../../src/cache/rules/targeted.ts';
import { variantKey, varyOf } from '../../src/cache/rules/vary.ts';
import { splitUrl } from '../../src/explain/request.ts';
import { parseAuthority } from '../../src/http/authority.ts';
import { trimBlanks } from '../../src/http/blanks.ts';
import { cookieOf } from '../../src/http/cookies.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import { Fields } from '../../src/http/fields.ts';
import { bareAddress, parseForwarded } from '../../src/http/forwarded.ts';
import { BodyFraming, requestFraming, responseFraming } from '../../src/http/h1/framing.ts';
import { idleLimit } from '../../src/http/h1/keep-alive.ts';
import { parseForgiving } from '../../src/http/h1/lenient-head.ts';
import { isOffered } from '../../src/http/h1/offered.ts';
import { ReceivedHead } from '../../src/http/h1/parser.ts';
import { persists, wantsUpgrade } from '../../src/http/h1/request-checks.ts';
import { stripHopByHop } from '../../src/http/hop-by-hop.ts';
import { DEFAULT_IDENTITY, siftIdentity } from '../../src/http/identity.ts';
import { encodePath, encodeRawUtf8, normalizePath, pathOfTarget, sentForms, spelled } from '../../src/http/path.ts';
import { decodeQuery, queryValue } from '../../src/http/query.ts';
import { asciiAuthority, hostForm, ipv6Form } from '../../src/kit/host-name.ts';
import { AddressSet } from '../../src/kit/address-set.ts';
import { jsonText } from '../../src/observe/json-text.ts';
import { mapBack } from '../../src/proxy/map-back.ts';
import { lastHop } from '../../src/proxy/max-forwards.ts';
import { OutgoingHead } from '../../src/http/outgoing-head.ts';
import { costOf } from '../support/cpu-time.ts';
import { exchange } from '../support/exchange.ts';
import { STRICT } from '../support/strict-rules.ts';
import { fieldsOfLines } from '../support/field-lines.ts';

const SHORT = 16_384;
const LONG = 65_536;

const lines = (...pairs: string[]): Fields => fieldsOfLines(pairs.map((pair) => `${pair}\r\n`).join(''));
const one = (name: string, value: string): Fields => lines(`${name}: ${value}`);
const asked = (name: string, value: string): Exchange => Object.assign(exchange(), { fields: one(name, value) });
const RESPONSE = Object.assign(new ReceivedHead(), { minor: 1, status: 200 });
const trusted = new AddressSet(['192.0.2.0/24']);

function sift(name: string, value: string): void {
  siftIdentity(asked(name, value), { identity: DEFAULT_IDENTITY, trusted });
}

function map(name: string, value: string): void {
  const x = exchange();
  x.rewritten = [{ from: '/api', to: '' }];
  mapBack(one(name, value), x, 'backend.internal', '127.0.0.1:3000', false);
}

function forgive(text: string): void {
  const bytes = Buffer.from(`HTTP/1.1 200 OK\n${text}\n\n`, 'latin1');
  const rules = { ...STRICT, bareLf: true, foldedLines: true, spaceBeforeColon: true };
  parseForgiving(bytes, 0, bytes.length, rules, new ReceivedHead(), new Fields());
}

/** One more for each 256 characters. */
const OTHERS = (length: number): string[] => Array.from({ length: length >> 8 }, (_, i) => `X-Other-${i}: b`);

const READERS: Readonly<Record<string, (value: string) => unknown>> = {
  'request Transfer-Encoding': (value) => requestFraming(one('Transfer-Encoding', value), 1, new BodyFraming()),
  'request Content-Length': (value) => requestFraming(one('Content-Length', value), 1, new BodyFraming()),
  'response Transfer-Encoding': (value) =>
    responseFraming(one('Transfer-Encoding', value), RESPONSE, 'GET', true, new BodyFraming()),
  'response Content-Length': (value) =>
    responseFraming(one('Content-Length', value), RESPONSE, 'GET', true, new BodyFraming()),
  'Set-Cookie': (value) => map('Set-Cookie', value),
  'Set-Cookie Path': (value) => map('Set-Cookie', `a=b; path=${value}`),
  'Set-Cookie Domain': (value) => map('Set-Cookie', `a=b; domain=${value}`),
  Location: (value) => map('Location', value),
  'Location of another': (value) => map('Location', `http://${value}`),
  'Location below a path': (value) => map('Location', `/${value}`),
  Refresh: (value) => map('Refresh', value),
  'Refresh URL': (value) => map('Refresh', `5; url=${value}`),
  'folded response head': (value) => forgive(`A: ${value.replaceAll(',', '\n ')}`),
  'response head': (value) => forgive(`A${value}: b`),
  trimBlanks,
  Connection: (value) => persists(one('Connection', value), 1),
  'Connection of an upgrade': (value) =>
    wantsUpgrade(lines(`Connection: ${value},upgrade`, `Upgrade: ${value}`), 1, new BodyFraming()),
  'Connection stripped': (value) => stripHopByHop(one('Connection', value), 200),
  'Connection of many fields': (value) => stripHopByHop(lines(`Connection: ${value}`, ...OTHERS(value.length)), 200),
  'Keep-Alive': (value) => idleLimit(one('Keep-Alive', value)),
  'Upgrade of a 101': (value) => isOffered(value, value),
  TE: (value) => OutgoingHead.of(asked('TE', value), ''),
  'Max-Forwards': (value) => lastHop(Object.assign(asked('Max-Forwards', value), { method: 'OPTIONS' })),
  Cookie: (value) => cookieOf(one('Cookie', value), 'session'),
  'X-Forwarded-For': (value) => sift('X-Forwarded-For', value),
  Forwarded: (value) => sift('Forwarded', value),
  parseForwarded,
  'Forwarded for': (value) => parseForwarded(`for="${value}"`),
  bareAddress,
  parseAuthority,
  hostForm,
  ipv6Form,
  asciiAuthority,
  pathOfTarget,
  'absolute target': (value) => pathOfTarget(`http://${value}`),
  normalizePath: (value) => normalizePath(`/${value}`),
  sentForms: (value) => sentForms(`/${value}`),
  spelled: (value) => spelled(`/${value}`),
  encodePath,
  encodeRawUtf8,
  queryValue: (value) => queryValue(value, 'name'),
  decodeQuery,
  splitUrl: (value) => splitUrl(`http://${value}`),
  'Cache-Control of a response': responseDirectives,
  'Cache-Control of a request': (value) => requestDirectives(value, undefined),
  Pragma: (value) => requestDirectives(undefined, value),
  'no-cache fields': fieldNames,
  'CDN-Cache-Control': (value) => targetedDirectives(one('CDN-Cache-Control', value)),
  parseDictionary,
  'dictionary text': (value) => parseDictionary(`a="${value}"`),
  'If-None-Match': (value) => listMatches(value, '"etag"'),
  'If-Match of admin pages': (value) => matches(value)?.('"etag"'),
  Authorization: (value) => hasToken({ headers: { authorization: `Bearer ${value}` } } as never, '00'.repeat(32)),
  Range: (value) => parseRange(`bytes=${value}`, 1_000_000),
  'Content-Range': parseContentRange,
  Vary: (value) => varyOf(one('Vary', value)),
  'variant key': (value) => variantKey(['accept-encoding', 'accept-language'], one('Accept-Encoding', value)),
  'Cache-Tag': (value) => tagsOf(one('Cache-Tag', value)),
  'Surrogate-Key': (value) => tagsOf(one('Surrogate-Key', value)),
  Expires: (value) => parseHttpDate(value, 0),
  'Content-Location': (value) => resolve(value, { scheme: 'http', authority: 'a.test', path: '/', query: '' } as never),
  jsonText,
};

/** Of a length, with the character that all else is about in the middle or at the end. */
const VALUES: Readonly<Record<string, (length: number) => string>> = {
  spaces: (length) => `a${' '.repeat(length)}b`,
  'spaces alone': (length) => ' '.repeat(length),
  tabs: (length) => `a${'\t '.repeat(length / 2)}b`,
  commas: (length) => `a${','.repeat(length)}b`,
  'commas and spaces': (length) => `a${', '.repeat(length / 2)}b`,
  'short members': (length) => `${'a, '.repeat(length / 3)}b`,
  quotes: (length) => '"'.repeat(length + 1),
  'quotes without an end': (length) => 'a="'.repeat(length / 3),
  backslashes: (length) => `"${'\\'.repeat(length)}x`,
  equals: (length) => `a${'='.repeat(length)}b`,
  semicolons: (length) => `a${'; '.repeat(length / 2)}b`,
  digits: (length) => `${'1'.repeat(length)}x`,
  dots: (length) => `1${'.1'.repeat(length / 2)}x`,
  colons: (length) => `a${':1'.repeat(length / 2)}x`,
  slashes: (length) => `${'/'.repeat(length)}x`,
  'dot segments': (length) => '/a/..'.repeat(length / 5),
  percents: (length) => '%41'.repeat(length / 3),
  parameters: (length) => ';a=%2'.repeat(length / 6),
  letters: (length) => `${'a'.repeat(length)} `,
  brackets: (length) => '['.repeat(length),
};

/** The least of three times, so that other work of the process does not count. */
function cheapest(reader: (value: string) => unknown, value: string): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) least = Math.min(least, costOf(() => reader(value)).ms);
  return least;
}

describe.each(Object.entries(READERS))('%s', (_, reader) => {
  test.each(Object.entries(VALUES))('of many %s', (__, make) => {
    reader(make(1024));
    const short = cheapest(reader, make(SHORT));
    // A quadratic reader of 64 KiB takes sixteen times as long as of 16 KiB, and that is tens of milliseconds at least.
    expect(cheapest(reader, make(LONG))).toBeLessThan(8 * short + 10);
  });
});
