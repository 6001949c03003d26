/** The hooks that make TXT records: a program, an endpoint, and updates of a name server, which the test plays. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode, type Packet } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { signMessage, updateMessage, verifyResponse, wireName } from '../../src/acme/challenges/dns-message.ts';
import { type DnsHook, dnsSolver } from '../../src/acme/challenges/dns01.ts';
import { execHook } from '../../src/acme/challenges/exec-hook.ts';
import { updateHook, type UpdateServer } from '../../src/acme/challenges/update-hook.ts';
import { webhook } from '../../src/acme/challenges/webhook.ts';
import { AcmeError, asAcmeError } from '../../src/acme/client/acme-error.ts';
import { AUTHORITY_LIMITS, httpClient } from '../../src/acme/client/http-client.ts';
import { type Clock, systemClock } from '../../src/kit/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';

const RECORD = { name: '_acme-challenge.www.example.com', value: 'Zm9vYmFy_-value' };
const STOP = new AbortController().signal;
const failure = (promise: Promise<unknown>): Promise<AcmeError> =>
  promise.then(() => Promise.reject(new Error('it succeeded')), asAcmeError);

describe('the solver', () => {
  test('changes one record at a time, and keeps several values of a name', async () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    let active = 0;
    const act = async (what: string): Promise<void> => {
      expect(++active).toBe(1);
      calls.push(what);
      await new Promise((resolve) => setImmediate(resolve));
      active--;
    };
    const hook: DnsHook = { add: ({ name }) => act(`+${name}`), remove: ({ name }) => act(`-${name}`) };
    const solver = dnsSolver({ hook, wait: 1000, clock, leftover: () => {} });
    const challenge = (value: string, token: string) => ({
      identifier: { type: 'dns' as const, value },
      token,
      keyAuthorization: token,
    });
    const all = Promise.all([solver.present(challenge('a', '1'), STOP), solver.present(challenge('a', '2'), STOP)]);
    while (clock.waiting < 2) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    const withdrawals = await all;
    await Promise.all(withdrawals.map((withdraw) => withdraw()));
    expect(calls).toEqual(['+_acme-challenge.a', '+_acme-challenge.a', '-_acme-challenge.a', '-_acme-challenge.a']);
  });

  test('removes the record when it is stopped while it waits, and reports what it can not remove', async () => {
    const clock = new ManualClock();
    const left: string[] = [];
    const hook: DnsHook = {
      add: () => Promise.resolve(),
      remove: () => Promise.reject(new AcmeError('hook_failed', 'no')),
    };
    const solver = dnsSolver({
      hook,
      wait: 1000,
      clock,
      leftover: ({ name }, reason) => left.push(`${name}: ${reason}`),
    });
    const stop = new AbortController();
    const identifier = { type: 'dns' as const, value: 'a' };
    const failed = failure(solver.present({ identifier, token: 't', keyAuthorization: 't.x' }, stop.signal));
    while (clock.waiting < 1) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect((await failed).code).toBe('stopped');
    expect(left).toEqual(['_acme-challenge.a: no']);
  });
});

describe('a program', () => {
  function program(text: string) {
    const directory = mkdtempSync(join(tmpdir(), 'prozy-hook-'));
    const path = join(directory, 'hook');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return {
      path,
      output: () => readFileSync(join(directory, 'out'), 'utf8'),
      [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
    };
  }

  test('is called as lego calls it', async () => {
    using one = program('echo "$@" >> "$(dirname "$0")/out"');
    const hook = execHook([one.path, 'first'], 60_000, systemClock);
    await hook.add(RECORD, STOP);
    await hook.remove(RECORD, STOP);
    expect(one.output()).toBe(
      `first present ${RECORD.name}. ${RECORD.value}\nfirst cleanup ${RECORD.name}. ${RECORD.value}\n`,
    );
  });

  test('that fails has its words in the error', async () => {
    using one = program('echo "no such zone" >&2; exit 3');
    const error = await failure(execHook([one.path], 60_000, systemClock).add(RECORD, STOP));
    expect([error.code, error.message]).toEqual(['hook_failed', `${one.path} present: it ended with 3: no such zone`]);
  });

  test('that does not exist fails', async () => {
    const error = await failure(execHook(['/no/such/program'], 60_000, systemClock).add(RECORD, STOP));
    expect(error.message).toContain('ENOENT');
  });

  test('that does not end is killed in time, or with the gateway', async () => {
    const clock = new ManualClock();
    using one = program('exec sleep 1000');
    const slow = failure(execHook([one.path], 5000, clock).add(RECORD, STOP));
    clock.advance(5000);
    expect((await slow).message).toContain('it did not end within 5 s');
    const stop = new AbortController();
    const stopped = failure(execHook([one.path], 5000, clock).add(RECORD, stop.signal));
    stop.abort();
    expect((await stopped).message).toContain('the gateway stops');
    expect(clock.waiting).toBe(0);
  });
});

describe('an endpoint', () => {
  test('gets what lego sends, and its refusal is an error', async () => {
    const got: string[] = [];
    let status = 200;
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        got.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'} ${body}`);
        response.writeHead(status).end('not today');
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns/`;
    const client = httpClient({ ...AUTHORITY_LIMITS, plain: true }, systemClock, 'prozy/test', STOP);
    await webhook(url, 'Bearer secret', client).add(RECORD, STOP);
    await webhook(url, null, client).remove(RECORD, STOP);
    const body = JSON.stringify({ fqdn: `${RECORD.name}.`, value: RECORD.value });
    expect(got).toEqual([`POST /dns/present Bearer secret ${body}`, `POST /dns/cleanup - ${body}`]);
    status = 500;
    const error = await failure(webhook(url, null, client).add(RECORD, STOP));
    expect([error.code, error.status]).toEqual(['hook_failed', 500]);
    expect(error.message).toContain('status 500 not today');
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('an update (RFC 2136)', () => {
  const key = { name: 'prozy.key', algorithm: 'hmac-sha256', secret: Buffer.from('0123456789abcdef') } as const;

  /** A primary server for one zone that checks and signs, or does what a test wants of it. */
  async function primary(
    zone: string,
    changes: Partial<{ sign: boolean; rcode: number; silent: boolean; garbage: Buffer }> = {},
  ) {
    const updates: { zone: string; name: string; class: number; ttl: number; text: string }[] = [];
    const problems: string[] = [];
    const sockets = new Set<net.Socket>();
    const answer = (message: Buffer): Buffer => {
      const flags = message.readUInt16BE(2);
      if (flags >> 11 === 0) {
        const packet = decode(message);
        const name = packet.questions?.[0]?.name ?? '';
        const found = name === zone;
        const soa = {
          type: 'SOA',
          name,
          ttl: 60,
          data: { mname: 'ns', rname: 'root', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 },
        };
        return encode({
          type: 'response',
          id: packet.id!,
          flags: found ? 0 : 3,
          questions: packet.questions!,
          answers: found ? [soa] : [],
        } as Packet);
      }
      // What follows the update is the TSIG record, the last one.
      const tsig = message.lastIndexOf(wireName(key.name));
      const plain = Buffer.from(message.subarray(0, tsig));
      plain.writeUInt16BE(0, 10);
      let at = 12 + wireName(zone).length + 4;
      const nameLength = wireName(RECORD.name).length;
      if (!message.subarray(at, at + nameLength).equals(wireName(RECORD.name))) problems.push('another name');
      at += nameLength;
      updates.push({
        zone: decode(
          Buffer.concat([
            message.subarray(0, 2),
            Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
            message.subarray(12, 12 + wireName(zone).length + 4),
          ]),
        ).questions![0]!.name,
        name: RECORD.name,
        class: message.readUInt16BE(at + 2),
        ttl: message.readUInt32BE(at + 4),
        text: message.subarray(at + 11, at + 11 + message.readUInt8(at + 10)).toString(),
      });
      // The MAC by hand, from the words of RFC 8945 §4.3.
      const data = message.subarray(tsig + wireName(key.name).length + 10);
      const algorithm = wireName('hmac-sha256');
      const time = data.subarray(algorithm.length, algorithm.length + 6);
      const mac = data.subarray(algorithm.length + 10, algorithm.length + 42);
      const variables = Buffer.concat([
        wireName(key.name),
        Buffer.from([0, 255, 0, 0, 0, 0]),
        algorithm,
        time,
        Buffer.from([1, 44, 0, 0, 0, 0]),
      ]);
      const wanted = createHmac('sha256', key.secret).update(plain).update(variables).digest();
      if (!mac.equals(wanted)) problems.push('the MAC is wrong');
      if (Math.abs(time.readUIntBE(0, 6) - Date.now() / 1000) > 60) problems.push('the time is wrong');
      const head = Buffer.alloc(12);
      head.writeUInt16BE(message.readUInt16BE(0), 0);
      head.writeUInt16BE(0xa800 | (changes.rcode ?? 0), 2);
      return changes.sign === false ? head : signMessage(head, key, Date.now(), mac).message;
    };
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      let bytes = Buffer.alloc(0);
      socket.on('data', (part: Buffer) => {
        bytes = Buffer.concat([bytes, part]);
        if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0) || changes.silent === true) return;
        const response = changes.garbage ?? answer(bytes.subarray(2));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(response.length);
        // In two parts: a length may arrive alone.
        socket.write(length.subarray(0, 1));
        setImmediate(() => socket.write(Buffer.concat([length.subarray(1), response])));
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const hook = (parts: Partial<UpdateServer> = {}, clock: Clock = systemClock): DnsHook =>
      updateHook({ host: '127.0.0.1', port, key, zone: null, ...parts }, clock);
    return {
      hook,
      updates,
      problems,
      sockets,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test('adds and removes a value in the zone that the server has', async () => {
    await using one = await primary('example.com');
    await one.hook().add(RECORD, STOP);
    await one.hook({ zone: 'example.com' }).remove(RECORD, STOP);
    expect(one.problems).toEqual([]);
    expect(one.updates).toEqual([
      { zone: 'example.com', name: RECORD.name, class: 1, ttl: 60, text: RECORD.value },
      { zone: 'example.com', name: RECORD.name, class: 254, ttl: 0, text: RECORD.value },
    ]);
  });

  test.each([
    ['a refusal', { rcode: 5 }, 'answers REFUSED to the update of example.com'],
    ['an answer that is not signed', { sign: false }, 'is not signed by prozy.key'],
    ['garbage', { garbage: Buffer.from('nonsense that is no message') }, 'the answer is to another question'],
  ])('fails at %s', async (_, changes, message) => {
    await using one = await primary('example.com', changes);
    const error = await failure(one.hook({ zone: 'example.com' }).add(RECORD, STOP));
    expect([error.code, error.message]).toEqual(['hook_failed', expect.stringContaining(message)]);
  });

  test('fails where the server has no zone for the name, is silent, or is not there', async () => {
    await using one = await primary('example.org');
    expect((await failure(one.hook().add(RECORD, STOP))).message).toContain(`has no zone for ${RECORD.name}`);
    await using silent = await primary('example.com', { silent: true });
    const clock = new ManualClock();
    const waiting = failure(silent.hook({ zone: 'example.com' }, clock).add(RECORD, STOP));
    while (silent.sockets.size === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    expect((await waiting).message).toContain('no answer within 10 s');
    expect((await failure(one.hook({ port: 1 }).add(RECORD, STOP))).message).toContain('ECONNREFUSED');
  });

  test('a signed answer is one to our request, by our key, of our time', () => {
    const request = signMessage(updateMessage(7, 'example.com', RECORD, true), key, 1000_000);
    const head = Buffer.from('0007a8000000000000000000', 'hex');
    const { message } = signMessage(head, key, 1000_000, request.mac);
    expect(verifyResponse(message, key, request.mac, 1000_000)).toBe(true);
    expect(verifyResponse(message, key, request.mac, 1000_000 + 299_000)).toBe(true);
    expect(verifyResponse(message, key, request.mac, 1000_000 + 301_000)).toBe(false);
    expect(verifyResponse(message, key, Buffer.alloc(32), 1000_000)).toBe(false);
    expect(verifyResponse(message, { ...key, secret: Buffer.from('x') }, request.mac, 1000_000)).toBe(false);
    expect(verifyResponse(message, { ...key, name: 'another.key' }, request.mac, 1000_000)).toBe(false);
    for (let cut = 12; cut < message.length; cut++)
      expect(() => {
        if (verifyResponse(message.subarray(0, cut), key, request.mac, 1000_000)) throw new Error('verified');
      }).toThrow(RangeError);
  });
});
