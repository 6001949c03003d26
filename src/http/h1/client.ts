/**
 * One connection to an upstream that speaks HTTP/1.1: requests out, responses in, one at a time (RFC 9112 §9). Hot.
 *
 *     idle ──start──▶ HEAD ──final head──▶ BODY ──whole──▶ idle (or closed, if it can't be used again)
 *                      └─101─▶ a SwitchedStream
 *
 * An idle connection keeps reading: unsolicited bytes or the end of the connection remove it from the pool at once. A
 * response that two readers could frame differently is refused (framing.ts).
 */
import {
  BAD_RESPONSE,
  RESPONSE_HEAD_TOO_LARGE,
  FIRST_BYTE_TIMEOUT,
  type GatewayError,
  RESPONSE_TIMEOUT,
  RESPONSE_TRUNCATED,
  SEND_TIMEOUT,
  TLS_REFUSED_LATE,
  UPSTREAM_CLOSED,
  UPSTREAM_RESET,
} from '../../kit/errors.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { ByteStreamHandler } from '../../net/byte-stream.ts';
import type { Deadlines, Timed } from '../../net/deadlines.ts';
import { SendWatch, STALLED } from '../../net/send-watch.ts';
import type { Transport } from '../../net/transport.ts';
import type { ResponsesPlan } from '../../plan/types/responses.ts';
import type { ClientConnection, ClientConnectionOwner, ClientStream, ClientTimeouts } from '../client-stream.ts';
import type { Fields } from '../fields.ts';
import { giveFields, takeFields } from '../fields-pool.ts';
import { KEEP_ALIVE, UPGRADE } from '../known.ts';
import { type BodySource, ResponseHead, type ResponseSink, UNKNOWN_LENGTH } from '../message.ts';
import type { OutgoingHead } from '../outgoing-head.ts';
import { ChunkedReader } from './chunked.ts';
import { DISCARD_TIMEOUTS, Discarded } from './discarded.ts';
import { BodyFraming, CHUNKED, type Framing, LENGTH, NO_BODY, responseFraming, UNTIL_CLOSE } from './framing.ts';
import { idleLimit } from './keep-alive.ts';
import { parseForgiving } from './lenient-head.ts';
import { isOffered } from './offered.ts';
import { FIELDS_TOO_LARGE, INCOMPLETE, ReceivedHead } from './parser.ts';
import { persists } from './request-checks.ts';
import { encodeRequest } from './request-encoder.ts';
import { NO_BYTES, Stash } from './stash.ts';
import { type SwitchedConnection, SwitchedStream } from './switched-stream.ts';

const IDLE = 0;
const HEAD = 1;
const BODY = 2;
/** The response is complete, but its receiver has yet to take bytes in this connection's buffer. */
const SETTLING = 3;
const GONE = 4;

/** The limit on interim responses to one request; more indicate an attack or a bug. */
const MOST_INFORMATIONAL = 32;
const EVENT_STREAM = /^text\/event-stream(?:[\t ]*;|$)/i;

const head = new ReceivedHead();
const framing = new BodyFraming();

