/** Makes request messages: by a grammar that leans towards what readers disagree about, or from the corpora, then mutated. */
import { readFileSync } from 'node:fs';
import type { Random } from '../../../src/kit/random.ts';
import { bytesOf, REQUEST_FILES, requestVectors } from '../vectors.ts';

interface LlhttpCase {
  readonly type: string;
  readonly raw: string;
}

const LONGEST_SEED = 1500;
const llhttpCases = JSON.parse(
  readFileSync(new URL('../../corpora/llhttp.json', import.meta.url), 'utf8'),
) as LlhttpCase[];
const SEEDS = [
  ...REQUEST_FILES.flatMap(requestVectors).map(bytesOf),
  ...llhttpCases.filter(({ type }) => type.startsWith('request')).map(({ raw }) => `${raw}\r\n`),
].filter((text) => text.length <= LONGEST_SEED);

const METHODS = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'QUERY',
  'FROB',
  'get',
  'PRI',
  'SOURCE',
];
const TARGETS = [
  '/',
  '/',
  '/',
  '/a?b=c',
  '/early',
  '/early',
  '*',
  'http://b/x',
  'http://b',
  'https://b:1?x',
  'a:80',
  '//a',
  '/a/../b',
  '/%2e%2e/x',
  '/%2f',
  '/a#b',
  '/\\',
  '/a%',
  '',
  '/\xe4',
  'http://u@b/',
  '/"<>^`{|}',
];
const VERSIONS = [
  ...Array<string>(12).fill('HTTP/1.1'),
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.1 ',
  'HTTP/1.',
];
const HOSTS = [
  ...Array<string>(12).fill('Host: a'),
  'hOsT:a:80',
  'Host: [::1]',
  'Host:',
  'Host: a b',
  'Host: a\r\nHost: a',
  '',
  'Host : a',
  'Host: a\t',
];
const CODINGS = [
  'chunked',
  'chunked',
  'chunked',
  'Chunked',
  'chunked ',
  '\tchunked',
  'identity',
  'gzip, chunked',
  'chunked, identity',
  'chunked,',
  ',chunked',
  'chunked;a',
  'xchunked',
  '',
  'chunked\r\nTransfer-Encoding: chunked',
  '\x0bchunked',
  '"chunked"',
  'chunked\x00',
];
const BAD_LENGTHS = [
  '+5',
  '-1',
  '0x5',
  '5, 5',
  '5,5',
  '',
  ' ',
  '5 5',
  '1e1',
  '99999999999999999999',
  '18446744073709551617',
  '0005',
  '5\x00',
  '\xb5',
  '5\r\n 5',
];
const LINES = [
  'A: b',
  'A:b',
  'A:  b\t ',
  'A:',
  'X-Y_z: 1',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive, close',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA',
  'Upgrade: x',
  'Connection: x-a\r\nX-A: b',
  'Connection: content-length, transfer-encoding, host, via',
  'Expect: 100-continue',
  'Expect: x',
  'TE: trailers',
  'Trailer: X',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: close',
  'X-Forwarded-For: 1.2.3.4',
  'Forwarded: for=x',
  'Cookie: a=b; c=d',
  'A : b',
  'A: b\r\n c',
  ' A: b',
  ': b',
  'A',
  'A: \x00',
  'A: b\rC: d',
  'A: b\nC: d',
  'A: \x7f',
  'A: \xe4',
  'Max-Forwards: 0',
  'Transfer_Encoding: chunked',
  'Content-Length : 5',
  'Transfer-Encoding : chunked',
];
const SIZES = [
  '0x5',
  '+5',
  '5 ',
  ' 5',
  '05',
  '5;a=b',
  '5;a="b;c"',
  '5 ;a',
  '5;',
  '5;a=',
  '5;\n',
  'FFFFFFFFFFFFFFFF5',
  '5_',
  '',
  'g',
  '5\t',
  '5;a="\\""',
  '5; a = b',
  '000000000000005',
  '5;"',
  '5;a\tb',
];
const ENDS = ['\n', '\r', '\r\r\n', '', '\n\n', '\r\n\r\n', ' \r\n', '\0\r\n'];
const TRAILERS = [
  '',
  '',
  '',
  'X-T: 1\r\n',
  'Content-Length: 5\r\n',
  'Host: b\r\n',
  'A : b\r\n',
  'A: b\r\n c\r\n',
  'A\r\n',
  'A: \x00\r\n',
  'A: b\nC: d\r\n',
];
/** Bytes that mean something to a reader, for mutations. */
const SPICE = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  ':',
  ';',
  ',',
  '"',
  '0',
  '1',
  '5',
  'a',
  '\\',
  '/',
  '#',
  '%',
  '\x7f',
  '\x80',
  '\xff',
  '=',
  '_',
  '-',
  '+',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
];

