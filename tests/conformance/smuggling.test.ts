/**
 * Every vector of tests/corpora/smuggling through a real gateway, between a client and an origin that count bytes.
 *
 * Whatever a vector expects, what leaves the gateway is read by a second reader (tests/support/strict-reader.ts), over
 * the whole of every connection: bytes that one request left behind would spoil the next one's.
 */
import type net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestGateway, simpleConfig, testGateway, until } from '../support/gateway.ts';
import { type Origin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { readRequests, readResponses, type StrictMessage } from '../support/strict-reader.ts';
import { bytesOf, REQUEST_FILES, type RequestVector, requestVectors, responseVectors } from './vectors.ts';

const SENTINEL = 'GET /sentinel HTTP/1.1\r\nHost: sentinel\r\nConnection: close\r\n\r\n';
/** Sent byte by byte too, if they are no longer than this. */
const SHORT = 260;

/** Reads what comes with the strict reader, and answers each whole request through `answer`. */
function readingOrigin(answer: (socket: net.Socket, request: StrictMessage) => void) {
  const requests: StrictMessage[] = [];
  const complaints: string[] = [];
  const talk = (socket: net.Socket): void => {
    let text = '';
    let taken = 0;
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      const { messages, complaint } = readRequests(text);
      if (complaint !== '') complaints.push(complaint);
      for (; taken < messages.length; taken++) {
        requests.push(messages[taken]!);
        answer(socket, messages[taken]!);
      }
    });
    socket.on('end', () => socket.end());
  };
  return { requests, complaints, talk };
}

describe('requests', () => {
  const origin = readingOrigin((socket, { start: [method] }) =>
    socket.write(`HTTP/1.1 200 OK\r\nX-Origin: 1\r\nContent-Length: 2\r\n\r\n${method === 'HEAD' ? '' : 'ok'}`),
  );
  let server: Origin;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await rawOrigin(origin.talk);
    const policies = [{ type: 'headers', request: { set: { 'x-gate': 'set' } } }];
    gateway = await testGateway(
      simpleConfig(server.port, {
        routes: [
          { name: 'fixed', match: { path: { exact: '/fixed' } }, respond: { body: 'fixed' } },
          { name: 'all', match: {}, policies, pool: 'origin' },
        ],
      }),
    );
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function check(vector: RequestVector, byByte: boolean): Promise<void> {
    const { forwarded, refused, body, has = [], lacks = [], then } = vector.expect;
    const goesOn = refused === undefined && then === undefined;
    const raw = bytesOf(vector) + (goesOn ? SENTINEL : '');
    const seen = origin.requests.length;
    const heard = origin.complaints.length;
    await using client = await RawClient.to(gateway.port());
    if (byByte) await client.sendParts(raw.split(''));
    else client.send(raw);
    if (then === 'end') client.socket.end();
    // Nobody but the gateway ends it: with the sentinel's answer, the refusal, or the last response.
    await client.end();

    const requests = origin.requests.slice(seen);
    const methods = requests.map(({ start }) => start[0]);
    const { messages, rest, complaint } = readResponses(client.text, methods, true);
    expect([complaint, rest]).toEqual(['', '']);
    const final = messages.filter(({ start }) => !start[1].startsWith('1'));
    const own = final.filter(({ fields }) => !fields.some(([name]) => name === 'x-origin'));
    expect(
      requests.map(({ start }) => start[1]).filter((target) => target === '/sentinel'),
      'the sentinel comes through exactly if the connection goes on',
    ).toHaveLength(goesOn ? 1 : 0);
    if (goesOn) requests.pop();
    expect(requests.length, 'requests that the origin sees').toBe(forwarded);
    expect(final.length, 'as many responses as requests, and one refusal at most').toBe(
      forwarded + (goesOn || refused !== undefined ? 1 : 0),
    );
    if (refused === undefined) expect(own).toEqual([]);
    else {
      expect(own).toHaveLength(1);
      expect(refused).toContain(Number(own[0]!.start[1]));
      expect(own[0]!.fields).toContainEqual(['connection', 'close']);
    }
    if (body !== undefined) expect(requests.at(-1)!.body).toBe(body);
    const sent = requests.map(({ head, body, trailers }) => `${head}${body}0\r\n${trailers}\r\n`).join('');
    for (const text of has) expect(sent).toContain(text);
    for (const text of lacks) expect(sent).not.toContain(text);
    for (const { fields } of requests) expect(fields).toContainEqual(['x-gate', 'set']);
    expect(origin.complaints.slice(heard)).toEqual([]);
  }

  describe.each(REQUEST_FILES)('%s', (file) => {
    const vectors = requestVectors(file);
    test.each(vectors)('$name', (vector) => check(vector, false));

    const short = vectors.filter((vector, i) => i % 3 === 0 && bytesOf(vector).length <= SHORT);
    test.each(short)('byte by byte: $name', (vector) => check(vector, true));
  });

  test('there are more than two hundred, each with its own name and a reason', () => {
    const all = REQUEST_FILES.flatMap(requestVectors);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(200);
    expect(all.filter(({ why }) => !/RFC \d{4} §\d/.test(why)).map(({ name }) => name)).toEqual([]);
  });

  test('what the origin received is, over whole connections, nothing but requests that it could read', () => {
    expect(server.received.length).toBeGreaterThan(1);
    const readings = server.received.map((parts) => readRequests(Buffer.concat(parts).toString('latin1')));
    expect(readings.map(({ complaint }) => complaint).filter((complaint) => complaint !== '')).toEqual([]);
    expect(readings.flatMap(({ messages }) => messages)).toHaveLength(origin.requests.length);
    expect(origin.requests.filter(({ start }) => start[1] === '/smuggled')).toEqual([]);
  });
});

