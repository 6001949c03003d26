/**
 * How far one exchange has come: routed, sent on, answered, over. Hot.
 *
 *     start ─ route ─ request hooks ─┬─ respond ─────────────────────────────▶ finish
 *                                    └─ forward ─ attempt ─ response hooks ──▶ finish
 *
 * One per exchange. It stands between the client's stream and the upstream's connection, passes the parts of the
 * response on, and is the only place that decides what a failure means for the client.
 */
import {
  CONNECT_UNSUPPORTED,
  DRAINED,
  type GatewayError,
  INTERNAL,
  NO_ENDPOINT,
  NO_ROUTE,
  POOL_FULL,
} from '../kit/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import { type FixedResponse, problemResponse } from '../http/fixed-response.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, DATE, UPGRADE } from '../http/known.ts';
import { clientAddress } from '../http/identity.ts';
import type { Framing, ResponseSink } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import type { Transport } from '../net/transport.ts';
import type { Verdict } from '../policies/policy.ts';
import { logExchange } from './access-records.ts';
import { Attempt } from './attempt.ts';
import type { HttpLive, Leaseholder, Route } from './live.ts';
import { lastHop } from './max-forwards.ts';
import { requestText } from './request-text.ts';
import { mayRetry } from './retry.ts';
import { UpgradedTunnel } from './upgrade.ts';

const problems = new Map<number, FixedResponse>();
const FORBIDDEN = 403;

function problem(status: number): FixedResponse {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemResponse(status)));
  return response;
}

export class Passage implements ExchangeOwner, ResponseSink, Leaseholder {
  readonly x: Exchange;
  readonly stream: ServerStream;
  readonly live: HttpLive;
  /** The protocols that the client offers to change to, or ''. */
  offered = '';
  #route: Route | null = null;
  #step = 0;
  #attempt: Attempt | null = null;
  #attempts = 0;
  #text = '';
  #over = false;
  /** Content bytes of an answer of our own; -1: ask the stream. */
  #bytesOut = -1;
  #tunnel: UpgradedTunnel | null = null;

  constructor(x: Exchange, stream: ServerStream, live: HttpLive) {
    this.x = x;
    this.stream = stream;
    this.live = live;
    stream.owner = this;
    live.lease.lease(this);
    x.generation = live.lease.generation;
  }

  /** Runs until it has to wait for somebody or is over. */
  start(): void {
    const { x, live } = this;
    x.clientAddress = clientAddress(x.connection, x.fields, live.trusted);
    if (live.acl !== null && !live.acl.allows(x.clientAddress)) {
      live.metrics.refusedByAcl++;
      this.stream.closing = true;
      this.#answer(problem(FORBIDDEN));
      return;
    }
    if (x.method === 'CONNECT') {
      this.stream.closing = true;
      this.#refuse(CONNECT_UNSUPPORTED);
      return;
    }
    const last = lastHop(x);
    if (last !== null) {
      this.#answer(last);
      return;
    }
    const route = live.router.match(x);
    if (route === undefined) {
      this.#refuse(NO_ROUTE);
      return;
    }
    this.#route = route;
    x.route = route.name;
    this.#advance();
  }