export function generate(random: Random): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const chance = (of: number): boolean => random() < of;

  const end = (): string => (chance(0.004) ? pick(ENDS) : '\r\n');

  function chunks(): string {
    let text = '';
    for (let i = below(4); i > 0; i--) {
      const data = chance(0.2) ? 'GET /in HTTP/1.1\r\nHost: a\r\n\r\n' : 'hello world'.slice(0, 1 + below(11));
      const size = chance(0.03) ? pick(SIZES) : (chance(0.05) ? data.length + below(3) - 1 : data.length).toString(16);
      text += size + end() + data + end();
    }
    if (chance(0.04)) return text;
    return `${text}${chance(0.04) ? pick(['00', '0 ', '0;a', '-0', '', '0x0', '0;']) : '0'}${end()}${pick(TRAILERS)}${end()}`;
  }

  function framing(): { lines: string; body: string } {
    const data = chance(0.2) ? 'GET /in HTTP/1.1\r\nHost: a\r\n\r\n' : 'hello world'.slice(0, below(12));
    const kind = random();
    if (kind < 0.35) return { lines: '', body: chance(0.03) ? data : '' };
    if (kind < 0.6) {
      const length = chance(0.1) ? pick(BAD_LENGTHS) : String(chance(0.08) ? below(20) : data.length);
      const line = `Content-Length:${pick([' ', ' ', '', '\t'])}${length}${end()}`;
      return { lines: chance(0.03) ? line + line : line, body: data };
    }
    const coding = `Transfer-Encoding: ${chance(0.12) ? pick(CODINGS) : 'chunked'}${end()}`;
    if (kind < 0.95) return { lines: coding, body: chunks() };
    const both = [coding, `Content-Length: ${data.length}${end()}`];
    return { lines: (chance(0.5) ? both : both.toReversed()).join(''), body: chance(0.5) ? chunks() : data };
  }

  function request(): string {
    const { lines, body } = framing();
    const own: string[] = [];
    for (let i = below(4); i > 0; i--) own.push((chance(0.75) ? pick(LINES.slice(0, 14)) : pick(LINES)) + end());
    own.splice(below(own.length + 1), 0, lines);
    const host = chance(0.85) ? 'Host: a' : pick(HOSTS);
    own.splice(below(own.length + 1), 0, host === '' ? '' : host + end());
    const method = chance(0.8) ? pick(METHODS.slice(0, 10)) : pick(METHODS);
    const target = chance(0.9) ? pick(TARGETS.slice(0, 6)) : pick(TARGETS);
    const version = chance(0.92) ? 'HTTP/1.1' : pick(VERSIONS);
    const space = chance(0.01) ? pick(['  ', '\t', '', '\x0b']) : ' ';
    return `${chance(0.03) ? pick(['\r\n', '\n', ' ', '\r\n\r\n']) : ''}${method}${space}${target} ${version}${end()}${own.join('')}${end()}${body}`;
  }

  function mutate(text: string): string {
    const at = below(text.length + 1);
    const kind = random();
    if (kind < 0.3) return text.slice(0, at) + pick(SPICE) + text.slice(at);
    if (kind < 0.5) return text.slice(0, at) + text.slice(at + 1 + below(chance(0.2) ? 20 : 2));
    if (kind < 0.65) return text.slice(0, at) + pick(SPICE) + text.slice(at + 1);
    if (kind < 0.72) return text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
    if (kind < 0.82) return text.slice(0, at) + text.slice(Math.max(0, at - below(30)));
    if (kind < 0.88) return text.slice(0, at);
    const lines = text.split('\r\n');
    const from = below(lines.length);
    const to = below(lines.length);
    if (kind < 0.94) lines.splice(to, 0, lines[from]!);
    else [lines[from], lines[to]] = [lines[to]!, lines[from]!];
    return lines.join('\r\n');
  }

  let text = '';
  if (chance(0.2)) text = pick(SEEDS) + (chance(0.4) ? request() : '');
  else for (let i = chance(0.6) ? 1 : 2 + below(2); i > 0; i--) text += request();
  if (chance(0.4)) for (let i = 1 + below(3); i > 0; i--) text = mutate(text);
  return Buffer.from(text, 'latin1');
}

/** Cuts the bytes into parts: a few, or one for each byte. Each part is memory of its own, as from a read. */
export function split(bytes: Buffer, random: Random): Buffer[] {
  const parts: Buffer[] = [];
  const single = random() < 0.1;
  const most = 1 + Math.floor(random() * (random() < 0.5 ? bytes.length : 8));
  for (let at = 0; at < bytes.length; ) {
    const size = single ? 1 : 1 + Math.floor(random() * most);
    parts.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return parts;
}
