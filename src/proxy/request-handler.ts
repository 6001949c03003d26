/**
 * Runs one exchange: route, forward, respond, finish. Hot.
 *
 *     start ─ route ─ request hooks ─┬─ respond ─────────────────────────────▶ finish
 *                                    └─ forward ─ attempt ─ response hooks ──▶ finish
 *
 * There is one per exchange. It stands between the client's stream and the upstream's connection, forwards the parts of
 * the response, and is the only place that maps failures to responses.
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
import type { ResponseHead, ResponseSink } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import { CachedReply } from '../http/cached-reply.ts';
import { viaOnResponses } from '../http/via.ts';
import type { Transport } from '../net/transport.ts';
import { recordExchange } from './access-records.ts';
import { bodyRefused, bufferedBody, type BufferedBody } from './buffered-body.ts';
import { filteredReply, InterceptedExchange } from './intercepted-exchange.ts';
import { preRouteChecks } from './pre-route-checks.ts';
import type { Facts } from './explain-field.ts';
import { viewOf } from './lease-views.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type {
  Termination,
  HttpListenerContext,
  Leaseholder,
  LeaseView,
  MigrationBlocker,
  Route,
  Successor,
} from './listener-context.ts';
import { problem } from './local-replies.ts';
import type { RequestBody } from './replay-body.ts';
import { copyOf, migrationTargetOf } from './migration.ts';
import { mapBack } from './map-back.ts';
import { hostFor } from './request-text.ts';
import { forwardableFields } from './response-fields.ts';
import { UpgradedTunnel } from './upgrade.ts';

export class RequestHandler implements ExchangeOwner, ResponseSink, Leaseholder, HandlerContext, Subrequest {
  readonly x: Exchange;
  readonly stream: ServerStream;
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  /** Of the generation that it runs on; a migration replaces it. */
  context: HttpListenerContext;
  #route: Route | null = null;
  #step = 0;
  #upstream: UpstreamRequest | null = null;
  #over = false;
  /** Content bytes of a local or cached reply; -1: the stream counts them. */
  #bytesOut = -1;
  #tunnel: UpgradedTunnel | null = null;
  /** The request as received, for an upgrade request: hooks edit the exchange itself. */
  #asked: Exchange | null = null;
  #routedPath = '';
  /** The request body, if a policy has read it. */
  #buffered: BufferedBody | null = null;
  /** Set when a policy has intercepted it. */
  #intercepted: InterceptedExchange | null = null;
  /**
   * It is the subrequest of a policy: it is neither counted nor logged, and passes only the policies behind that one.
   */
  #inner = false;

  constructor(x: Exchange, stream: ServerStream, context: HttpListenerContext) {
    this.x = x;
    this.stream = stream;
    this.context = context;
    stream.owner = this;
    context.lease.lease(this);
    x.generation = context.lease.generation;
  }

  /** Runs until it is over or has to wait. */
  start(): void {
    const { x, context } = this;
    const refusal = preRouteChecks(context, x, this.stream);
    if (refusal !== null) {
      if (refusal instanceof GatewayError) this.refuse(refusal);
      else this.answer(refusal);
      return;
    }
    const route = context.router.match(x);
    if (route === undefined) {
      this.refuse(NO_ROUTE);
      return;
    }
    this.#route = route;
    x.route = route.name;
    const client = route.overrides === null ? null : route.overrides.client;
    if (client !== null) this.stream.override(client);
    const most = client?.bodySize ?? context.plan.limits.bodySize;
    if (most > 0 && x.bodyLength > most) this.refuse(BODY_TOO_LARGE);
    else this.#advance();
  }

  /** Runs the request hooks; leaves the synchronous path only for a hook that returns a promise. */
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

  // === for policies (HandlerContext, Subrequest)

  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined> {
    const { x, stream } = this;
    if (x.bodyLength > limit) return bodyRefused(x, BODY_TOO_LARGE);
    if (x.bodyLength === 0 || this.#buffered !== null) return undefined;
    return new Promise((resolve) => {
      this.#buffered = bufferedBody(x, stream, this.context.shared.bufferMemory, limit, resolve);
    });
  }

  /** The source of the request body. */
  get body(): RequestBody {
    return this.#buffered ?? this.stream;
  }

  get upgrade(): boolean {
    return this.stream.upgrade;
  }

  intercept(holder: Interceptor): ResponseWriter {
    return (this.#intercepted = new InterceptedExchange(this, holder));
  }

  /** Sends another exchange through the rest of the pipeline, from the current hook on. */
  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    const inner = new RequestHandler(x, stream, this.context);
    inner.#inner = true;
    inner.#route = this.#route;
    inner.#step = this.#step;
    x.route = this.x.route;
    inner.#advance();
    return inner;
  }

  /** Adds the cookie for this client only. */
  addStickyCookie(fields: Fields): void {
    const upstream = this.#upstream;
    if (upstream?.attempt != null) upstream.pool.addStickyCookie(this.x, upstream.attempt.endpoint, fields);
  }

  /**
   * Runs the response hooks of the policies in front of the one that intercepted; adds the explain field if it applies.
   */
  runResponseFilters(fields: Fields): void {
    const hooks = this.#route!.outer;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(this.x);
    this.#explain(fields);
  }

  #explain(fields: Fields): void {
    if (!this.#inner) this.context.explain?.onResponse(fields, this.x, this.#facts(false));
  }

  #forward(): void {
    const { forward, pool, split, mirror, overrides } = this.#route!;
    if (this.stream.upgrade) this.#asked = copyOf(this.x);
    this.#routedPath = this.x.routedPath;
    for (let i = 0; i < forward.length; i++) forward[i]!(this.x);
    this.#upstream = new UpstreamRequest(this, split === null ? pool! : split.pick(this.x), mirror, overrides);
    this.#upstream.start();
  }

  // === the upstream's response (ResponseSink)

  informational(status: number, reason: string, fields: Fields): void {
    stripHopByHop(fields, status);
    this.stream.informational(status, reason, fields);
  }

  head(head: ResponseHead): void {
    const { x } = this;
    const { status, fields } = head;
    const upstream = this.#upstream!;
    const attempt = upstream.attempt!;
    const now = this.context.shared.clock.now();
    attempt.answered(status, now);
    if (upstream.asksElsewhere(status)) {
      giveFields(fields);
      return;
    }
    x.upstreamAt = now;
    x.status = status;
    x.response = head;
    forwardableFields(fields, status, this.context.shared.date, viaOnResponses(x.identity));
    if (fields.has(REFERENCE) && this.#route!.mapBack) {
      const { endpoint } = attempt;
      mapBack(fields, x, hostFor(upstream.pool, endpoint) ?? x.authority, endpoint.address.text);
    }
    if (!this.#inner) upstream.pool.addStickyCookie(x, attempt.endpoint, fields);
    const hooks = this.#inner ? this.#route!.inner : this.#route!.response;
    for (let i = 0; i < hooks.length; i++) hooks[i]!(x);
    this.#explain(fields);
    this.stream.head(head, attempt.connection!);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.x.tap !== null) this.x.tap.data(bytes, start, end);
    return this.stream.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.#upstream!.attempt!.completed();
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

  switched(head: ResponseHead, transport: Transport, early: Buffer): void {
    const { fields } = head;
    const { attempt, pool } = this.#upstream!;
    this.x.status = 101;
    this.x.response = head;
    attempt!.answered(101, this.context.shared.clock.now());
    pool.addStickyCookie(this.x, attempt!.endpoint, fields);
    this.#explain(fields);
    this.#over = true;
    this.stream.owner = null;
    this.#upstream!.handedOver();
    this.#tunnel = new UpgradedTunnel(
      this,
      attempt!,
      head.reason,
      fields,
      transport,
      early,
      this.#upstream!.terms.tunnel,
    );
  }

  /** Its tunnel has closed. */
  tunnelClosed(bytesIn: number, bytesOut: number, code: string): void {
    this.x.bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.x.error = code;
    this.#over = false;
    this.settle();
  }

  /** The attempt in progress failed. */
  fail(error: GatewayError): void {
    if (this.#over) return;
    if (this.#upstream === null || !this.#upstream.failed(error)) this.refuse(error);
  }

  // === the downstream side

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.x.error = error.code;
    this.x.status = error.status;
    this.#upstream?.stop();
    this.#intercepted?.holder.clientGone(error);
    this.settle();
  }

  migrate(next: Successor): MigrationBlocker | null {
    const { x, context, stream } = this;
    const route = this.#route;
    // It has no route: it is being refused, and over in a moment.
    if (route === null) return 'route_gone';
    const [asked, routedPath, upstream, tunnel] = [this.#asked, this.#routedPath, this.#upstream, this.#tunnel];
    const home = migrationTargetOf(
      {
        x,
        live: context,
        route,
        asked,
        routedPath,
        upstream,
        tunnel,
        begun: stream.begun,
        intercepted: this.#intercepted !== null,
      },
      next,
    );
    if (typeof home === 'string') return home;
    this.context = home.live;
    this.#route = home.route;
    return null;
  }

  leaving(): void {
    this.stream.closing = true;
  }

  abort(end: Termination): void {
    this.#tunnel?.cut(end);
    if (this.#over) return;
    this.#upstream?.stop();
    this.#intercepted?.holder.clientGone(end.error);
    this.stream.closing = true;
    this.refuse(end.error);
  }

  get held(): object {
    return this.stream;
  }

  view(): LeaseView {
    return viewOf(this.x, this.context.plan.name, this.stream, this.#tunnel, this.#inner);
  }

  /** The pool has no endpoint for this exchange, and has a fallback response. */
  answerInstead(error: GatewayError, response: LocalReply): void {
    this.x.error = error.code;
    this.x.endpoint = '';
    this.answer(response);
  }

  /** Sends an error response; aborts the connection if a response has begun already. */
  refuse(error: GatewayError): void {
    this.x.error = error.code;
    if (this.stream.begun) {
      this.settle();
      this.stream.abort();
    } else this.answer(problem(error.status));
  }

  /** Sends a complete response that comes from no upstream. `denied`: a policy denies the request. */
  answer(response: LocalReply | CachedReply, denied = false): void {
    const { stream, x } = this;
    if (response instanceof CachedReply) {
      this.#reply(response);
      return;
    }
    const { explain } = this.context;
    const answer = explain === null || this.#inner ? response : explain.onAnswer(response, x, this.#facts(denied));
    x.status = response.status;
    stream.owner = null;
    // Leases and counters are settled first: `localReply` may begin the client's next request before it returns.
    this.#bytesOut = x.method === 'HEAD' ? 0 : response.body.length;
    this.settle();
    stream.localReply(answer);
  }

  #reply(stored: CachedReply): void {
    const { x, stream } = this;
    x.status = stored.status;
    const reply =
      this.#route!.outer.length === 0 && this.context.explain === null ? stored : filteredReply(stored, this);
    this.#bytesOut = x.method === 'HEAD' ? 0 : reply.length;
    this.settle();
    stream.cachedReply(reply);
  }

  /** The facts for explain-field.ts. */
  #facts(denied: boolean): Facts {
    return { route: this.#route, asked: this.#step, denied, pool: this.#upstream?.pool.name ?? '' };
  }

  /** The exchange is over: runs the hooks, counts, logs, releases the lease. The stream sends what remains. */
  settle(): void {
    if (this.#over) return;
    this.#over = true;
    const { x, stream } = this;
    stream.owner = null;
    if (x.tap !== null) x.tap.fail(CLIENT_GONE);
    x.bytesOut = this.#bytesOut >= 0 ? this.#bytesOut : stream.bytesOut;
    this.#upstream?.finished();
    this.#buffered?.dispose();
    const route = this.#route;
    if (!this.#inner) {
      if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
      recordExchange(x, this.context.shared, route?.metrics ?? this.context.unrouted);
    }
    giveFields(x.fields);
    if (x.response !== null) giveFields(x.response.fields);
    this.context.lease.release(this);
  }
}
