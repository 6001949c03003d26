/**
 * What the gateway's own HTTP/1.1 server makes of some bytes: the real connection, framing, request text and upstream
 * connection, with memory in the place of sockets.
 */
import { AddressSet } from '../../../src/kit/address-set.ts';
import type { Clock } from '../../../src/kit/clock.ts';
import type { Exchange } from '../../../src/http/exchange.ts';
import { giveFields } from '../../../src/http/fields-pool.ts';
import { problemReply } from '../../../src/http/local-reply.ts';
import { Http1ClientConnection } from '../../../src/http/h1/client.ts';
import { Http1ServerConnection } from '../../../src/http/h1/server.ts';
import type { ServerEnvironment } from '../../../src/http/server-connection.ts';
import { UPGRADE } from '../../../src/http/known.ts';
import type { BodySink, ResponseSink } from '../../../src/http/message.ts';
import { LITERAL } from '../../../src/http/path.ts';
import type { HttpService, ServerStream } from '../../../src/http/server-stream.ts';
import { Connection } from '../../../src/net/connection.ts';
import { Deadlines } from '../../../src/net/deadlines.ts';
import { DEFAULT_IDENTITY, siftIdentity } from '../../../src/http/identity.ts';
import { OutgoingHead } from '../../../src/http/outgoing-head.ts';
import { STRICT } from '../../support/strict-rules.ts';
import { MemoryTransport } from './memory-transport.ts';

export interface ReadRequest {
  readonly method: string;
  /** As the client wrote it. */
  readonly target: string;
  /** What is sent on: path and query. */
  readonly path: string;
  readonly minor: number;
  body: string;
  whole: boolean;
  /** What the gateway would do with it: send it on, or answer it without reading its body, or refuse it. */
  readonly fate: 'sent' | 'answered early' | 'refused';
  /** Head and body as written to the upstream. */
  sent: string;
}

export interface GatewayReading {
  readonly requests: ReadRequest[];
  /** The status that refused the rest, or 0. */
  refusal: number;
  /** The refusal came only when the client had ended its side. */
  refusedAtEnd: boolean;
  /** The gateway has ended the connection before the client did. */
  closed: boolean;
  /** Reading was paused and nothing would ever have resumed it, or the connection outlived the client's end. */
  stuck: boolean;
  /** All that the client would have got. */
  responses: string;
}

const CLOCK: Clock = { now: () => 0, wall: () => 0, after: () => ({ cancel() {} }), every: () => ({ cancel() {} }) };
const deadlines = new Deadlines(CLOCK);
const nobody = new AddressSet([]);
/** The other reader has no opinion on underscores. */
const IDENTITY = { ...DEFAULT_IDENTITY, underscores: 'pass' } as const;
const OK = problemReply(200);
const NOT_IMPLEMENTED = problemReply(501);
const TIMEOUTS = { firstByte: 1000, idle: 1000, stream: 1000 };
const LIMITS = { headerSize: 16 * 1024, headerCount: 100, uriSize: 8 * 1024, bodySize: 0 };
const POOL = { onRoom() {}, onFull() {}, onGone() {} };
const UNHEARD: ResponseSink = {
  informational() {},
  head() {},
  data: () => true,
  end() {},
  fail() {},
  switched() {},
  flush() {},
};

/**
 * `patient`: answers and upstream writes take a while, so that reading is paused and resumed in between. `hasty`: the
 * client's end is told soon behind its last byte, paused or not, as net.Socket does.
 */
