/**
 * One connection between a client codec and a server codec, with a scripted user at either side.
 *
 *     Asking (uses the client codec) ── wire ── Serving (uses the server codec)
 *
 * Both record what they are told, and refuse what the contracts of http/message.ts, http/client-stream.ts and
 * http/server-stream.ts rule out.
 */
import type { GatewayError } from '../../../src/kit/errors.ts';
import { seededRandom } from '../../../src/kit/random.ts';
import type { ClientConnection, ClientStream, ClientTimeouts } from '../../../src/http/client-stream.ts';
import { Exchange } from '../../../src/http/exchange.ts';
import { Fields } from '../../../src/http/fields.ts';
import { giveFields } from '../../../src/http/fields-pool.ts';
import { problemReply } from '../../../src/http/local-reply.ts';
import { DEFAULT_IDENTITY } from '../../../src/http/identity.ts';
import { HTTP_1_1, ResponseHead, type ResponseSink, UNKNOWN_LENGTH } from '../../../src/http/message.ts';
import { OutgoingHead } from '../../../src/http/outgoing-head.ts';
import { LITERAL } from '../../../src/http/path.ts';
import type { ConnectionHome, LeavingConnection, ServerConnection } from '../../../src/http/server-connection.ts';
import type {
  ExchangeOwner,
  HttpLimits,
  HttpService,
  HttpTimeouts,
  ServerStream,
} from '../../../src/http/server-stream.ts';
import type { ByteStream } from '../../../src/net/byte-stream.ts';
import { Connection } from '../../../src/net/connection.ts';
import { Deadlines } from '../../../src/net/deadlines.ts';
import type { ResponsesPlan } from '../../../src/plan/types/responses.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { STRICT } from '../../support/strict-rules.ts';
import { type BodySpec, type Pairs, pairsOf, Receiver, Sender } from './bodies.ts';
import type { CodecPair } from './codecs.ts';
import { fieldsInUse } from './counted-fields.ts';
import { type MemoryEnd, Turns, wire, wireOptions } from './wire.ts';

export interface RequestSpec {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly authority?: string;
  readonly fields?: Pairs;
  readonly body?: BodySpec;
  /** The protocol that it offers to change to. */
  readonly offered?: string;
  /** The body follows only when the server asks for it (RFC 9110 §10.1.1). */
  readonly expects?: boolean;
}

export interface AnswerSpec {
  readonly informational?: readonly (readonly [status: number, fields: Pairs])[];
  readonly status?: number;
  readonly fields?: Pairs;
  readonly body?: BodySpec;
  /** It begins while the request's body is still on its way. */
  readonly early?: boolean;
}

export interface MeetingOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly clientTimeouts?: Partial<ClientTimeouts>;
  readonly rules?: Partial<ResponsesPlan>;
  /** Bytes that the network holds in each direction; else the seed decides. */
  readonly capacity?: number;
}

const LIMITS: HttpLimits = { headerSize: 16 * 1024, headerCount: 100, uriSize: 8 * 1024, bodySize: 0 };
const TIMEOUTS: HttpTimeouts = { header: 10_000, body: 10_000, idle: 10_000, send: 10_000 };
const CLIENT_TIMEOUTS: ClientTimeouts = { firstByte: 10_000, idle: 10_000, stream: 10_000 };

/** The client's view of one exchange. */
export class Asking extends Receiver implements ResponseSink {
  readonly stream: ClientStream;
  readonly body: Sender | null;
  readonly informationals: [status: number, fields: [string, string][]][] = [];
  status = 0;
  length = 0;
  fields: [string, string][] = [];
  /** It has aborted the exchange: no call may follow. */
  gone = false;
  /** Called for each event, so that a test can act in the middle. */
  onEvent: (event: 'informational' | 'head' | 'data' | 'end' | 'fail' | 'switched') => void = () => {};
  switchedTo: ByteStream | null = null;
  readonly #outgoing: OutgoingHead;

  constructor(meeting: Meeting, stream: ClientStream, request: RequestSpec) {
    super(meeting.turns);
    this.stream = stream;
    this.source = stream;
    const { body, expects = false, offered = '' } = request;
    this.body = body === undefined ? null : new Sender(meeting.turns, body);
    this.#outgoing = OutgoingHead.of(exchangeOf(meeting.peer, request), offered);
    stream.start(this.#outgoing, null, this.body, meeting.clientTimeouts, this);
    if (expects) stream.awaitContinue();
    else this.body?.start(stream);
  }

  override get released(): boolean {
    return this.gone;
  }

  abort(): void {
    this.gone = true;
    this.body?.stop();
    this.stream.abort();
  }

  #heard(event: Parameters<Asking['onEvent']>[0]): void {
    if (this.gone) throw new Error(`${event} after the exchange was aborted`);
    this.onEvent(event);
  }

