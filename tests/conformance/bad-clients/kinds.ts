/**
 * The kinds of bad client, one idea each: what it does, what it may see, and what the access log must say of it.
 *
 * Each kind has a listener of its own, of its name, so that connections, counts and log lines are told apart.
 */
import { randomBytes } from 'node:crypto';
import { BadClient } from './client.ts';
import { type BadClientsOrigin, CUT_ANSWER } from './origin.ts';

export interface Scene {
  /** The kind's listener. */
  readonly port: number;
  readonly origin: Pick<BadClientsOrigin, 'cutSent'>;
}

export interface Kind {
  readonly name: string;
  /** Merged over the limits that all have in common. */
  readonly limits?: Readonly<Record<string, unknown>>;
  /** Merged over the timeouts that all have in common. */
  readonly timeouts?: Readonly<Record<string, string>>;
  /** The whole life of the nth such client; answers what it saw. */
  readonly talk: (scene: Scene, n: number) => Promise<string>;
  /** All that it may see. */
  readonly sees: readonly string[];
  /** All that the access log may say: status and error. */
  readonly logs: readonly string[];
  /** Lines for each client, at least and at most. */
  readonly lines: readonly [least: number, most: number];
  /** How many there may be at a time: the kernel's buffers take some megabytes for each that does not read. */
  readonly atOnce?: number;
}

/** Timeouts of all listeners. A client that is late for its head is another kind than the one it is meant to be. */
export const TIMEOUTS = { header: '30s', body: '1s', send: '300ms', idle: '30s' };
/** For those that are late for it on purpose. */
const HURRY = { timeouts: { header: '1s' } };
export const LIMITS = { header_size: '4KiB', header_count: 30, uri_size: '1KiB' };
/** A pool that loses patience sooner than the listeners do. */
export const IMPATIENT = { first_byte: '500ms', idle: '500ms' };
/** A pool that gives no request longer than that. */
export const HURRIED = { total: '1s' };

const HELLO = 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n';
const HALF_HEAD = 'GET /hello HTTP/1.1\r\nHost: a\r\nX-Half: wi';
const POST = 'POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n';
const CHUNKED = 'POST /ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const UPLOAD = `${POST}01234567890123456789`;
const UPLOAD_CHUNKED = `${CHUNKED}a\r\n0123456789\r\na;x=y\r\n0123456789\r\n0\r\nX-Trailer: yes\r\n\r\n`;
const KIB = 1024;

/** Sends this and waits for what comes of it. */
const says = (bytes: string | Buffer | (() => Buffer)) => async (scene: Scene) => {
  const client = await BadClient.to(scene.port);
  void client.send(typeof bytes === 'function' ? bytes() : bytes);
  return client.end();
};

/** Sends this and half-closes. */
const saysAndEnds = (text: string) => async (scene: Scene) => {
  const client = await BadClient.to(scene.port);
  client.socket.end(text, 'latin1');
  return client.end();
};

/** Has been served once; sends this and resets. */
const saysAndResets = (text: (n: number) => string) => async (scene: Scene, n: number) => {
  const client = await BadClient.greeted(scene.port);
  await client.send(text(n));
  return client.reset();
};

let ids = 0;

/** Asks that many times, and reads nothing. */
const neverReads = (what: string, times: number) => async (scene: Scene) => {
  const client = await BadClient.to(scene.port);
  client.socket.pause();
  void client.send(HELLO.replace('/hello', `/${what}`).repeat(times));
  await client.untilReset();
  return client.end();
};

