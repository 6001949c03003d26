/**
 * How far one exchange has come: routed, sent on, answered, over. Hot.
 *
 *     start ─ route ─ request hooks ─┬─ respond ─────────────────────────────▶ finish
 *                                    └─ forward ─ attempt ─ response hooks ──▶ finish
 *
 * One per exchange. It stands between the client's stream and the upstream's connection, passes the parts of the
 * response on, and is the only place that decides what a failure means for the client.
 */
import { CONNECT_UNSUPPORTED, type GatewayError, INTERNAL, NO_ROUTE, OVERLOADED } from '../kit/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { FixedResponse } from '../http/fixed-response.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, DATE } from '../http/known.ts';
import { clientAddress } from '../http/identity.ts';
import type { Framing, ResponseSink } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import type { Transport } from '../net/transport.ts';
import type { Verdict } from '../policies/policy.ts';
import { recordExchange } from './access-records.ts';
import type { Facts } from './explain-field.ts';
import { viewOf } from './lease-views.ts';
import { Forwarding } from './forwarding.ts';
import type { End, HttpLive, Leaseholder, LeaseView, Pin, Route, Successor } from './live.ts';
import { lastHop } from './max-forwards.ts';
import { problem, unavailable } from './own-answers.ts';
import { copyOf, newHomeOf } from './rehoming.ts';
import { UpgradedTunnel } from './upgrade.ts';

const FORBIDDEN = 403;