  informational(status: number, _: string, fields: Fields): void {
    if (this.status !== 0) throw new Error('an informational response after the final one');
    this.informationals.push([status, pairsOf(fields)]);
    if (status === 100) this.body?.start(this.stream);
    this.#heard('informational');
  }

  head(head: ResponseHead): void {
    if (this.status !== 0 || this.over) throw new Error('a second head');
    this.status = head.status;
    this.length = head.length;
    this.fields = pairsOf(head.fields);
    giveFields(head.fields);
    this.#heard('head');
  }

  override data(bytes: Buffer, start: number, end: number): boolean {
    if (this.status === 0) throw new Error('data before the head');
    if (start === end) throw new Error('no data');
    const ready = super.data(bytes, start, end);
    this.#heard('data');
    // After it has given up, its answer has no meaning.
    return this.gone ? this.random() < 0.5 : ready;
  }

  override end(trailers: Fields | null): void {
    if (this.status === 0) throw new Error('an end before the head');
    super.end(trailers);
    this.#heard('end');
  }

  override fail(error: GatewayError): void {
    super.fail(error);
    this.body?.stop();
    this.#heard('fail');
  }

  switched(head: ResponseHead, stream: ByteStream): void {
    if (this.status !== 0 || this.over) throw new Error('switched after the response');
    this.status = head.status;
    this.fields = pairsOf(head.fields);
    giveFields(head.fields);
    this.switchedTo = stream;
    this.#heard('switched');
  }
}

/** The server's view of one exchange. */
export class Serving extends Receiver implements ExchangeOwner {
  readonly x: Exchange;
  readonly stream: ServerStream;
  readonly fields: [string, string][];
  readonly stalled = false;
  /** Why the client left, if it did. */
  left: GatewayError | null = null;
  /** The response is complete, or was given up. */
  finished = false;
  answer: Sender | null = null;
  onEvent: (event: 'data' | 'end' | 'left') => void = () => {};

  constructor(meeting: Meeting, x: Exchange, stream: ServerStream) {
    super(meeting.turns);
    this.x = x;
    this.stream = stream;
    this.source = stream;
    stream.owner = this;
    this.fields = pairsOf(x.fields);
  }

  get ended(): boolean {
    return this.finished || this.left !== null;
  }

  override get released(): boolean {
    return this.ended;
  }

  /** Asks for the body. */
  read(): void {
    if (this.x.bodyLength !== 0) this.stream.readBody(this);
  }

  informational(status: number, pairs: Pairs): void {
    this.stream.informational(status, '', Fields.of(pairs));
  }

  respond(meeting: Meeting, { status = 200, fields = [], body }: AnswerSpec): void {
    const length = body === undefined ? 0 : body.known ? body.size : UNKNOWN_LENGTH;
    const sender = body === undefined || (body.known && body.size === 0) ? null : new Sender(meeting.turns, body);
    this.answer = sender ?? new Sender(meeting.turns, { size: 0, known: true });
    this.stream.head(new ResponseHead(status, '', Fields.of(fields), length), this.answer);
    if (sender === null) this.complete(null);
    else {
      sender.start({
        data: (bytes, start, end) => this.ended || this.stream.data(bytes, start, end),
        end: (trailers) => this.complete(trailers),
        flush: () => this.stream.flush(),
        fail: () => {},
      });
    }
  }

  complete(trailers: Fields | null): void {
    if (this.ended) return;
    this.#finish();
    this.stream.end(trailers);
  }

  abort(): void {
    this.#finish();
    this.stream.abort();
  }

  /** Changes to a protocol. */
  switchTo(protocol: string): ByteStream {
    this.stream.owner = null;
    this.#finish();
    const fields = Fields.of([
      ['Connection', 'Upgrade'],
      ['Upgrade', protocol],
    ]);
    return this.stream.switchProtocols('', fields)!;
  }

  /** A reply that was complete by itself has been sent. */
  done(): void {
    this.#finish();
  }

  clientGone(error: GatewayError): void {
    if (this.ended) throw new Error('the client leaves an exchange that is over');
    this.left = error;
    this.answer?.stop();
    giveFields(this.x.fields);
    this.onEvent('left');
  }

  requestFailed(error: GatewayError): void {
    this.stream.owner = null;
    this.clientGone(error);
    if (this.stream.begun) this.stream.abort();
    else this.stream.localReply(problemReply(error.status));
  }

  #finish(): void {
    if (this.ended) throw new Error('finished twice');
    this.finished = true;
    this.answer?.stop();
    giveFields(this.x.fields);
  }

  override data(bytes: Buffer, start: number, end: number): boolean {
    if (this.ended) throw new Error('data after the exchange');
    const ready = super.data(bytes, start, end);
    this.onEvent('data');
    return ready;
  }

  override end(trailers: Fields | null): void {
    if (this.ended) throw new Error('an end after the exchange');
    super.end(trailers);
    this.onEvent('end');
  }
}

