/**
 * The messages of llhttp's own tests, read by the gateway and by the llhttp in this Node, both strict.
 *
 * Where the two differ the message is named below with the reason; a difference that is not named, and a name without a
 * difference, fail. A request without a Host gets one, or nearly all would be refused for that alone.
 */
import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { llhttp } from '../support/llhttp.ts';
import { simpleConfig, type TestGateway, testGateway } from '../support/gateway.ts';
import { type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { readRequests, readResponses } from '../support/strict-reader.ts';

interface Case {
  readonly name: string;
  readonly type: string;
  readonly text: string;
  readonly error: { readonly code: number } | null;
}

/** Pauses that llhttp reports as errors: another protocol follows. */
const PAUSES = new Set([21, 22]);

const METHODS_ARE_OPEN = 'RFC 9110 §9.1: a method is any token; what it means is for the origin to say';
const NO_TUNNEL = 'RFC 9110 §9.3.6: a listener that is no forward proxy answers CONNECT with 501';
const ONLY_HTTP = 'RFC 9112 §2.3: HTTP-version begins with "HTTP/", in requests and responses';
const CANNOT_DECODE =
  'RFC 9112 §6.1, §7: the gateway takes off no coding but chunked, so it cannot send the message on';
const ASTERISK = 'RFC 9112 §3.2.4: the asterisk form is for OPTIONS only';
const NO_VERSION = 'RFC 9112 §3: a request line has a version; HTTP/0.9 is not spoken';
const NO_FRAGMENT = 'RFC 9112 §3.2: no form of a target has a fragment';
const NO_USER = 'RFC 9110 §4.2.4: user information in a target is an error, and may hide the host';
const NO_EMPTY_LINE = 'RFC 9112 §2.2: an empty line is forgiven before a request, not before a response';

/** The gateway sends on more requests than llhttp reads. */
const MORE_REQUESTS: Readonly<Record<string, string>> = {
  'request/invalid.md :: HTTP protocol and ANNOUNCE method': METHODS_ARE_OPEN,
  'request/invalid.md :: Invalid method': METHODS_ARE_OPEN,
};
/** It sends on fewer. */
const FEWER_REQUESTS: Readonly<Record<string, string>> = {
  'request/method.md :: CONNECT request': NO_TUNNEL,
  'request/method.md :: CONNECT request with CAPS': NO_TUNNEL,
  'request/method.md :: CONNECT with body': NO_TUNNEL,
  'request/method.md :: M-SEARCH request': ASTERISK,
  'request/method.md :: SOURCE request with ICE': ONLY_HTTP,
  'request/method.md :: OPTIONS request with RTSP': ONLY_HTTP,
  'request/method.md :: ANNOUNCE request with RTSP': ONLY_HTTP,
  'request/sample.md :: No HTTP version': NO_VERSION,
  'request/transfer-encoding.md :: POST with `chunked` as last transfer-encoding': CANNOT_DECODE,
  'request/transfer-encoding.md :: POST with `chunked` as last transfer-encoding (multiple headers)': CANNOT_DECODE,
  'request/uri.md :: Fragment in URI': NO_FRAGMENT,
  'request/uri.md :: Underscore in hostname': NO_TUNNEL,
  'request/uri.md :: `host:port` and basic auth': NO_USER,
};
/** It passes on responses that llhttp refuses. */
const MORE_RESPONSES: Readonly<Record<string, string>> = {};
/** It refuses responses that llhttp reads. */
const FEWER_RESPONSES: Readonly<Record<string, string>> = {
  'response/connection.md :: HTTP 100 first, then 400': NO_EMPTY_LINE,
  'response/sample.md :: RTSP response': ONLY_HTTP,
  'response/sample.md :: ICE response': ONLY_HTTP,
  'response/sample.md :: HTTP version 0.9': NO_VERSION,
  'response/sample.md :: Response starting with CRLF': NO_EMPTY_LINE,
  'response/transfer-encoding.md :: `chunked` before other transfer-encoding': CANNOT_DECODE,
  'response/transfer-encoding.md :: multiple transfer-encoding where chunked is not the last one': CANNOT_DECODE,
  'response/transfer-encoding.md :: `chunkedchunked` transfer-encoding does not enable chunked enconding':
    CANNOT_DECODE,
};

function load(): Case[] {
  const url = new URL('../corpora/llhttp.json', import.meta.url);
  // Data of this repository.
  const all = JSON.parse(readFileSync(url, 'utf8')) as {
    src: string;
    type: string;
    raw: string;
    error: Case['error'];
  }[];
  const counts = new Map<string, number>();
  return all.map(({ src, type, raw, error }) => {
    const base = src.replace('llhttp ', '');
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    // The texts have lost the empty line at their end; where it was not lost, one more does no harm.
    const text = raw.endsWith('\r\n') ? `${raw}\r\n` : raw;
    return { name: count === 1 ? base : `${base} (${count})`, type, text: withHost(type, text), error };
  });
}

function withHost(type: string, text: string): string {
  if (!type.startsWith('request') || /^host\s*:/im.test(text)) return text;
  return text.replace(/^([A-Z-]+ [^\r\n]+ HTTP\/\d\.\d\r\n)/gm, '$1Host: a\r\n');
}

const cases = load();
const requests = cases.filter(({ type }) => type.startsWith('request'));
const responses = cases.filter(({ type }) => type.startsWith('response'));

test('llhttp refuses in this Node what its own tests say it refuses', () => {
  const differ = cases.filter(({ type, error, text }) => {
    if (type !== 'request' && type !== 'response') return false;
    const refused = error !== null && !PAUSES.has(error.code);
    return refused && llhttp(Buffer.from(text, 'latin1'), type).refusal === '';
  });
  expect(differ.map(({ name }) => name)).toEqual([]);
});

describe('requests', () => {
  let origin: Origin;
  let gateway: TestGateway;

  beforeAll(async () => {
    origin = await rawOrigin((socket) => {
      let text = '';
      let answered = 0;
      socket.on('data', (part: Buffer) => {
        text += part.toString('latin1');
        for (const { messages } = readRequests(text); answered < messages.length; answered++) {
          const content = messages[answered]!.start[0] === 'HEAD' ? '' : 'ok';
          socket.write(`HTTP/1.1 200 OK\r\nX-Origin: 1\r\nContent-Length: 2\r\n\r\n${content}`);
        }
      });
      socket.on('end', () => socket.end());
    });
    gateway = await testGateway(simpleConfig(origin.port));
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  async function forwarded(text: string): Promise<number> {
    await using client = await RawClient.to(gateway.port());
    client.send(text).socket.end();
    await client.end();
    return client.text.split('X-Origin: 1\r\n').length - 1;
  }

  test('are read as llhttp reads them, but where it is said why not', async () => {
    const more: string[] = [];
    const fewer: string[] = [];
    for (const { name, text } of requests) {
      const own = await forwarded(text);
      const other = llhttp(Buffer.from(text, 'latin1'), 'request', true).messages.filter(({ whole }) => whole).length;
      if (own > other) more.push(name);
      if (own < other) fewer.push(name);
    }
    expect(more).toEqual(Object.keys(MORE_REQUESTS));
    expect(fewer).toEqual(Object.keys(FEWER_REQUESTS));
  });
});

describe('responses', () => {
  let raw = '';
  let origin: Origin;
  let gateway: TestGateway;

  beforeAll(async () => {
    origin = await rawOrigin((socket: net.Socket) => {
      socket.once('data', () => socket.end(raw, 'latin1'));
    });
    gateway = await testGateway(simpleConfig(origin.port));
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  /** The body of the response if it was passed on whole, else null. */
  async function passedOn(): Promise<string | null> {
    await using client = await RawClient.to(gateway.port());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.end();
    const { messages, complaint } = readResponses(client.text, ['GET'], false);
    expect(complaint).toBe('');
    const final = messages.find(({ start }) => !start[1].startsWith('1'));
    return final?.fields.some(([name]) => name === 'via') === true ? final.body : null;
  }

  test('are read as llhttp reads them, but where it is said why not', async () => {
    const more: string[] = [];
    const fewer: string[] = [];
    const otherwise: string[] = [];
    for (const { name, text } of responses) {
      raw = text;
      const own = await passedOn();
      const other = llhttp(Buffer.from(text, 'latin1'), 'response', true).messages.find(
        ({ first, whole }) => whole && !first.startsWith('1'),
      );
      if (own !== null && other === undefined) more.push(name);
      if (own === null && other !== undefined) fewer.push(name);
      if (own !== null && other !== undefined && own !== other.body) otherwise.push(name);
    }
    expect(otherwise).toEqual([]);
    expect(more).toEqual(Object.keys(MORE_RESPONSES));
    expect(fewer).toEqual(Object.keys(FEWER_RESPONSES));
  });
});
