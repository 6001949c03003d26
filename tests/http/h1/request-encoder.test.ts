/** A head that nothing has changed is copied in one piece: what goes out is what would go out if it were put together. */
import { expect, test } from 'vitest';
import { Exchange } from '../../../src/http/exchange.ts';
import { Fields } from '../../../src/http/fields.ts';
import { BodyFraming } from '../../../src/http/h1/framing.ts';
import { parseRequestHead, RequestHead } from '../../../src/http/h1/parser.ts';
import { judgeHead, RequestTarget } from '../../../src/http/h1/request-checks.ts';
import { DEFAULT_IDENTITY, siftIdentity } from '../../../src/http/identity.ts';
import type { PathRules } from '../../../src/http/path.ts';
import { AddressSet } from '../../../src/kit/address-set.ts';
import { Connection } from '../../../src/net/connection.ts';
import { OutgoingHead } from '../../../src/http/outgoing-head.ts';
import { encodeRequest } from '../../../src/http/h1/request-encoder.ts';

const PATHS: PathRules = {
  encodedSlash: 'keep',
  repeatedSlashes: 'keep',
  parameters: 'keep',
  controlCharacters: 'refuse',
  rawUtf8: 'encode',
  send: 'normal',
};
const LIMITS = { headerSize: 65536, headerCount: 100, uriSize: 8192 };

function exchange(text: string): Exchange {
  const addresses = { remoteAddress: '10.0.0.1', remotePort: 1, localAddress: '10.0.0.2', localPort: 80 };
  const connection = new Connection(addresses, 'web', false);
  const [head, fields, target] = [new RequestHead(), new Fields(), new RequestTarget()];
  const bytes = Buffer.from(text, 'latin1');
  expect(parseRequestHead(bytes, 0, bytes.length, LIMITS, head, fields)).toBe(bytes.length);
  expect(judgeHead(head, fields, PATHS, new BodyFraming(), target)).toBe(0);
  const { method, minor } = head;
  const x = new Exchange(connection, method, head.target, target, 10 + minor, fields, 0, 0);
  expect(siftIdentity(x, { identity: { ...DEFAULT_IDENTITY, via: 'both' }, trusted: new AddressSet([]) })).toBe(true);
  return x;
}

const sent = (text: string, edit: (x: Exchange) => void = () => {}): string => {
  const x = exchange(text);
  edit(x);
  return encodeRequest(OutgoingHead.of(x, ''), null);
};

const OWN =
  'Forwarded: for=10.0.0.1;host=h;proto=http\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: h\r\n' +
  'X-Forwarded-Proto: http\r\nVia: 1.1 prozy\r\n\r\n';

test.each([
  ['as it came', 'GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n'],
  ['with a field for this hop', 'GET /a?b HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nX: 1\r\n\r\n'],
  ['behind an empty line', '\r\nGET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n'],
  ['of a higher minor version', 'GET /a?b HTTP/1.2\r\nHost: h\r\nX: 1\r\n\r\n'],
  ['with a path that is not in normal form', 'GET /c/../a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n'],
])('%s', (_, text) => {
  expect(sent(text)).toBe(`GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n${OWN}`);
});

test('a path, a query or a field that a hook has edited goes out as edited', () => {
  const text = 'GET /a?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n';
  expect(sent(text, (x) => (x.path = '/c'))).toContain('GET /c?b HTTP/1.1\r\n');
  expect(sent(text, (x) => (x.query = '?c'))).toContain('GET /a?c HTTP/1.1\r\n');
  expect(sent(text, (x) => (x.query = ''))).toContain('GET /a HTTP/1.1\r\n');
  expect(sent(text, (x) => x.fields.add('Y', '2'))).toContain('X: 1\r\nY: 2\r\nForwarded');
  expect(sent(text, (x) => x.fields.set('x', '3'))).toContain('Host: h\r\nx: 3\r\nForwarded');
});

test('a target with raw UTF-8 is sent encoded', () => {
  expect(sent('GET /\xc3\xa4?b HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n')).toContain('GET /%C3%A4?b HTTP/1.1\r\n');
});

test('an absolute target is told in origin form', () => {
  expect(sent('GET http://h/a?b HTTP/1.1\r\nHost: other\r\n\r\n')).toBe(`GET /a?b HTTP/1.1\r\nHost: h\r\n${OWN}`);
});
