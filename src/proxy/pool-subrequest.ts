/**
 * A request that a policy sends to a pool, and its response as a whole. Hot where a policy sends one.
 *
 *     send ─┬─▶ upstream request: endpoint, queue, attempts, retries ─▶ head ─▶ body ─┬─▶ response
 *           │                              │                             │            │
 *           └─ malformed                   └─ none of them succeeds      └─ too long ─┴─▶ error
 *
 * The same code forwards it as the client's requests, so it counts in the metrics of its pool and endpoint. It has no
 * lease, no access log line and no end of its own: it is aborted when its exchange is over. The memory budget for
 * buffered bodies bounds the body of the response until then.
 */
import { problemOfRequest } from '../http/checked-edits.ts';
import { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { identityAsFields, OWN_REQUEST_FIELDS } from '../http/identity.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { HTTP_1_1, type ResponseHead } from '../http/message.ts';
import { MOST_BODY, type PoolHandle, type PoolRequest, type PoolResult, RESPONSE_LIMIT } from '../http/pool-request.ts';
import { ByteBlocks } from '../kit/byte-blocks.ts';
import {
  BAD_RESPONSE,
  BUFFERS_FULL,
  EXCHANGE_OVER,
  GatewayError,
  INVALID_SUBREQUEST,
  RESPONSE_TOO_LARGE,
} from '../kit/errors.ts';
import type { MemoryBudget } from '../kit/memory-budget.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Pool } from '../upstream/pool.ts';
import { BlocksBody } from './blocks-body.ts';
import type { BufferedBody } from './buffered-body.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';

/** Policies see the name only. */
export class BoundPoolHandle implements PoolHandle {
  readonly name: string;
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.name = pool.name;
    this.#pool = pool;
  }

  /** null: it is no handle. The type holds for TypeScript only. */
  static poolOf(handle: PoolHandle): Pool | null {
    return typeof handle === 'object' && handle !== null && #pool in handle ? handle.#pool : null;
  }
}

/** The exchange that a policy sends a request for. */
export interface SubrequestHost extends Pick<UpstreamRequestOwner, 'x' | 'context'> {
  readonly signal: AbortSignal;
}

/** Sends the request for that exchange. `buffered`: the client's body, if a policy has read it. */
export function sendToPool(
  host: SubrequestHost,
  buffered: BufferedBody | null,
  handle: PoolHandle,
  request: PoolRequest,
): Promise<PoolResult> {
  const refusal = (problem: string): Promise<PoolResult> => failure(INVALID_SUBREQUEST.with(problem));
  if (host.signal.aborted) return failure(EXCHANGE_OVER);
  const pool = BoundPoolHandle.poolOf(handle);
  if (pool === null) return refusal('it names no pool of the policy');
  const { limit = RESPONSE_LIMIT } = request;
  if (!Number.isSafeInteger(limit) || limit < 0) return refusal('its limit is no number of bytes');
  const x = exchangeOf(host, request);
  if (typeof x === 'string') return refusal(x);
  const body = bodyOf(host, buffered, request);
  if (typeof body === 'string') return refusal(body);
  if (body instanceof GatewayError) return failure(body);
  if (body !== null) {
    x.bodyLength = body.length;
    x.fields.add('Content-Length', String(body.length));
  }
  return new Promise((resolve) => {
    new PoolSubrequest(host, x, body ?? NO_BODY, limit, resolve).start(pool);
  });
}

function failure(error: GatewayError): Promise<PoolResult> {
  return Promise.resolve({ error });
}

/** Returns the exchange, without a body, or what is wrong with the request. */
function exchangeOf(
  { x: client, context }: SubrequestHost,
  { method = 'GET', path: target, fields: given = [] }: PoolRequest,
): Exchange | string {
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const query = queryAt < 0 ? '' : target.slice(queryAt);
  const pairs = [...given];
  const problem = problemOfRequest(method, path, query, pairs);
  if (problem !== '') return problem;
  const fields = new Fields();
  const { authority, host } = client;
  const parts = { authority, host, path, routedPath: path, receivedPath: '', query };
  const now = context.shared.clock.now();
  const x = new Exchange(client.connection, method, target, parts, HTTP_1_1, fields, 0, now);
  x.clientAddress = client.clientAddress;
  x.identity = client.identity;
  x.claims = client.claims;
  x.route = client.route;
  for (const [name] of pairs) {
    if (!OWN_REQUEST_FIELDS.has(name.toLowerCase())) continue;
    // The policy's value stands in place of the gateway's.
    identityAsFields(x);
    fields.remove(name.toLowerCase());
  }
  for (const [name, value] of pairs) fields.add(name, value);
  return x;
}

interface SizedBody {
  /** Bytes. */
  readonly length: number;
  readonly source: BlocksBody;
  /** Bytes of the memory budget. */
  readonly occupied: number;
}

