/**
 * How far one exchange has come: routed, sent on, answered, over. Hot.
 *
 *     start ─ route ─ request hooks ─┬─ respond ─────────────────────────────▶ finish
 *                                    └─ forward ─ attempt ─ response hooks ──▶ finish
 *
 * One per exchange. It stands between the client's stream and the upstream's connection, passes the parts of the
 * response on, and is the only place that decides what a failure means for the client.
 */
import { BODY_TOO_LARGE, CLIENT_GONE, GatewayError, INTERNAL, NO_ROUTE } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import {
  type Subrequest,
  type ResponseWriter,
  type Interceptor,
  INTERCEPTED,
  type Verdict,
  type HandlerContext,
} from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { REFERENCE } from '../http/known.ts';
import type { Framing, ResponseSink } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import { CachedReply } from '../http/cached-reply.ts';
import { viaOnResponses } from '../http/via.ts';
import type { Transport } from '../net/transport.ts';
import { recordExchange } from './access-records.ts';
import { dressed, TakenCourse } from './course.ts';
import { refusalAt } from './entrance.ts';
import type { Facts } from './explain-field.ts';
import { viewOf } from './lease-views.ts';
import { Forwarding } from './forwarding.ts';
import type { End, HttpLive, Leaseholder, LeaseView, Pin, Route, Successor } from './live.ts';
import { problem } from './own-answers.ts';
import { copyOf, newHomeOf } from './rehoming.ts';
import { mapBack } from './map-back.ts';
import { hostFor } from './request-text.ts';
import { receive } from './response-fields.ts';
import { UpgradedTunnel } from './upgrade.ts';