function exchangeOf(connection: Connection, request: RequestSpec): Exchange {
  const { method = 'GET', path = '/', query = '', authority = 'a.example', fields = [], body, expects } = request;
  const parts = { authority, host: authority, path, routedPath: path, receivedPath: '', query };
  const length = body === undefined ? 0 : body.known ? body.size : UNKNOWN_LENGTH;
  const pairs = expects === true ? [...fields, ['Expect', '100-continue'] as const] : fields;
  return new Exchange(connection, method, path + query, parts, HTTP_1_1, Fields.of(pairs), length, 0);
}

export class Meeting {
  readonly clock = new ManualClock();
  readonly deadlines = new Deadlines(this.clock);
  readonly turns: Turns;
  readonly near: MemoryEnd;
  readonly far: MemoryEnd;
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly clientTimeouts: ClientTimeouts;
  /** A client of the gateway, whose requests it sends on. */
  readonly peer: Connection;
  readonly served: Serving[] = [];
  /** Requests that never became exchanges: the statuses sent. */
  readonly refusals: number[] = [];
  /** What the server does with a request: reads the body, and answers with 200. */
  serve: (serving: Serving) => void = (serving) => {
    serving.onEvent = (event) => {
      if (event === 'end') serving.respond(this, {});
    };
    if (serving.x.bodyLength === 0) serving.respond(this, {});
    else serving.read();
  };
  /** How often the codecs have told their owners. */
  rooms = 0;
  gone: ('idle' | 'busy')[] = [];
  closed = 0;

  constructor({ server, client }: CodecPair, seed: number, options: MeetingOptions = {}) {
    const random = seededRandom(seed);
    this.turns = new Turns(random);
    const { capacity } = options;
    const ways = wireOptions(seed, random);
    [this.near, this.far] = wire(this.turns, capacity === undefined ? ways : { ...ways, capacity });
    this.clientTimeouts = { ...CLIENT_TIMEOUTS, ...options.clientTimeouts };
    this.peer = new Connection(this.near.addresses(), 'web', false);
    const owner = {
      onRoom: () => void this.rooms++,
      onFull: () => {
        throw new Error('no peer has taken room away');
      },
      onGone: (_: ClientConnection, idle: boolean) => void this.gone.push(idle ? 'idle' : 'busy'),
    };
    const limits = { ...LIMITS, ...options.limits };
    const service: HttpService = {
      limits,
      timeouts: { ...TIMEOUTS, ...options.timeouts },
      paths: LITERAL,
      identity: DEFAULT_IDENTITY,
      serve: (x, stream) => {
        const serving = new Serving(this, x, stream);
        this.served.push(serving);
        this.serve(serving);
      },
      refusal: (status) => problemReply(status),
      refused: (_, status) => void this.refusals.push(status),
    };
    const leaving = new Set<LeavingConnection>();
    const home: ConnectionHome = {
      listener: 'web',
      service: () => service,
      replaced: () => {
        throw new Error('the codec is known');
      },
      closed: () => void this.closed++,
      addLeaving: (one) => void leaving.add(one),
      deleteLeaving: (one) => void leaving.delete(one),
    };
    const environment = { clock: this.clock, deadlines: this.deadlines, date: () => 'Date: now\r\n' };
    const connection = new Connection(this.far.addresses(), 'web', false);
    this.server = server.accept(this.far, connection, home, environment);
    this.client = client.connect(this.near, owner, this.deadlines, { ...STRICT, ...options.rules });
  }

  ask(request: RequestSpec): Asking {
    if (this.client.room === 0) throw new Error('no room');
    return new Asking(this, this.client.open(), request);
  }

  run(done?: () => boolean): void {
    this.turns.run(done);
  }

  /** Time passes, and what that causes happens; until `done`. */
  pass(ms: number, done: () => boolean = () => false): void {
    for (let passed = 0; passed < ms && !done(); passed += 100) {
      this.clock.advance(100);
      this.run();
    }
  }

  /** Ends everything, and says what is left behind: nothing. */
  leftBehind(): object {
    for (const serving of this.served) serving.answer?.stop();
    this.server.destroy();
    this.run();
    // A connection that has lost its peer ends by itself, or when its time is over.
    this.pass(60_000, () => this.near.closed && this.far.closed);
    return {
      transports: [this.near.closed, this.far.closed],
      deadlines: this.deadlines.size,
      timers: this.clock.waiting,
      closed: this.closed,
      gone: this.gone.length,
      streams: this.client.streams,
      fields: fieldsInUse(),
      unfinished: this.served.filter(({ ended }) => !ended).length,
    };
  }
}

/** What a meeting leaves behind. */
export const NOTHING = {
  transports: [true, true],
  deadlines: 0,
  timers: 0,
  closed: 1,
  gone: 1,
  streams: 0,
  fields: 0,
  unfinished: 0,
};