export function readByGateway(parts: readonly Buffer[], patient: boolean, hasty: boolean): GatewayReading {
  const reading: GatewayReading = {
    requests: [],
    refusal: 0,
    refusedAtEnd: false,
    closed: false,
    stuck: false,
    responses: '',
  };
  const later: (() => void)[] = [];
  const soon = (task: () => void): void => {
    if (patient) later.push(task);
    else task();
  };
  const service: HttpService = {
    limits: LIMITS,
    paths: LITERAL,
    identity: IDENTITY,
    timeouts: { header: 1000, body: 1000, idle: 1000, send: 1000 },
    serve: (x, stream) => serve(x, stream, reading, soon, later, patient),
    refusal: (status) => problemReply(status),
    refused: (_, status) => void (reading.refusal = status),
  };
  const environment: ServerEnvironment = {
    clock: CLOCK,
    deadlines,
    date: () => '',
  };
  const transport: MemoryTransport = new MemoryTransport(patient ? () => later.push(() => transport.drain()) : null);
  const connection = new Http1ServerConnection(
    transport,
    new Connection(transport.addresses(), 'fuzz', false),
    { listener: 'fuzz', service: () => service, replaced() {}, closed() {}, addLeaving() {}, deleteLeaving() {} },
    environment,
  );
  for (const part of parts) {
    while (transport.paused && later.length > 0) later.shift()!();
    if (transport.closed) break;
    if (transport.paused) {
      reading.stuck = true;
      break;
    }
    connection.onBytes(part, 0, part.length);
  }
  // Where exactly the end comes among what is still to be done differs from message to message.
  for (let i = hasty ? parts.length % 3 : Infinity; i > 0 && later.length > 0; i--) later.shift()!();
  reading.closed = hasty || transport.closed || transport.ended;
  const refused = reading.refusal !== 0;
  if (!transport.closed) connection.onEnd();
  while (later.length > 0) later.shift()!();
  // Everybody has said all there is to say.
  if (!transport.closed) reading.stuck = true;
  reading.refusedAtEnd = !refused && reading.refusal !== 0;
  connection.destroy();
  reading.responses = transport.text;
  return reading;
}

function serve(
  x: Exchange,
  stream: ServerStream,
  reading: GatewayReading,
  soon: (task: () => void) => void,
  later: (() => void)[],
  patient: boolean,
): void {
  const early = x.path === '/early' && x.bodyLength !== 0;
  const request: ReadRequest = {
    method: x.method,
    target: x.target,
    path: x.path + x.query,
    minor: x.version % 10,
    body: '',
    whole: x.bodyLength === 0,
    fate: x.method === 'CONNECT' ? 'refused' : early ? 'answered early' : 'sent',
    sent: '',
  };
  reading.requests.push(request);
  let over = false;
  const upstream = new MemoryTransport(patient ? () => later.push(() => upstream.drain()) : null);
  const client = new Http1ClientConnection(upstream, POOL, deadlines, STRICT);
  const finish = (): void => {
    if (over) return;
    over = true;
    stream.owner = null;
    request.sent = upstream.text;
    client.abort();
    giveFields(x.fields);
  };
  stream.owner = {
    clientGone: (error) => {
      // Told of a broken request, and also when the reading is over: only the former is a refusal.
      if (error.status === 400 && reading.refusal === 0) reading.refusal = 400;
      finish();
    },
    requestFailed(error) {
      this.clientGone(error);
      if (stream.begun) stream.abort();
      else stream.localReply(problemReply(error.status));
    },
    stalled: false,
  };
  const answer = (): void =>
    soon(() => {
      if (over) return;
      finish();
      stream.localReply(request.fate === 'refused' ? NOT_IMPLEMENTED : OK);
    });
  if (request.fate === 'refused') {
    stream.closing = true;
    reading.refusal = 501;
    answer();
    return;
  }
  const offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
  siftIdentity(x, { identity: IDENTITY, trusted: nobody });
  const source = x.bodyLength === 0 ? null : stream;
  client.start(OutgoingHead.of(x, offered), null, source, TIMEOUTS, UNHEARD);
  if (source === null || early) {
    answer();
    return;
  }
  const sink: BodySink = {
    data(bytes, start, end) {
      request.body += bytes.toString('latin1', start, end);
      return client.data(bytes, start, end);
    },
    end(trailers) {
      client.end(trailers);
      request.whole = true;
      answer();
    },
    fail() {},
    flush() {},
  };
  soon(() => {
    if (!over) stream.readBody(sink);
  });
}