export class Passage implements ExchangeOwner, ResponseSink, Leaseholder {
  readonly x: Exchange;
  readonly stream: ServerStream;
  /** Of the generation that it runs on, which may become another. */
  live: HttpLive;
  #route: Route | null = null;
  #step = 0;
  #forwarding: Forwarding | null = null;
  #over = false;
  /** Content bytes of an answer of our own; -1: ask the stream. */
  #bytesOut = -1;
  #tunnel: UpgradedTunnel | null = null;
  /** What the client asked for, if it is to become a tunnel: hooks edit the exchange itself. */
  #asked: Exchange | null = null;
  #routedPath = '';

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
    if (live.shared.overloaded) {
      live.metrics.refusedByOverload++;
      this.refuse(OVERLOADED);
      return;
    }
    if (x.method === 'CONNECT') {
      this.stream.closing = true;
      this.refuse(CONNECT_UNSUPPORTED);
      return;
    }
    const last = lastHop(x);
    if (last !== null) {
      this.#answer(last);
      return;
    }
    const route = live.router.match(x);
    if (route === undefined) {
      this.refuse(NO_ROUTE);
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
      this.#answer(verdict, true);
      return;
    }
    const { respond } = this.#route!;
    if (respond !== null) this.#answer(respond(this.x));
    else this.#forward();
  }

  #resume(verdict: Verdict): void {
    if (this.#over) return;
    if (verdict === undefined) this.#advance();
    else this.#answer(verdict, true);
  }

  #forward(): void {
    const { forward, pool, split, mirror } = this.#route!;
    if (this.stream.upgrade) this.#asked = copyOf(this.x);
    this.#routedPath = this.x.path;
    for (let i = 0; i < forward.length; i++) forward[i]!(this.x);
    this.#forwarding = new Forwarding(this, split === null ? pool! : split.pick(this.x), mirror);
    this.#forwarding.start();
  }

  // === what comes back (ResponseSink)

  informational(status: number, fields: Fields): void {
    stripHopByHop(fields);
    this.stream.informational(status, fields);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    const { x } = this;
    const forwarding = this.#forwarding!;
    const attempt = forwarding.attempt!;
    const now = this.live.shared.clock.now();
    attempt.answered(status, now);
    if (forwarding.asksElsewhere(status)) {
      giveFields(fields);
      return;
    }
    x.upstreamAt = now;
    x.status = status;
    x.responseFields = fields;
    stripHopByHop(fields);
    // RFC 9110 §8.6 and §6.6.1: no length where there is no content; a Date if the origin had no clock.
    if (status === 204) fields.removeKnown(CONTENT_LENGTH);
    if (!fields.has(DATE)) fields.add('Date', this.live.shared.date.value());
    fields.add('Via', '1.1 prozy');
    forwarding.pool.mark(x, attempt.endpoint, fields);
    const hooks = this.#route!.response;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(x);
    if (this.live.explain !== null) this.live.explain.onResponse(fields, x, this.#facts(false));
    this.stream.head(status, reason, fields, framing, attempt.connection!);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.stream.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#forwarding!.attempt!.completed();
    this.#finish();
    this.stream.end(trailers);
  }

  flush(): void {
    this.stream.flush();
  }

  switched(fields: Fields, transport: Transport, early: Buffer): void {
    const { attempt, pool } = this.#forwarding!;
    this.x.status = 101;
    this.x.responseFields = fields;
    attempt!.answered(101, this.live.shared.clock.now());
    pool.mark(this.x, attempt!.endpoint, fields);
    if (this.live.explain !== null) this.live.explain.onResponse(fields, this.x, this.#facts(false));
    this.#over = true;
    this.stream.owner = null;
    this.#forwarding!.handedOver();
    this.#tunnel = new UpgradedTunnel(this, attempt!, fields, transport, early, pool.plan.timeouts.tunnel);
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
    if (this.#forwarding === null || !this.#forwarding.failed(error)) this.refuse(error);
  }

  // === the client's side

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.x.error = error.code;
    this.x.status = error.status;
    this.#forwarding?.stop();
    this.#finish();
  }

  rehome(next: Successor): Pin | null {
    const { x, live, stream } = this;
    const route = this.#route;
    // Not routed: it is being refused, and over in a moment.
    if (route === null) return 'route_gone';
    const [asked, routedPath, forwarding, tunnel] = [this.#asked, this.#routedPath, this.#forwarding, this.#tunnel];
    const home = newHomeOf({ x, live, route, asked, routedPath, forwarding, tunnel, begun: stream.begun }, next);
    if (typeof home === 'string') return home;
    this.live = home.live;
    this.#route = home.route;
    return null;
  }

  leaving(): void {
    this.stream.closing = true;
  }

  cut(end: End): void {
    this.#tunnel?.cut(end);
    if (this.#over) return;
    this.#forwarding?.stop();
    this.stream.closing = true;
    this.refuse(end.error);
  }

  get held(): object {
    return this.stream;
  }

  view(): LeaseView {
    return viewOf(this.x, this.stream, this.#tunnel);
  }

  /** The pool has nobody for this exchange, and says what is answered in its place. */
  answerInstead(error: GatewayError, response: FixedResponse): void {
    this.x.error = error.code;
    this.x.endpoint = '';
    this.#answer(response);
  }

  /** The client gets an answer that says what is wrong, or its connection ends if one had begun. */
  refuse(error: GatewayError): void {
    this.x.error = error.code;
    if (this.stream.begun) {
      this.#finish();
      this.stream.abort();
    } else this.#answer(error.status === 503 ? unavailable(this.#forwarding?.pool ?? null) : problem(error.status));
  }

  #answer(response: FixedResponse, denied = false): void {
    const { stream, x } = this;
    const { explain } = this.live;
    const answer = explain === null ? response : explain.onAnswer(response, x, this.#facts(denied));
    x.status = response.status;
    stream.owner = null;
    // Leases and counters are settled first: `fixed` may begin the client's next request before it returns.
    this.#bytesOut = x.method === 'HEAD' ? 0 : response.body.length;
    this.#finish();
    stream.fixed(answer);
  }

  /** For explain-field.ts. */
  #facts(denied: boolean): Facts {
    return { route: this.#route, asked: this.#step, denied, pool: this.#forwarding?.pool.name ?? '' };
  }

  /** The exchange is over: hooks, counters, log, lease. What remains is for the stream to send. */
  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const { x, stream } = this;
    stream.owner = null;
    x.bytesOut = this.#bytesOut >= 0 ? this.#bytesOut : stream.bytesOut;
    this.#forwarding?.finished();
    const route = this.#route;
    if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
    recordExchange(x, this.live.shared, route?.metrics ?? this.live.unrouted);
    giveFields(x.fields);
    if (x.responseFields !== null) giveFields(x.responseFields);
    this.live.lease.release(this);
  }
}