describe('responses', () => {
  /** What the origin does with its next request. */
  let act: (socket: net.Socket) => void = () => {};
  let used: net.Socket | null = null;
  const open = new Set<net.Socket>();
  const origin = readingOrigin((socket, { start: [, target] }) => {
    if (target === '/second') {
      used = socket;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond');
    } else act(socket);
  });
  let server: Origin;
  let gateway: TestGateway;

  beforeAll(async () => {
    server = await rawOrigin((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      origin.talk(socket);
    });
    gateway = await testGateway(simpleConfig(server.port));
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test.each(responseVectors())('$name', async (vector) => {
    const { method = 'GET', end = false, later } = vector;
    const { refused, status, cut = false, interim = [], body, has = [], lacks = [], reused } = vector.expect;
    let first: net.Socket | null = null;
    act = (socket) => {
      first = socket;
      if (end) socket.end(bytesOf(vector), 'latin1');
      else socket.write(bytesOf(vector), 'latin1');
    };
    await using client = await RawClient.to(gateway.port());
    client.send(`${method} /first HTTP/1.1\r\nHost: a\r\n\r\n`);
    const reading = () => readResponses(client.text, [method, 'GET'], false);
    const finals = (): StrictMessage[] => reading().messages.filter(({ start }) => !start[1].startsWith('1'));
    await until(() => finals().length === 1 || client.ended || client.closed, 'the first response is there or cut');
    if (cut) {
      await client.end();
      expect(readResponses(client.text, [method], false).messages, 'no whole response').toEqual([]);
      expect(client.text.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
      await until(() => !open.has(first!), 'the connection to the origin is closed');
      return;
    }
    const response = finals()[0]!;
    const heads = reading().messages.map(({ head, body, trailers }) => head + body + trailers);
    expect(refused ?? [status]).toContain(Number(response.start[1]));
    expect(reading().messages.map(({ start }) => Number(start[1]))).toEqual([...interim, Number(response.start[1])]);
    if (body !== undefined) expect(response.body).toBe(body);
    for (const text of has) expect(heads.join('')).toContain(text);
    for (const text of lacks) expect(heads.join('')).not.toContain(text);
    if (refused !== undefined) expect(client.text).not.toContain('smuggled');

    if (later !== undefined) first!.write(later, 'latin1');
    if (reused === false || refused !== undefined)
      await until(() => !open.has(first!), 'the connection to the origin is closed');
    // The client's connection has a next exchange, which gets its own answer and no other.
    client.send('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => finals().length === 2, 'the second response');
    expect(finals()[1]!.body).toBe('second');
    expect(reading().complaint + reading().rest).toBe('');
    if (reused === true) expect(used).toBe(first);
    expect(origin.complaints).toEqual([]);
  });

  test('there are more than sixty, each with its own name and a reason', () => {
    const all = responseVectors();
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(60);
    expect(all.filter(({ why }) => !/RFC \d{4} §\d/.test(why)).map(({ name }) => name)).toEqual([]);
  });
});