/** It is never read: the request has no body. */
const NO_BODY: SizedBody = { length: 0, source: new BlocksBody(new ByteBlocks(0), null), occupied: 0 };

/** Returns null if the request has no body, and a text or an error if it cannot have this one. */
function bodyOf(
  { x: client, context }: SubrequestHost,
  buffered: BufferedBody | null,
  { body, clientBody = false }: PoolRequest,
): SizedBody | string | GatewayError | null {
  if (clientBody) {
    if (body !== undefined) return 'it has two bodies';
    if (client.bodyLength === 0) return NO_BODY;
    const source = buffered?.copy() ?? null;
    if (source === null) return 'bufferBody has not read the body of the client';
    return { length: buffered!.size, source, occupied: 0 };
  }
  if (body === undefined) return null;
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const { length } = bytes;
  if (length > MOST_BODY) return `its body is longer than ${MOST_BODY} bytes`;
  const memory = context.shared.bufferMemory;
  const content = new ByteBlocks(length, (size) => memory.take(size));
  if (!content.append(bytes, 0, length)) {
    memory.give(content.occupied);
    return BUFFERS_FULL;
  }
  return { length, source: new BlocksBody(content, null), occupied: content.occupied };
}

class PoolSubrequest implements UpstreamRequestOwner {
  readonly x: Exchange;
  begun = false;
  readonly #host: SubrequestHost;
  readonly #signal: AbortSignal;
  readonly #body: SizedBody;
  readonly #limit: number;
  /** null: the policy has the result. */
  #resolve: ((result: PoolResult) => void) | null;
  #upstream: UpstreamRequest | null = null;
  #head: ResponseHead | null = null;
  #content = new ByteBlocks(0);

  /** `limit`: bytes of the response's body. */
  constructor(
    host: SubrequestHost,
    x: Exchange,
    body: SizedBody,
    limit: number,
    resolve: (result: PoolResult) => void,
  ) {
    this.x = x;
    this.#host = host;
    this.#signal = host.signal;
    this.#body = body;
    this.#limit = limit;
    this.#resolve = resolve;
  }

  start(pool: Pool): void {
    this.#signal.addEventListener('abort', this);
    this.#upstream = new UpstreamRequest(this, this.#body.source, '', pool, null, null);
    this.#upstream.start();
  }

  /** A migration replaces it. */
  get context(): UpstreamRequestOwner['context'] {
    return this.#host.context;
  }

  // === the response (UpstreamRequestOwner)

  informational(): void {}

  responseHead(head: ResponseHead): void {
    this.begun = true;
    this.#head = head;
    stripHopByHop(head.fields, head.status);
    const { length } = head;
    if (length > this.#limit) this.#giveUp(RESPONSE_TOO_LARGE);
    else this.#content = new ByteBlocks(length, (size) => this.#memory.take(size));
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    // The read that exceeded the limit may deliver more data.
    if (this.#resolve === null) return true;
    if (this.#content.size + end - start > this.#limit) this.#giveUp(RESPONSE_TOO_LARGE);
    else if (!this.#content.append(bytes, start, end)) this.#giveUp(BUFFERS_FULL);
    return true;
  }

  flush(): void {}

  end(): void {
    const { status, fields } = this.#head!;
    // Not given back: the policy has the fields from now on.
    this.#finish({ error: null, status, fields, body: this.#content.whole() });
  }

  /** The request offers no upgrade, so no server can accept one (client.ts ensures that). */
  switched({ fields }: ResponseHead, stream: ByteStream): void {
    giveFields(fields);
    stream.destroy();
    this.#finish({ error: BAD_RESPONSE });
  }

  answerInstead(_: GatewayError, { status, fields, bodyBytes: body }: LocalReply): void {
    this.#finish({ error: null, status, fields: Fields.of(fields.pairs), body });
  }

  fail(error: GatewayError): void {
    this.#finish({ error });
  }

  // === the end

  /** The exchange is over (the listener of its signal). */
  handleEvent(): void {
    if (this.#resolve === null) this.#free();
    else this.#giveUp(EXCHANGE_OVER);
  }

  #giveUp(error: GatewayError): void {
    this.#upstream!.stop();
    this.#finish({ error });
  }

  #finish(result: PoolResult): void {
    const resolve = this.#resolve!;
    this.#resolve = null;
    this.#upstream!.finished();
    // A response may come before the whole body has been sent.
    this.#body.source.stop();
    this.#memory.give(this.#body.occupied);
    const failed = result.error !== null;
    if (failed && this.#head !== null) giveFields(this.#head.fields);
    // The policy has the body until the exchange is over.
    if (failed || this.#content.occupied === 0) this.#free();
    resolve(result);
  }

  #free(): void {
    this.#memory.give(this.#content.occupied);
    this.#content = new ByteBlocks(0);
    this.#signal.removeEventListener('abort', this);
  }

  get #memory(): MemoryBudget {
    return this.context.shared.bufferMemory;
  }
}
