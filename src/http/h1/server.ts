/**
 * One client connection that speaks HTTP/1.1: requests in, responses out, one exchange at a time (RFC 9112 §9). Hot.
 *
 *     IDLE ──first byte──▶ HEAD ──head whole──▶ BODY ──last byte──▶ WAITING ──response sent──▶ IDLE
 *       └───────────── any refusal, or a response that must be the last ──▶ CLOSING ──▶ gone
 *
 * Bytes that can't be processed yet (a pipelined request, a body before its upstream is connected) wait in the stash.
 * Reading is paused meanwhile, so the stash holds at most the bytes of one read.
 */
import {
  BAD_REQUEST,
  BODY_TIMEOUT,
  BODY_TOO_LARGE,
  CLIENT_GONE,
  CLIENT_STALLED,
  type GatewayError,
} from '../../kit/errors.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { ByteStream, ByteStreamHandler } from '../../net/byte-stream.ts';
import type { Connection } from '../../net/connection.ts';
import type { Timed } from '../../net/deadlines.ts';
import { SendWatch, STALLED } from '../../net/send-watch.ts';
import type { Transport } from '../../net/transport.ts';
import { Exchange } from '../exchange.ts';
import type { Fields } from '../fields.ts';
import { giveFields, takeFields } from '../fields-pool.ts';
import { EXPECT, HOST } from '../known.ts';
import { type LocalReply, problemReply } from '../local-reply.ts';
import { isEmptyBody } from '../status.ts';
import { type BodySink, type BodySource, HTTP_1_0, HTTP_1_1, type ResponseHead, UNKNOWN_LENGTH } from '../message.ts';
import type { ConnectionHome, ServerConnection, ServerEnvironment } from '../server-connection.ts';
import type { ClientOverrides, ExchangeOwner, ServerStream } from '../server-stream.ts';
import type { HttpService, HttpTimeouts, RefusedHead } from '../server-stream.ts';
import type { CachedReply } from '../cached-reply.ts';
import { ChunkedReader } from './chunked.ts';
import { BodyFraming, CHUNKED, type Framing, LENGTH, NO_BODY } from './framing.ts';
import { parseRequestHead, RequestHead, worthParsing } from './parser.ts';
import { judgeHead, persists, RequestTarget, wantsUpgrade } from './request-checks.ts';
import { ResponseEncoder } from './response-encoder.ts';
import { NO_BYTES, Stash } from './stash.ts';
import { type SwitchedConnection, SwitchedStream } from './switched-stream.ts';

const IDLE = 0;
const HEAD = 1;
const BODY = 2;
const WAITING = 3;
/** The response is complete, but the client has not taken all of it. */
const FLUSHING = 4;
const CLOSING = 5;
const GONE = 6;

/** How long, and for how many bytes, a closing connection is read so that a reset doesn't destroy the last response. */
const LINGER_MS = 2000;
const LINGER_BYTES = 1024 * 1024;

/* Each use ends before other code can run. */
const head = new RequestHead();
const framing = new BodyFraming();
const target = new RequestTarget();