/** Sends a body without end that comes back, and reads nothing of it. */
const neverReadsEcho = async ({ port }: Scene): Promise<string> => {
  const client = await BadClient.to(port);
  client.socket.pause();
  void client.send('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = Buffer.from(`8000\r\n${'x'.repeat(32 * KIB)}\r\n`);
  const more = (): void => {
    while (!client.socket.destroyed && client.socket.write(chunk)) {
      // Until nobody takes any more.
    }
  };
  client.socket.on('drain', more);
  more();
  return client.end();
};

const refused = (status: number, error: string): Pick<Kind, 'sees' | 'logs' | 'lines'> => ({
  sees: [String(status)],
  logs: [`${status} ${error}`],
  lines: [1, 1],
});
/** Nobody asked for anything: nothing to answer, nothing to log. */
const SILENT: Pick<Kind, 'sees' | 'logs' | 'lines'> = { sees: ['silence'], logs: [], lines: [0, 0] };
/** It left in the middle of its second request. */
const LEFT: Pick<Kind, 'sees' | 'logs' | 'lines'> = { sees: ['left'], logs: ['200', '0 client_gone'], lines: [2, 2] };
/** Its second request, whose time begins with its first byte, is not whole in time. */
const LATE: Pick<Kind, 'sees' | 'logs' | 'lines'> = {
  sees: ['408'],
  logs: ['200', '408 header_timeout'],
  lines: [2, 2],
};
const STALLED: Pick<Kind, 'sees' | 'logs' | 'lines'> = {
  // It hears of the reset when it writes.
  sees: ['silence reset'],
  logs: ['0 client_stalled'],
  lines: [1, 1],
};

const TLS_HELLO = Buffer.from(
  '16030100f8010000f403039f3c6f0d7e55b4c1a0d8e2f66b1c0a' +
    '93d4e5f60718293a4b5c6d7e8f90a1b2c3d400001c130213031301c02bc02fc02cc030cca9cca8',
  'hex',
);
const SMB = Buffer.from('00000054ff534d4272000000001843c8000000000000000000000000fffe00000000', 'hex');
/** A random head would pass one day: the first byte is one that no request begins with. */
const garbage = (): Buffer => Buffer.concat([Buffer.from([0xff]), randomBytes(1 + Math.floor(Math.random() * 3000))]);

export const KINDS: readonly Kind[] = [
  // === half a head
  {
    name: 'half-head-silence',
    talk: async ({ port }) => {
      const client = await BadClient.greeted(port);
      await client.send(HALF_HEAD);
      return client.end();
    },
    ...HURRY,
    ...LATE,
  },
  { name: 'half-head-fin', talk: saysAndEnds(HALF_HEAD), ...refused(400, 'bad_request') },
  { name: 'half-head-reset', talk: saysAndResets(() => HALF_HEAD), ...LEFT },
  {
    name: 'head-drips',
    talk: async ({ port }) => {
      const client = await BadClient.greeted(port);
      void client.drip(`${HALF_HEAD}${'i'.repeat(100)}`, 75);
      return client.end();
    },
    ...HURRY,
    ...LATE,
  },

  // === half a body
  { name: 'body-stalls', talk: says(`${POST}half of it`), ...refused(408, 'body_timeout') },
  { name: 'chunked-body-stalls', talk: says(`${CHUNKED}a\r\n01234`), ...refused(408, 'body_timeout') },
  {
    // It is the client that lets the exchange down, whatever the pool's own timeouts are.
    name: 'body-stalls-impatient-pool',
    talk: says(POST.replace('/ok', '/impatient') + 'half of it'),
    ...refused(408, 'body_timeout'),
  },
  {
    name: 'body-drips-total',
    talk: async ({ port }) => {
      const client = await BadClient.to(port);
      void client.drip([POST.replace('/ok', '/hurried'), ...'0123456789012345678'.split('')], 200);
      return client.end();
    },
    ...refused(504, 'total_timeout'),
    // A byte that comes late is not what ends it.
    timeouts: { body: '20s' },
  },
  {
    name: 'continue-silence',
    talk: says(POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n')),
    ...refused(408, 'body_timeout'),
    sees: ['100 408'],
  },
  { name: 'body-fin', talk: saysAndEnds(`${POST}half of it`), ...refused(400, 'bad_request') },
  { name: 'chunked-body-fin', talk: saysAndEnds(`${CHUNKED}a\r\n01234`), ...refused(400, 'bad_request') },

  // === no HTTP
  { name: 'garbage-random', talk: says(garbage), ...refused(400, 'bad_request') },
  { name: 'garbage-tls', talk: says(TLS_HELLO), ...refused(400, 'tls_on_plain_port') },
  { name: 'garbage-smb', talk: says(SMB), ...refused(400, 'bad_request') },
  {
    name: 'garbage-http2',
    talk: says('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'),
    ...refused(505, 'version_not_supported'),
  },
  { name: 'garbage-lines', talk: says('\n\r'.repeat(50)), ...refused(400, 'bad_request') },
  { name: 'garbage-chunk', talk: says(`${CHUNKED}zz\r\n`), ...refused(400, 'bad_request') },

  // === nothing at all
  { name: 'says-nothing', talk: says(''), ...HURRY, ...SILENT },
  { name: 'says-nothing-fin', talk: saysAndEnds(''), ...SILENT },
  { name: 'says-line-end', talk: says('\r\n'), ...HURRY, ...SILENT },
  { name: 'says-line-ends', talk: says('\r\n'.repeat(50)), ...HURRY, ...SILENT },
  {
    name: 'says-nothing-reset',
    talk: async ({ port }) => (await BadClient.to(port)).reset(),
    ...SILENT,
    sees: ['left'],
  },
  {
    // The gateway may come to it after it has gone: then nobody knows who it was, and it was nobody.
    name: 'asks-and-resets',
    talk: async ({ port }) => {
      const client = await BadClient.to(port);
      await client.send(UPLOAD);
      return client.reset();
    },
    sees: ['left'],
    logs: ['200', '0 client_gone'],
    lines: [0, 1],
  },
  {
    name: 'one-too-many',
    limits: { connections: 5 },
    talk: async ({ port }) => {
      const client = await BadClient.to(port);
      void client.send(HELLO.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      return client.end();
    },
    sees: ['200', '503'],
    logs: ['200', '503 connection_limit'],
    lines: [1, 1],
  },

  // === takes no answer
  { name: 'never-reads', talk: neverReads('large', 1), ...STALLED, sees: ['200 reset', 'silence reset'], atOnce: 150 },
  {
    name: 'never-reads-echo',
    talk: neverReadsEcho,
    ...STALLED,
    // On a busy machine it may be slow to send as well.
    timeouts: { body: '30s' },
    atOnce: 40,
  },
  {
    name: 'never-reads-pipelined',
    talk: neverReads('block', 400),
    ...STALLED,
    atOnce: 200,
    // Answers that the kernel took are out of our hands, whether or not they are ever read.
    logs: ['200', '0 client_stalled'],
    lines: [1, 400],
  },

  // === resets at every byte
  { name: 'reset-in-upload', talk: saysAndResets((n) => UPLOAD.slice(0, 1 + (n % UPLOAD.length))), ...LEFT },
  {
    name: 'reset-in-chunked-upload',
    talk: saysAndResets((n) => UPLOAD_CHUNKED.slice(0, 1 + (n % UPLOAD_CHUNKED.length))),
    ...LEFT,
  },
  {
    name: 'reset-in-download',
    talk: async ({ port, origin }, n) => {
      const client = await BadClient.to(port);
      const id = String(ids++);
      const sent = origin.cutSent(id);
      await client.send(UPLOAD.replace('/ok', `/cut/${id}/${n % (CUT_ANSWER.length + 1)}`));
      await sent;
      return client.reset();
    },
    sees: ['left'],
    logs: ['200', '0 client_gone'],
    lines: [1, 1],
  },
  { name: 'reset-pipelined', talk: saysAndResets(() => HELLO.repeat(200)), ...LEFT, lines: [2, 201] },

  // === too much
  {
    name: 'long-target',
    talk: says(`GET /${'a'.repeat(2 * KIB)} HTTP/1.1\r\nHost: a\r\n\r\n`),
    ...refused(414, 'uri_too_long'),
  },
  { name: 'endless-target', talk: says(`GET /${'a'.repeat(64 * KIB)}`), ...refused(414, 'uri_too_long') },
  { name: 'long-method', talk: says('A'.repeat(64 * KIB)), ...refused(501, 'not_implemented') },
  {
    name: 'long-field',
    talk: says(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(5 * KIB)}\r\n\r\n`),
    ...refused(431, 'header_too_large'),
  },
  {
    name: 'endless-head',
    talk: says(`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(20)}Z: ${'a'.repeat(64 * KIB)}`),
    ...refused(431, 'header_too_large'),
  },
  {
    name: 'many-fields',
    talk: says(`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(40)}\r\n`),
    ...refused(431, 'header_too_large'),
  },
  { name: 'long-body', limits: { body_size: 10 }, talk: says(UPLOAD), ...refused(413, 'body_too_large') },
  {
    name: 'long-chunked-body',
    limits: { body_size: 10 },
    talk: says(UPLOAD_CHUNKED),
    ...refused(413, 'body_too_large'),
  },
  { name: 'endless-chunk-line', talk: says(`${CHUNKED}1;${'x'.repeat(64 * KIB)}`), ...refused(400, 'bad_request') },
];