export class Http1ClientConnection
  implements ByteStreamHandler, ClientConnection, ClientStream, SwitchedConnection, Timed
{
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  uses = 0;
  ready = false;
  target: object | null = null;
  rules: ResponsesPlan;
  keptUntil = Number.POSITIVE_INFINITY;
  readonly madeAt: number;
  readonly #transport: Transport;
  readonly #owner: ClientConnectionOwner;
  readonly #deadlines: Deadlines;
  #state = IDLE;
  #sink: ResponseSink | null = null;
  #requestSource: BodySource | null = null;
  #timeouts: ClientTimeouts | null = null;
  /** How long the response body may be silent, in milliseconds. */
  #idle = 0;
  /** Created when the upstream first doesn't take all written bytes at once; null until then. */
  #watch: SendWatch | null = null;
  #method = '';
  #requestChunked = false;
  #requestDone = true;
  /** The protocols offered in Upgrade, or ''. */
  #offered = '';
  #informational = 0;
  /** The client waits for the upstream's 100 before it sends its body. */
  #continueDue = false;
  #heard = false;
  #reusable = true;
  /** Milliseconds for which the server keeps the connection when idle, as last announced. */
  #idleLimit = Number.POSITIVE_INFINITY;
  #kind: Framing = NO_BODY;
  #left = 0;
  #chunks: ChunkedReader | null = null;
  #stash: Stash | null = null;
  #paused = false;

  constructor(transport: Transport, owner: ClientConnectionOwner, deadlines: Deadlines, rules: ResponsesPlan) {
    this.rules = rules;
    this.#transport = transport;
    this.#owner = owner;
    this.#deadlines = deadlines;
    this.madeAt = deadlines.now;
    transport.handler = this;
    deadlines.add(this);
  }

  get streams(): number {
    return this.#state === IDLE || this.#state === GONE ? 0 : 1;
  }

  get room(): number {
    return this.#state === IDLE ? 1 : 0;
  }

  /** The connection is its only stream. */
  open(): ClientStream {
    this.#state = HEAD;
    return this;
  }

  start(
    head: OutgoingHead,
    host: string | null,
    source: BodySource | null,
    timeouts: ClientTimeouts,
    sink: ResponseSink,
  ): void {
    const { request } = head;
    this.#sink = sink;
    this.#timeouts = timeouts;
    this.#idle = timeouts.idle;
    this.#method = request.method;
    this.#requestSource = source;
    this.#requestChunked = request.bodyLength === UNKNOWN_LENGTH;
    this.#requestDone = source === null;
    this.#offered = head.offered;
    this.#informational = 0;
    this.#continueDue = false;
    this.#heard = false;
    this.#reusable = true;
    this.#transport.writeText(encodeRequest(head, host));
    this.#await();
  }

  awaitContinue(): void {
    this.#continueDue = true;
    this.#await();
  }

  /** The connection closes. */
  abort(): void {
    if (this.#state === GONE) return;
    this.#close();
  }

  /**
   * If the end of the response is near, the connection reads up to it, so that it can be used again and the server can
   * finish sending; otherwise it closes.
   */
  discard(): void {
    if (this.#state === IDLE || (this.#state === SETTLING && !this.#paused)) return;
    // In SETTLING, the sink may still send from the read buffer, and will not resume.
    if (this.#state !== BODY || !this.#requestDone || this.#kind === UNTIL_CLOSE) {
      this.abort();
      return;
    }
    this.#sink = new Discarded(this);
    if (this.#chunks !== null) this.#chunks.interrupted = true;
    this.#timeouts = DISCARD_TIMEOUTS;
    this.#idle = DISCARD_TIMEOUTS.idle;
    this.resume();
    this.#await();
  }

  retire(): void {
    // A response that is complete stays so: what its receiver has yet to take is in memory that goes on to exist.
    if (this.#state === IDLE || this.#state === SETTLING) this.#close();
    else this.#reusable = false;
  }

  // === the request's body

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#state === GONE || start === end) return true;
    this.#continueDue = false;
    const chunked = this.#requestChunked;
    const prefix = chunked ? `${(end - start).toString(16)}\r\n` : '';
    const taken = this.#transport.write(prefix, bytes, start, end, chunked ? '\r\n' : '');
    this.#await();
    return taken;
  }

  end(trailers: Fields | null): void {
    if (this.#state === GONE) return;
    if (this.#requestChunked) this.#transport.writeText(`0\r\n${trailers === null ? '' : trailers.lines()}\r\n`);
    this.#requestDone = true;
    if (!this.#transport.pending) this.#requestSource = null;
    this.#await();
  }

  fail(): void {
    this.abort();
  }

  /** Each part has been written already. */
  flush(): void {}

  onDrain(): void {
    const source = this.#requestSource;
    if (this.#requestDone) this.#requestSource = null;
    if (this.#state === HEAD || this.#state === BODY) this.#await();
    source?.resume();
  }

  /**
   * The deadline runs while the upstream owes something: to take more of the request, or to respond once it has the
   * request. The server connection times the client; the upstream is not responsible for a slow client.
   */
  #await(): void {
    if (this.#paused) this.deadline = Number.POSITIVE_INFINITY;
    else if (this.#transport.pending) {
      this.#watch ??= new SendWatch(this.#transport, this.#deadlines);
      this.deadline = this.#watch.start(this.#timeouts!.idle);
    } else if (this.#requestDone || this.#continueDue)
      this.deadline = this.#deadlines.now + (this.#state === HEAD ? this.#timeouts!.firstByte : this.#idle);
    else this.deadline = Number.POSITIVE_INFINITY;
  }

  // === the response

  pause(): void {
    this.#paused = true;
    this.#transport.pause();
    if (this.#state !== SETTLING) this.deadline = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state === SETTLING) this.#settle();
    else if (this.#state === BODY) this.#await();
    this.#transport.resume();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.#heard = true;
    if (this.#state === HEAD && this.#stash !== null && this.#stash.length > 0) {
      this.#stash.append(bytes, start, end);
      const all = this.#stash.take();
      this.#read(all, 0, all.length);
    } else this.#read(bytes, start, end);
    // The sink buffers what arrives in one read.
    this.#sink?.flush();
  }

  #read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#state === HEAD) {
        const next = this.#readHead(bytes, at, end);
        if (next === at) {
          (this.#stash ??= new Stash()).append(bytes, at, end);
          return;
        }
        at = next;
      } else if (this.#state === BODY) {
        at = this.#readBody(bytes, at, end);
      } else {
        // Unsolicited bytes: they could be taken for the response to the next client's request.
        if (this.#state !== GONE) this.#close();
        return;
      }
    }
  }

  /** Returns the offset at which the head ends, `start` if more bytes are needed, or `end` if the response is over. */
  #readHead(bytes: Buffer, start: number, end: number): number {
    const fields = takeFields();
    const { rules } = this;
    const stop = parseForgiving(bytes, start, end, rules, head, fields);
    if (stop === INCOMPLETE) {
      giveFields(fields);
      return start;
    }
    if (stop < 0 || !responseFraming(fields, head, this.#method, rules.repeatedContentLength, framing)) {
      giveFields(fields);
      this.#fail(stop === FIELDS_TOO_LARGE ? RESPONSE_HEAD_TOO_LARGE : BAD_RESPONSE);
      return end;
    }
    if (framing.doubtful) this.#reusable = false;
    if (head.status === 101) return this.#switched(bytes, stop, end, fields);
    if (head.status < 200) {
      const { status } = head;
      if (++this.#informational > MOST_INFORMATIONAL) this.#fail(BAD_RESPONSE.with('too many interim responses'));
      else this.#sink!.informational(status, head.reason, fields);
      giveFields(fields);
      if (status === 100 && this.#continueDue) {
        this.#continueDue = false;
        if (this.#state === HEAD) this.#await();
      }
      return this.#state === HEAD ? stop : end;
    }
    this.#kind = framing.kind;
    this.#left = framing.kind === LENGTH ? framing.length : 0;
    this.#chunks = framing.kind === CHUNKED ? new ChunkedReader(rules.spaceAfterChunkSize) : null;
    if (fields.has(KEEP_ALIVE)) this.#idleLimit = idleLimit(fields);
    if (framing.kind === UNTIL_CLOSE || this.#idleLimit === 0 || !persists(fields, head.minor)) this.#reusable = false;
    this.#state = BODY;
    // Events arrive at any time, and their stream has no length.
    if (framing.kind !== LENGTH && framing.kind !== NO_BODY && isEventStream(fields))
      this.#idle = this.#timeouts!.stream;
    this.#await();
    // The sink owns the fields from here on.
    this.#sink!.head(new ResponseHead(head.status, head.reason, fields, framing.contentLength));
    // The sink may have aborted the exchange.
    if (this.#state !== BODY) return end;
    if (this.#kind !== NO_BODY) return stop;
    this.#whole(null, stop < end);
    return stop;
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const sink = this.#sink!;
    let stop = end;
    let done = false;
    let ready = true;
    const chunks = this.#chunks;
    if (chunks !== null) {
      stop = chunks.read(bytes, start, end, sink);
      if (stop < 0) {
        // The sink may have aborted the exchange before that.
        if (this.#state === BODY) this.#fail(BAD_RESPONSE.with('chunked coding'));
        return end;
      }
      ready = !chunks.full;
      chunks.full = false;
      done = chunks.done;
    } else if (this.#kind === LENGTH) {
      stop = Math.min(end, start + this.#left);
      this.#left -= stop - start;
      done = this.#left === 0;
      ready = sink.data(bytes, start, stop);
    } else ready = sink.data(bytes, start, end);
    if (this.#state !== BODY) return end;
    // A sink that has discarded the rest meanwhile will not resume.
    if (!ready && this.#sink === sink) this.pause();
    else this.#await();
    if (done) this.#whole(chunks === null ? null : chunks.trailers, stop < end);
    return stop;
  }

  /** The response is complete. The pool gets the connection back first, so that the client's next request finds it. */
  #whole(trailers: Fields | null, more: boolean): void {
    const sink = this.#sink!;
    // The request is on its way as long as its last bytes are pending, in memory that its source still lends.
    if (more || !this.#requestDone || this.#transport.pending) this.#reusable = false;
    this.keptUntil = this.#deadlines.now + this.#idleLimit;
    if (!this.#paused || !this.#reusable) this.#settle();
    else {
      this.#state = SETTLING;
      this.deadline = this.#deadlines.now + this.#idle;
    }
    sink.end(trailers);
  }

  #settle(): void {
    this.#sink = null;
    if (!this.#reusable) {
      this.#close();
      return;
    }
    this.uses++;
    this.#state = IDLE;
    this.deadline = Number.POSITIVE_INFINITY;
    this.#owner.onRoom(this);
  }

  #switched(bytes: Buffer, at: number, end: number, fields: Fields): number {
    const sink = this.#sink!;
    // RFC 9110 §7.8: a server may only change to an offered protocol.
    if (!isOffered(fields.known(UPGRADE), this.#offered)) {
      giveFields(fields);
      this.#fail(BAD_RESPONSE.with('101 to a protocol that was not offered'));
      return end;
    }
    this.#state = GONE;
    this.#sink = null;
    this.#deadlines.delete(this);
    const early = at === end ? NO_BYTES : Buffer.from(bytes.subarray(at, end));
    sink.switched(new ResponseHead(101, head.reason, fields, 0), new SwitchedStream(this.#transport, early, this));
    return end;
  }

  switchedClosed(): void {
    this.#owner.onGone(this, false);
  }

  // === termination

  onEnd(): void {
    if (this.#state === BODY && this.#kind === UNTIL_CLOSE) this.#whole(null, false);
    else if (this.#state === BODY) this.#fail(RESPONSE_TRUNCATED);
    else if (this.#state === HEAD)
      this.#fail(this.#heard ? BAD_RESPONSE.with('closed within the head') : UPSTREAM_CLOSED);
    else if (this.#state !== GONE) this.#close();
  }

  onClose(code: string): void {
    if (this.#state === HEAD && !this.#heard) {
      const refused = this.uses === 0 && code.startsWith('tls_alert_');
      this.#fail((refused ? TLS_REFUSED_LATE : UPSTREAM_RESET).with(code));
    } else if (this.#state === HEAD || this.#state === BODY) this.#fail(RESPONSE_TRUNCATED.with(code));
    else if (this.#state !== GONE) this.#close();
  }

  onDeadline(): void {
    const pending = this.#transport.pending && (this.#state === HEAD || this.#state === BODY);
    if (pending && this.#watch !== null) {
      const next = this.#watch.look(this.#timeouts!.idle);
      if (next === STALLED) this.#fail(SEND_TIMEOUT);
      else this.deadline = next;
    } else if (this.#state === HEAD) this.#fail(FIRST_BYTE_TIMEOUT);
    else if (this.#state === BODY) this.#fail(RESPONSE_TIMEOUT);
    // The pool sets an idle connection's deadline: it has expired. Or a receiver takes too long: the next exchange gets a
    // connection of its own.
    else this.#close();
  }

  #fail(error: GatewayError): void {
    const sink = this.#sink!;
    this.#close();
    sink.fail(error);
  }

  #close(): void {
    const idle = this.#state === IDLE;
    this.#state = GONE;
    this.#sink = null;
    if (this.#chunks !== null) this.#chunks.interrupted = true;
    // The source of the request body may continue: its bytes are dropped now.
    const source = this.#requestSource;
    this.#requestSource = null;
    this.#stash = null;
    this.#transport.destroy();
    this.#deadlines.delete(this);
    this.#owner.onGone(this, idle);
    source?.resume();
  }
}

/** Checks for the media type of server-sent events (WHATWG HTML §9.2), with or without parameters. */
function isEventStream(fields: Fields): boolean {
  const type = fields.get('content-type');
  return type !== undefined && EVENT_STREAM.test(type);
}
