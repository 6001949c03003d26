/** ClientHellos of real clients, cut at every byte, and those that are none. */
import { expect, test, vi } from 'vitest';
import { type ClientHello, ClientHelloReader, type HelloRefusal } from '../../../src/net/tls/client-hello.ts';
import { helloOf, inRecords } from '../../support/client-hello.ts';

type Outcome = ClientHello | HelloRefusal | null;

function read(bytes: Buffer, cuts: readonly number[] = []): Outcome {
  const reader = new ClientHelloReader();
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    const outcome = reader.push(bytes, start, end);
    if (outcome !== null) return outcome;
    start = end;
  }
  return null;
}

/** A ClientHello with these extensions. */
function made(...extensions: (readonly [type: number, data: Buffer])[]): Buffer {
  const list = Buffer.concat(extensions.map(([type, data]) => Buffer.concat([u16(type), u16(data.length), data])));
  const body = Buffer.concat([u16(0x0303), Buffer.alloc(32), Buffer.of(0), u16(2), u16(0x1301), Buffer.of(1, 0)]);
  const whole = Buffer.concat([body, u16(list.length), list]);
  const message = Buffer.concat([Buffer.of(1, 0), u16(whole.length), whole]);
  return Buffer.concat([Buffer.of(22, 3, 1), u16(message.length), message]);
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

function serverName(name: string, type = 0): readonly [number, Buffer] {
  return [0, Buffer.concat([u16(name.length + 3), Buffer.of(type), u16(name.length), Buffer.from(name, 'latin1')])];
}

test('the server name and the protocols of real clients', async () => {
  const hello = await helloOf({ servername: 'WWW.Example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  const expected = { serverName: 'www.example.com', protocols: ['h2', 'http/1.1'] };
  expect(read(hello)).toEqual(expected);
  for (let at = 1; at < hello.length; at++) expect(read(hello, [at])).toEqual(expected);
  for (const size of [1, 2, 3, 100]) expect(read(inRecords(hello, size))).toEqual(expected);
  expect(read(await helloOf({ maxVersion: 'TLSv1.2', servername: '' }))).toEqual({ serverName: '', protocols: [] });
});

test('a long hello in records and reads of one byte is copied few times', () => {
  const hello = inRecords(made(serverName('a.example'), [0xfe0d, Buffer.alloc(10_000)]), 1);
  const reader = new ClientHelloReader();
  const spies = [vi.spyOn(Buffer, 'allocUnsafe'), vi.spyOn(Buffer, 'concat')];
  for (let at = 0; at < hello.length - 1; at++) expect(reader.push(hello, at, at + 1)).toBeNull();
  expect(reader.push(hello, hello.length - 1, hello.length)).toMatchObject({ serverName: 'a.example' });
  const lengths = spies.flatMap(({ mock }) => mock.results.map(({ value }) => (value as Buffer).length));
  for (const spy of spies) spy.mockRestore();
  const copied = lengths.reduce((sum, length) => sum + length, 0);
  expect(reader.received.equals(hello)).toBe(true);
  expect(copied).toBeLessThan(5 * hello.length);
});

test('all bytes stay available for the handshake', async () => {
  const hello = await helloOf({ servername: 'a.example' });
  const reader = new ClientHelloReader();
  expect(reader.push(hello, 0, 10)).toBeNull();
  expect(reader.push(hello, 10, hello.length)).not.toBeNull();
  expect(reader.received.equals(hello)).toBe(true);
});

test('a half hello is waited for, up to a bound', () => {
  const hello = made(serverName('a.example'));
  expect(read(hello.subarray(0, hello.length - 1))).toBeNull();
  const long = Buffer.concat([Buffer.of(22, 3, 1), u16(4), Buffer.of(1, 0, 0x80, 1)]);
  expect(read(long)).toBe('too_large');
  // Empty space between: a record for each byte.
  const slow = inRecords(made([0xfe0d, Buffer.alloc(30_000)]), 1);
  expect(
    read(
      slow,
      Array.from({ length: Math.floor(slow.length / 1000) }, (_, i) => (i + 1) * 1000),
    ),
  ).toBe('too_large');
});

test.each([
  ['GET / HTTP/1.1\r\n', 'not_tls'],
  ['SSH-2.0-OpenSSH\r\n', 'not_tls'],
  ['\x80\x2e\x01\x00\x02', 'not_tls'],
  ['\x16\x02\x00\x00\x01\x00', 'malformed'],
  ['\x16\x03\x01\x00\x00', 'malformed'],
  ['\x16\x03\x01\x40\x01', 'malformed'],
  ['\x16\x03\x01\x00\x04\x02\x00\x00\x00', 'malformed'],
  ['\x16\x03\x01\x00\x04\x01\x00\x00\x00', 'malformed'],
])('%j is %s', (text, outcome) => {
  expect(read(Buffer.from(text, 'latin1'))).toBe(outcome);
});

test.each([
  ['two server names', made(serverName('a.example'), serverName('b.example')), 'malformed'],
  ['an unknown type of name', made(serverName('a.example', 1)), 'malformed'],
  ['an empty name', made(serverName('')), 'malformed'],
  ['a name with a zero byte', made(serverName('a.example\0.b')), 'malformed'],
  ['a name with a slash', made(serverName('a/b')), 'malformed'],
  ['a name with a trailing dot', made(serverName('a.example.')), 'malformed'],
  ['a label of 64 letters', made(serverName(`${'a'.repeat(64)}.example`)), 'malformed'],
  ['an empty list of protocols', made([16, u16(0)]), 'malformed'],
  ['an empty protocol', made([16, Buffer.of(0, 1, 0)]), 'malformed'],
  ['a protocol longer than the list', made([16, Buffer.of(0, 2, 5, 65)]), 'malformed'],
  [
    'unknown extensions and GREASE',
    made([0x0a0a, Buffer.alloc(0)], serverName('a.example'), [0xfe0d, Buffer.alloc(300)]),
    {
      serverName: 'a.example',
      protocols: [],
    },
  ],
])('%s', (_, hello, outcome) => {
  expect(read(hello)).toEqual(outcome);
});

test('no damaged hello is read beyond its end', async () => {
  const hello = await helloOf({ servername: 'a.example', ALPNProtocols: ['http/1.1'] });
  for (let at = 5; at < hello.length; at++)
    for (const byte of [0, 1, 0x7f, 0xff]) {
      const damaged = Buffer.from(hello);
      damaged[at] = byte;
      const outcome = read(damaged);
      expect(outcome === null || typeof outcome === 'string' || outcome.serverName.length < 254).toBe(true);
    }
});