export class Http1ServerConnection
  implements ByteStreamHandler, ServerConnection, ServerStream, SwitchedConnection, Timed
{
  readonly connection: Connection;
  // Initialized as a number: V8 boxes each number that replaces `undefined`.
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  tablePlace = NOWHERE;
  tableNumber = 0;
  owner: ExchangeOwner | null = null;
  closing = false;
  upgrade = false;
  readonly #transport: Transport;
  readonly #environment: ServerEnvironment;
  #home: ConnectionHome;
  readonly #writer: ResponseEncoder;
  /** The current service while a head is read, else null: a long exchange must not hold a generation. */
  #service: HttpService | null = null;
  /** The timeouts of the last request. */
  #timeouts: HttpTimeouts | null = null;
  #bodyLimit = 0;
  #overrides: ClientOverrides | null = null;
  #state = IDLE;
  #stash: Stash | null = null;
  #consuming = false;
  #exchange: Exchange | null = null;
  #method = '';
  #version = HTTP_1_1;
  #bodyKind: Framing = NO_BODY;
  #bodyLeft = 0;
  #bodyBytes = 0;
  #chunks: ChunkedReader | null = null;
  #sink: BodySink | null = null;
  /** The client waits for a 100 before it sends its body, and no backend has sent one yet. */
  #continueDue = false;
  /** The receiver of the body has asked for a pause. */
  #paused = false;
  #responseSource: BodySource | null = null;
  /** Created when the client first doesn't take all written bytes at once; null until then. */
  #watch: SendWatch | null = null;
  #ended = false;
  #lingered = 0;

  constructor(transport: Transport, connection: Connection, home: ConnectionHome, environment: ServerEnvironment) {
    this.#transport = transport;
    this.connection = connection;
    this.#environment = environment;
    this.#home = home;
    this.#writer = new ResponseEncoder(transport);
    this.deadline = environment.deadlines.now + (home.service()?.timeouts.header ?? 0);
    transport.handler = this;
    environment.deadlines.add(this);
  }

  /** True if no exchange is in progress and no part of a request has arrived. */
  get idle(): boolean {
    return this.#state === IDLE;
  }

  get begun(): boolean {
    return this.#writer.begun;
  }

  get bytesOut(): number {
    return this.#writer.bytes;
  }

  /** Itself: HTTP/1.1 has one exchange at a time. */
  get carrier(): ServerConnection {
    return this;
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  /** True if only line ends have arrived since the last request: old clients send them after a body. No answer is due. */
  get #onlyEmptyLines(): boolean {
    return this.#state === HEAD && this.#stash?.isEmptyLines === true;
  }

  moveTo(home: ConnectionHome): void {
    this.#home = home;
    this.connection.listener = home.listener;
  }

  /**
   * Ends the connection as soon as that loses no data: now if it is idle, else after the current response. The
   * connection sends a FIN and reads what still arrives, because a request that crosses the FIN must not cause a reset
   * (RFC 9112 §9.6). With `patient`, a new connection may still send its first request.
   */
  retire(patient = false): void {
    if (this.#state !== IDLE) this.closing = true;
    else if (patient && this.#timeouts === null) {
      this.closing = true;
      this.deadline = Math.min(this.deadline, this.#environment.deadlines.now + LINGER_MS);
    } else this.#closeGently();
  }

  destroy(): void {
    this.#fail(CLIENT_GONE);
  }

  // === bytes in

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#state === CLOSING) {
      this.#lingered += end - start;
      if (this.#lingered > LINGER_BYTES) this.#close();
      return;
    }
    const stash = this.#stash;
    if (stash !== null && stash.length > 0) {
      stash.append(bytes, start, end);
      if (this.#state === HEAD && worthParsing(bytes, start, end, stash.length, this.#service?.limits))
        this.#consumeStash();
      return;
    }
    this.#consume(bytes, start, end);
  }

  #consumeStash(): void {
    const stash = this.#stash;
    if (stash === null || stash.length === 0 || this.#consuming) return;
    const bytes = stash.take();
    this.#consume(bytes, 0, bytes.length);
  }

  #consume(bytes: Buffer, start: number, end: number): void {
    let at = start;
    this.#consuming = true;
    while (at < end) {
      if (this.#state === IDLE || this.#state === HEAD) {
        const next = this.#readHead(bytes, at, end);
        if (next === at) break;
        at = next;
      } else if (this.#state === BODY && this.#sink !== null) {
        at = this.#readBody(bytes, at, end);
      } else break;
    }
    this.#consuming = false;
    if (this.#state >= CLOSING) return;
    if (at < end) {
      (this.#stash ??= new Stash()).append(bytes, at, end);
      if (this.#state !== HEAD) {
        this.#transport.pause();
        return;
      }
    }
    if (this.#ended) this.#nothingMore();
  }

  /** Reads one head. Returns where it ends, `start` if more bytes are needed, or `end` if the request was refused. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const environment = this.#environment;
    // Fetched anew for each part: the config that is current when the head is complete serves it.
    this.#service = this.#home.service();
    if (this.#state === IDLE) {
      this.deadline = environment.deadlines.now + (this.#service?.timeouts.header ?? 0);
      this.#state = HEAD;
      this.#method = '';
    }
    const service = this.#service;
    if (service === null) return this.#refuse(503, end);
    this.#timeouts = service.timeouts;
    const fields = takeFields();
    const stop = parseRequestHead(bytes, start, end, service.limits, head, fields);
    if (stop <= 0) {
      giveFields(fields);
      return stop === 0 ? start : this.#refuse(-stop, end, beginsTls(bytes, start) ? 'tls_on_plain_port' : '');
    }
    const status = this.#accept(fields, service);
    if (status === 0) return stop;
    const asked = { method: head.method, host: fields.known(HOST) ?? '', target: head.target };
    giveFields(fields);
    return this.#refuse(status, end, target.problem, asked);
  }

  /** Begins the exchange for the head just read, or returns the status that refuses it. */
  #accept(fields: Fields, service: HttpService): number {
    const minor = head.minor;
    this.#method = head.method;
    const status = judgeHead(head, fields, service.paths, framing, target);
    if (status !== 0) return status;
    this.#version = minor === 0 ? HTTP_1_0 : HTTP_1_1;
    this.#bodyKind = framing.kind;
    this.#bodyLeft = framing.kind === LENGTH ? framing.length : 0;
    this.#bodyBytes = 0;
    this.#chunks = framing.kind === CHUNKED ? new ChunkedReader(false, service.identity.underscores) : null;
    this.#sink = null;
    this.#paused = false;
    this.#writer.reset();
    this.#continueDue = fields.has(EXPECT) && minor !== 0;
    if (!persists(fields, minor)) this.closing = true;
    this.upgrade = wantsUpgrade(fields, minor, framing);
    this.#state = framing.kind === NO_BODY ? WAITING : BODY;
    this.deadline = Number.POSITIVE_INFINITY;
    const now = this.#environment.clock.now();
    const length = framing.contentLength;
    const x = new Exchange(this.connection, head.method, head.target, target, this.#version, fields, length, now);
    this.#exchange = x;
    this.#service = null;
    this.#bodyLimit = service.limits.bodySize;
    this.#overrides = null;
    service.serve(x, this);
    return 0;
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const sink = this.#sink!;
    this.#continueDue = false;
    let stop: number;
    let done: boolean;
    let trailers: Fields | null = null;
    if (this.#chunks === null) {
      stop = Math.min(end, start + this.#bodyLeft);
      this.#bodyLeft -= stop - start;
      done = this.#bodyLeft === 0;
      // A sink that another has replaced meanwhile will not resume.
      if (!sink.data(bytes, start, stop) && this.#sink === sink) this.pause();
    } else {
      const chunks = this.#chunks;
      stop = chunks.read(bytes, start, end, sink);
      if (stop < 0) return this.#failRequest(BAD_REQUEST, end);
      if (chunks.full && this.#sink === sink) this.pause();
      chunks.full = false;
      done = chunks.done;
      trailers = chunks.trailers;
    }
    // The sink may have ended the exchange meanwhile.
    if (this.#state !== BODY) return stop;
    this.#bodyBytes += stop - start;
    const limit = this.#bodyLimit;
    if (this.#bodyKind === CHUNKED && limit > 0 && this.#bodyBytes > limit)
      return this.#failRequest(BODY_TOO_LARGE, end);
    if (this.#exchange !== null) this.#exchange.bytesIn = this.#bodyBytes;
    const current = this.#sink!;
    if (done) {
      this.#state = WAITING;
      this.#awaitBody();
      this.#sink = null;
      current.end(trailers);
    } else {
      this.#awaitBody();
      current.flush();
    }
    return stop;
  }

  onEnd(): void {
    this.#ended = true;
    // Some transports report the end while paused: the bytes in the stash are processed first.
    if (this.#state === HEAD || this.#stash === null || this.#stash.length === 0) this.#nothingMore();
  }

  /** The client has closed its side, and all its bytes have been processed. */
  #nothingMore(): void {
    if (this.#state === IDLE || this.#state === CLOSING || this.#onlyEmptyLines) this.#close();
    else if (this.#state === HEAD) this.#refuse(400, 0);
    else if (this.#state === BODY) this.#failRequest(BAD_REQUEST, 0);
    else if (this.owner?.stalled === true) this.#fail(CLIENT_GONE);
    // The request is complete: the client may half-close and still wait for the response (RFC 9112 §9.6).
    else this.closing = true;
  }

  onClose(code: string): void {
    // The beginning of a request arrived, and no response can be sent any more.
    if (this.#state === HEAD && !this.#onlyEmptyLines) this.#service?.refused(this.connection, 0, '', null);
    this.#fail(CLIENT_GONE.with(code));
  }

  onDeadline(): void {
    const state = this.#state;
    const next = this.#transport.pending && this.#watch !== null ? this.#watch.look(this.#sendLimit) : STALLED;
    if (next !== STALLED) {
      this.deadline = next;
      return;
    }
    // After a mere close, the kernel would keep bytes that the client does not take for minutes.
    if (this.#transport.pending) this.#transport.reset();
    if (state === IDLE || state === CLOSING || this.#onlyEmptyLines) this.#close();
    else if (state === HEAD) this.#refuse(408, 0);
    else if (state === BODY && !this.begun) this.#failRequest(BODY_TIMEOUT, 0);
    else this.#fail(CLIENT_STALLED);
  }

  onDrain(): void {
    if (this.#state === GONE) return;
    if (this.#state === CLOSING) {
      this.deadline = this.#environment.deadlines.now + LINGER_MS;
      this.#releaseSource();
      if (this.#ended) this.#close();
      return;
    }
    this.#awaitBody();
    const source = this.#responseSource;
    if (this.#state === FLUSHING) this.#finish();
    source?.resume();
  }

  // === request body

  override(limits: ClientOverrides): void {
    this.#overrides = limits;
    if (limits.bodySize !== null) this.#bodyLimit = limits.bodySize;
  }

  readBody(sink: BodySink): void {
    if (this.#state !== BODY) return;
    this.#leadTo(sink);
    this.#paused = false;
    this.#awaitBody();
    if (this.#consuming) return;
    this.#consumeStash();
    this.resume();
  }

  /** The request body goes there from now on; null: its rest is dropped. */
  #leadTo(sink: BodySink | null): void {
    this.#sink = sink;
    if (this.#chunks !== null) this.#chunks.interrupted = true;
  }

  pause(): void {
    this.#paused = true;
    this.#transport.pause();
    this.#awaitBody();
  }

  resume(): void {
    if (this.#state === GONE || (this.#stash !== null && this.#stash.length > 0)) return;
    this.#paused = false;
    if (this.#state === BODY) this.#awaitBody();
    this.#transport.resume();
  }

  /**
   * Sets the deadline within an exchange. The client's body is due while a sink reads it and, if the client waits for a
   * 100 (RFC 9110 §10.1.1), once that has been sent. While written bytes are pending, the send timeout applies instead.
   */
  #awaitBody(): void {
    if (this.#transport.pending) return;
    const due = this.#state === BODY && this.#sink !== null && !this.#paused && !this.#continueDue;
    this.deadline = due
      ? this.#environment.deadlines.now + (this.#overrides?.body ?? this.#timeouts!.body)
      : Number.POSITIVE_INFINITY;
  }

  // === response

  informational(status: number, reason: string, fields: Fields): void {
    if (this.#version === HTTP_1_0 || this.#state === GONE) return;
    this.#writer.informational(status, reason, fields);
    if (status !== 100 || !this.#continueDue) return;
    this.#continueDue = false;
    this.#awaitBody();
  }

  localReply(response: LocalReply): void {
    if (this.#state >= CLOSING) return;
    if (this.#state === BODY) this.closing = true;
    this.#writer.fixed(response, this.#method !== 'HEAD', this.#environment.date() + this.#connectionLine());
    this.end(null);
  }

  cachedReply(reply: CachedReply): void {
    if (this.#state >= CLOSING) return;
    if (this.#state === BODY) this.closing = true;
    this.#writer.stored(reply, this.#method !== 'HEAD', this.#connectionLine());
    this.end(null);
  }

  head(head: ResponseHead, source: BodySource): void {
    if (this.#state >= CLOSING) return;
    this.#responseSource = source;
    // The rest of the request body may never be read, so this is the connection's last exchange.
    if (this.#state === BODY) this.closing = true;
    const { status } = head;
    if (this.#version === HTTP_1_0 && head.length === UNKNOWN_LENGTH) this.closing = true;
    let connection = this.#connectionLine();
    // RFC 9110 §7.8: the Connection option Upgrade keeps recipients from forwarding the Upgrade field by mistake.
    if (status === 426 && head.fields.get('upgrade') !== undefined) connection += 'Connection: Upgrade\r\n';
    this.#writer.head(head, this.#version, connection, !isEmptyBody(this.#method, status));
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#state >= CLOSING) return true;
    const ready = this.#writer.data(bytes, start, end);
    if (!ready) this.#awaitDrain();
    return ready;
  }

  flush(): void {
    if (this.#state >= CLOSING) return;
    this.#writer.flush();
    if (this.#transport.pending) this.#awaitDrain();
  }

  end(trailers: Fields | null): void {
    if (this.#state >= CLOSING) return;
    this.#writer.end(trailers);
    const whole = this.#state === WAITING;
    this.#exchange = null;
    this.owner = null;
    this.#leadTo(null);
    if (this.closing || !whole) this.#closeGently();
    else if (this.#transport.pending) {
      this.#state = FLUSHING;
      this.#awaitDrain();
    } else this.#finish();
  }

  abort(): void {
    if (this.#state === GONE) return;
    this.owner = null;
    this.#writer.flush();
    // If only the end of the connection ends the body, a normal close would make a partial body look complete.
    if (this.#writer.endsWithConnection) this.#transport.reset();
    this.#close();
  }

  switchProtocols(reason: string, fields: Fields): ByteStream {
    this.#writer.informational(101, reason, fields);
    this.#state = GONE;
    this.#environment.deadlines.delete(this);
    return new SwitchedStream(this.#transport, this.#stash?.take() ?? NO_BYTES, this);
  }

  switchedClosed(): void {
    this.#home.closed(this);
  }

  #connectionLine(): string {
    if (this.closing) return 'Connection: close\r\n';
    return this.#version === HTTP_1_0 ? 'Connection: keep-alive\r\n' : '';
  }

  /** The client has not taken all written bytes: it must take some within each `send` timeout. */
  #awaitDrain(): void {
    this.#watch ??= new SendWatch(this.#transport, this.#environment.deadlines);
    this.deadline = this.#watch.start(this.#sendLimit);
  }

  get #sendLimit(): number {
    return this.#overrides?.send ?? this.#timeouts?.send ?? LINGER_MS;
  }

  /** Ends the exchange and keeps the connection. */
  #finish(): void {
    this.#responseSource = null;
    this.#state = IDLE;
    // A receiver that still holds back the end of the request may never resume.
    if (this.#paused) this.resume();
    this.deadline = this.#environment.deadlines.now + this.#timeouts!.idle;
    if (this.#consuming) return;
    if (this.#ended && (this.#stash === null || this.#stash.length === 0)) this.#close();
    if (this.#stash === null) return;
    if (this.#stash.length > 0) this.#consumeStash();
    if (this.#stash.length === 0 || this.#state === HEAD) this.#transport.resume();
  }

  // === termination

  /** Answers a request that never became an exchange, and closes the connection. */
  #refuse(status: number, end: number, why = '', asked: RefusedHead | null = null): number {
    this.#service?.refused(this.connection, status, why, asked);
    this.#writer.reset();
    this.closing = true;
    const reply = this.#service?.refusal(status) ?? problemReply(status);
    this.#writer.fixed(reply, this.#method !== 'HEAD', this.#environment.date() + this.#connectionLine());
    this.#writer.flush();
    this.#closeGently();
    return end;
  }

  /** Fails the current request: its owner answers it, or aborts the response if that has begun. */
  #failRequest(error: GatewayError, end: number): number {
    this.closing = true;
    this.#leadTo(null);
    this.owner?.requestFailed(error);
    return end;
  }

  /** The connection broke or is aborted. */
  #fail(error: GatewayError): void {
    if (this.#state === GONE) return;
    const owner = this.owner;
    this.owner = null;
    this.#close();
    owner?.clientGone(error);
  }

  /** Sends a FIN now, and closes when the client has closed too or the linger time is over (RFC 9112 §9.6). */
  #closeGently(): void {
    this.#stash?.clear();
    if (this.#ended && !this.#transport.pending) {
      this.#close();
      return;
    }
    this.#state = CLOSING;
    const { pending } = this.#transport;
    if (pending) this.#awaitDrain();
    else this.deadline = this.#environment.deadlines.now + LINGER_MS;
    this.#transport.end();
    this.#transport.resume();
    if (!pending) this.#releaseSource();
  }

  /** The source of the response may read on: no pending bytes are in its memory any more. */
  #releaseSource(): void {
    const source = this.#responseSource;
    this.#responseSource = null;
    source?.resume();
  }

  #close(): void {
    if (this.#state === GONE) return;
    this.#state = GONE;
    this.#leadTo(null);
    this.#stash?.clear();
    this.#transport.destroy();
    this.#environment.deadlines.delete(this);
    this.#home.closed(this);
    this.#releaseSource();
  }
}

/** A TLS handshake record, of any version (RFC 8446 §5.1). */
function beginsTls(bytes: Buffer, start: number): boolean {
  return bytes[start] === 0x16 && bytes[start + 1] === 0x03 && bytes[start + 2]! <= 0x04;
}