export class Passage implements ExchangeOwner, ResponseSink, Leaseholder, HandlerContext, Subrequest {
  readonly x: Exchange;
  readonly stream: ServerStream;
  leasePlace = NOWHERE;
  pin: Pin | null = null;
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
  /** A policy has taken it over. */
  #course: TakenCourse | null = null;
  /** Its client is a policy of another one: it is neither counted nor logged, and meets only the policies behind that. */
  #inner = false;

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
    const refusal = refusalAt(live, x, this.stream);
    if (refusal !== null) {
      if (refusal instanceof GatewayError) this.refuse(refusal);
      else this.answer(refusal);
      return;
    }
    const route = live.router.match(x);
    if (route === undefined) {
      this.refuse(NO_ROUTE);
      return;
    }
    this.#route = route;
    x.route = route.name;
    const client = route.overrides === null ? null : route.overrides.client;
    if (client !== null) this.stream.override(client);
    const most = client?.bodySize ?? live.plan.limits.bodySize;
    if (most > 0 && x.bodyLength > most) this.refuse(BODY_TOO_LARGE);
    else this.#advance();
  }

  /** Walks the request hooks; leaves the synchronous path only for a hook that really waits. */
  #advance(): void {
    const hooks = this.#route!.request;
    while (this.#step < hooks.length) {
      const verdict = hooks[this.#step++]!(this.x, this);
      if (verdict === undefined) continue;
      if (verdict === INTERCEPTED) return;
      if (verdict instanceof Promise) {
        verdict.then(
          (late) => this.#resume(late),
          () => this.fail(INTERNAL),
        );
        return;
      }
      this.answer(verdict, true);
      return;
    }
    const { respond } = this.#route!;
    if (respond !== null) this.answer(respond(this.x));
    else this.#forward();
  }

  #resume(verdict: Verdict): void {
    if (this.#over || verdict === INTERCEPTED) return;
    if (verdict === undefined) this.#advance();
    else this.answer(verdict, true);
  }

  // === in the hands of a policy (Way, Subrequest)

  get upgrade(): boolean {
    return this.stream.upgrade;
  }

  intercept(holder: Interceptor): ResponseWriter {
    return (this.#course = new TakenCourse(this, holder));
  }

  /** Sends another exchange where this one would have gone from here. */
  branch(x: Exchange, stream: ServerStream): Subrequest {
    const inner = new Passage(x, stream, this.live);
    inner.#inner = true;
    inner.#route = this.#route;
    inner.#step = this.#step;
    x.route = this.x.route;
    inner.#advance();
    return inner;
  }

  /** For the one client that it is for. */
  addStickyCookie(fields: Fields): void {
    const forwarding = this.#forwarding;
    if (forwarding?.attempt != null) forwarding.pool.addStickyCookie(this.x, forwarding.attempt.endpoint, fields);
  }

  /** What the policies before the one that holds it make of a response; and, for clients that may know, its account. */
  dress(fields: Fields): void {
    const hooks = this.#route!.outer;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(this.x);
    this.#explain(fields);
  }

  #explain(fields: Fields): void {
    if (!this.#inner) this.live.explain?.onResponse(fields, this.x, this.#facts(false));
  }

  #forward(): void {
    const { forward, pool, split, mirror, overrides } = this.#route!;
    if (this.stream.upgrade) this.#asked = copyOf(this.x);
    this.#routedPath = this.x.routedPath;
    for (let i = 0; i < forward.length; i++) forward[i]!(this.x);
    this.#forwarding = new Forwarding(this, split === null ? pool! : split.pick(this.x), mirror, overrides);
    this.#forwarding.start();
  }

  // === what comes back (ResponseSink)

  informational(status: number, reason: string, fields: Fields): void {
    stripHopByHop(fields, status);
    this.stream.informational(status, reason, fields);
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
    receive(fields, status, this.live.shared.date, viaOnResponses(x.identity));
    if (fields.has(REFERENCE) && this.#route!.mapBack) {
      const { endpoint } = attempt;
      mapBack(fields, x, hostFor(forwarding.pool, endpoint) ?? x.authority, endpoint.address.text);
    }
    if (!this.#inner) forwarding.pool.addStickyCookie(x, attempt.endpoint, fields);
    const hooks = this.#inner ? this.#route!.inner : this.#route!.response;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(x);
    this.#explain(fields);
    this.stream.head(status, reason, fields, framing, attempt.connection!);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.x.tap !== null) this.x.tap.data(bytes, start, end);
    return this.stream.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#forwarding!.attempt!.completed();
    if (this.x.tap !== null) {
      this.x.tap.end(trailers);
      this.x.tap = null;
    }
    this.settle();
    this.stream.end(trailers);
  }

  flush(): void {
    this.stream.flush();
  }

  switched(reason: string, fields: Fields, transport: Transport, early: Buffer): void {
    const { attempt, pool } = this.#forwarding!;
    this.x.status = 101;
    this.x.responseFields = fields;
    attempt!.answered(101, this.live.shared.clock.now());
    pool.addStickyCookie(this.x, attempt!.endpoint, fields);
    this.#explain(fields);
    this.#over = true;
    this.stream.owner = null;
    this.#forwarding!.handedOver();
    this.#tunnel = new UpgradedTunnel(this, attempt!, reason, fields, transport, early, this.#forwarding!.terms.tunnel);
  }

  /** The tunnel that it became has closed. */
  tunnelClosed(bytesIn: number, bytesOut: number, code: string): void {
    this.x.bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.x.error = code;
    this.#over = false;
    this.settle();
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
    this.#course?.holder.clientGone(error);
    this.settle();
  }

  rehome(next: Successor): Pin | null {
    const { x, live, stream } = this;
    const route = this.#route;
    // Not routed: it is being refused, and over in a moment.
    if (route === null) return 'route_gone';
    const [asked, routedPath, forwarding, tunnel] = [this.#asked, this.#routedPath, this.#forwarding, this.#tunnel];
    const home = newHomeOf(
      { x, live, route, asked, routedPath, forwarding, tunnel, begun: stream.begun, taken: this.#course !== null },
      next,
    );
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
    this.#course?.holder.clientGone(end.error);
    this.stream.closing = true;
    this.refuse(end.error);
  }

  get held(): object {
    return this.stream;
  }

  view(): LeaseView {
    return viewOf(this.x, this.live.plan.name, this.stream, this.#tunnel, this.#inner);
  }

  /** The pool has nobody for this exchange, and says what is answered in its place. */
  answerInstead(error: GatewayError, response: LocalReply): void {
    this.x.error = error.code;
    this.x.endpoint = '';
    this.answer(response);
  }

  /** The client gets an answer that says what is wrong, or its connection ends if one had begun. */
  refuse(error: GatewayError): void {
    this.x.error = error.code;
    if (this.stream.begun) {
      this.settle();
      this.stream.abort();
    } else this.answer(problem(error.status));
  }

  /** A whole answer that no upstream gives. `denied`: a policy refuses the request. */
  answer(response: LocalReply | CachedReply, denied = false): void {
    const { stream, x } = this;
    if (response instanceof CachedReply) {
      this.#reply(response);
      return;
    }
    const { explain } = this.live;
    const answer = explain === null || this.#inner ? response : explain.onAnswer(response, x, this.#facts(denied));
    x.status = response.status;
    stream.owner = null;
    // Leases and counters are settled first: `fixed` may begin the client's next request before it returns.
    this.#bytesOut = x.method === 'HEAD' ? 0 : response.body.length;
    this.settle();
    stream.localReply(answer);
  }

  #reply(stored: CachedReply): void {
    const { x, stream } = this;
    x.status = stored.status;
    const reply = this.#route!.outer.length === 0 && this.live.explain === null ? stored : dressed(stored, this);
    this.#bytesOut = x.method === 'HEAD' ? 0 : reply.length;
    this.settle();
    stream.cachedReply(reply);
  }

  /** For explain-field.ts. */
  #facts(denied: boolean): Facts {
    return { route: this.#route, asked: this.#step, denied, pool: this.#forwarding?.pool.name ?? '' };
  }

  /** The exchange is over: hooks, counters, log, lease. What remains is for the stream to send. */
  settle(): void {
    if (this.#over) return;
    this.#over = true;
    const { x, stream } = this;
    stream.owner = null;
    if (x.tap !== null) x.tap.fail(CLIENT_GONE);
    x.bytesOut = this.#bytesOut >= 0 ? this.#bytesOut : stream.bytesOut;
    this.#forwarding?.finished();
    const route = this.#route;
    if (!this.#inner) {
      if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
      recordExchange(x, this.live.shared, route?.metrics ?? this.live.unrouted);
    }
    giveFields(x.fields);
    if (x.responseFields !== null) giveFields(x.responseFields);
    this.live.lease.release(this);
  }
}