  /** Walks the request hooks; leaves the synchronous path only for a hook that really waits. */
  #advance(): void {
    const hooks = this.#route!.request;
    while (this.#step < hooks.length) {
      const verdict = hooks[this.#step++]!(this.x);
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        verdict.then(
          (late) => this.#resume(late),
          () => this.fail(INTERNAL),
        );
        return;
      }
      this.#answer(verdict);
      return;
    }
    const { respond } = this.#route!;
    if (respond !== null) this.#answer(respond(this.x));
    else this.#forward();
  }

  #resume(verdict: Verdict): void {
    if (this.#over) return;
    if (verdict === undefined) this.#advance();
    else this.#answer(verdict);
  }

  // === towards the upstream

  #forward(): void {
    const route = this.#route!;
    const { x } = this;
    for (let i = 0; i < route.forward.length; i++) route.forward[i]!(x);
    // Made once: a further attempt sends the same bytes.
    if (this.stream.upgrade) this.offered = x.fields.known(UPGRADE) ?? '';
    this.#text = requestText(x, this.live.trusted, this.offered);
    this.#try(null);
  }

  /** `after`: how the attempt before failed, which is the answer if there is nobody else to ask. */
  #try(after: GatewayError | null): void {
    const pool = this.#route!.pool!;
    const endpoint = pool.pick(this.x);
    if (endpoint === null) {
      this.#refuse(after ?? (pool.full ? POOL_FULL : NO_ENDPOINT));
      return;
    }
    this.#attempts++;
    this.x.endpoint = endpoint.address.text;
    // Where one pooled connection has proved dead, the others may be so too.
    const fresh = after !== null && after.retry === 'fresh';
    this.#attempt = new Attempt(this, endpoint, pool.plan.timeouts, fresh);
    this.#attempt.start(this.#text);
  }

  // === what comes back (ResponseSink)

  informational(status: number, fields: Fields): void {
    stripHopByHop(fields);
    this.stream.informational(status, fields);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    const { x } = this;
    const attempt = this.#attempt!;
    const now = this.live.shared.clock.now();
    x.upstreamAt = now;
    x.status = status;
    x.responseFields = fields;
    attempt.answered(status, now);
    stripHopByHop(fields);
    // RFC 9110 §8.6 and §6.6.1: no length where there is no content; a Date if the origin had no clock.
    if (status === 204) fields.removeKnown(CONTENT_LENGTH);
    if (!fields.has(DATE)) fields.add('Date', this.live.shared.date.value());
    fields.add('Via', '1.1 prozy');
    this.#route!.pool!.mark(x, attempt.endpoint, fields);
    const hooks = this.#route!.response;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(x);
    this.stream.head(status, reason, fields, framing, attempt.connection!);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.stream.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#finish();
    this.stream.end(trailers);
  }

  flush(): void {
    this.stream.flush();
  }

  switched(fields: Fields, transport: Transport, early: Buffer): void {
    this.x.status = 101;
    this.x.responseFields = fields;
    this.#attempt!.answered(101, this.live.shared.clock.now());
    this.#route!.pool!.mark(this.x, this.#attempt!.endpoint, fields);
    this.#over = true;
    this.stream.owner = null;
    const attempt = this.#attempt!;
    this.#attempt = null;
    this.#tunnel = new UpgradedTunnel(this, attempt, fields, transport, early, this.#route!.pool!.plan.timeouts.tunnel);
  }

  /** The tunnel that it became has closed. */
  tunnelClosed(bytesIn: number, bytesOut: number, code: string): void {
    this.x.bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.x.error = code;
    this.#over = false;
    this.#finish();
  }

  /** The attempt under way failed. */
  fail(error: GatewayError): void {
    if (this.#over) return;
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.failed(error);
    if (attempt !== null && mayRetry(error, this.x, this.#attempts, attempt.reused)) {
      attempt.endpoint.metrics.retries++;
      this.#try(error);
    } else this.#refuse(error);
  }

  // === the client's side

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.x.error = error.code;
    this.x.status = error.status;
    this.#attempt?.abort();
    this.#attempt = null;
    this.#finish();
  }

  /** Its generation has had its time. */
  cut(): void {
    this.#tunnel?.cut();
    if (this.#over) return;
    this.#attempt?.abort();
    this.#attempt = null;
    this.stream.closing = true;
    this.#refuse(DRAINED);
  }

  #refuse(error: GatewayError): void {
    this.x.error = error.code;
    if (this.stream.begun) {
      this.#finish();
      this.stream.abort();
    } else this.#answer(problem(error.status));
  }

  #answer(response: FixedResponse): void {
    const { stream, x } = this;
    x.status = response.status;
    stream.owner = null;
    // Leases and counters are settled first: `fixed` may begin the client's next request before it returns.
    this.#bytesOut = x.method === 'HEAD' ? 0 : response.body.length;
    this.#finish();
    stream.fixed(response);
  }

  /** The exchange is over: hooks, counters, log, lease. What remains is for the stream to send. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const { x, live, stream } = this;
    stream.owner = null;
    x.bytesOut = this.#bytesOut >= 0 ? this.#bytesOut : stream.bytesOut;
    this.#attempt?.finished();
    const route = this.#route;
    if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
    this.#record();
    giveFields(x.fields);
    if (x.responseFields !== null) giveFields(x.responseFields);
    live.lease.release(this);
  }

  /** Counts and logs the exchange. */
  #record(): void {
    const { x, live } = this;
    const metrics = this.#route?.metrics ?? live.unrouted;
    const now = live.shared.clock.now();
    metrics.responses[x.status === 0 ? 0 : (x.status / 100) | 0]!++;
    metrics.duration.observe(now - x.startedAt);
    metrics.bytesIn += x.bytesIn;
    metrics.bytesOut += x.bytesOut;
    if (live.shared.accessLog !== null) logExchange(live.shared.accessLog, x, now);
  }
}
