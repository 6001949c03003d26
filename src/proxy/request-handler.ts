/**
 * Runs one exchange: route, forward, respond, finish. Hot.
 *
 *     start ─ route ─ request hooks ─┬─ respond ─────────────────────────────▶ finish
 *                                    └─ forward ─ attempt ─ response hooks ──▶ finish
 *
 * There is one per exchange. It stands between the client's stream and the upstream's connection, forwards the parts of
 * the response, and is the only place that maps failures to responses.
 */
import { BODY_TOO_LARGE, GatewayError, INTERNAL, NO_ROUTE, POLICY_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import type { BodyFilter, FilterOwner } from '../http/body-filter.ts';
import { giveFields } from '../http/fields-pool.ts';
import {
  type Subrequest,
  type ResponseWriter,
  type Interceptor,
  INTERCEPTED,
  type Verdict,
  type FilterContext,
} from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, REFERENCE, UPGRADE } from '../http/known.ts';
import { type BodySource, ResponseHead } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import { CachedReply } from '../http/cached-reply.ts';
import { isEmptyBody } from '../http/status.ts';
import { viaOnResponses } from '../http/via.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import { recordExchange } from './access-records.ts';
import { hostFor } from './attempt.ts';
import { bodyRefused, bufferedBody, type BufferedBody } from './buffered-body.ts';
import { InterceptedExchange } from './intercepted-exchange.ts';
import { abortAll, FilterChain, FilteredBody, filtersOf } from './filter-chain.ts';
import { ResponseEnd, WholeReply } from './whole-reply.ts';
import { PendingHook } from './pending-hook.ts';
import { preRouteChecks } from './pre-route-checks.ts';
import type { Facts } from './explain-field.ts';
import { viewOf } from './lease-views.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';
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
import { forwardableFields } from './response-fields.ts';
import { UpgradedTunnel } from './upgrade.ts';

const NONE: Route['local'] = [];

export class RequestHandler
  implements ExchangeOwner, UpstreamRequestOwner, Leaseholder, FilterContext, FilterOwner, Subrequest
{
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
  /** The request hook that it waits for; null: none. */
  #pending: PendingHook | null = null;
  /** Of the signal, if a policy has asked for it. */
  #aborted: AbortController | null = null;
  /** Set when a policy has intercepted it. */
  #intercepted: InterceptedExchange | null = null;
  /**
   * It is the subrequest of a policy: it is neither counted nor logged, and passes only the policies behind that one.
   */
  #inner = false;
  /** How many of the route's response hooks are for it: the others are in front of the policy whose subrequest it is. */
  #responseHooks = 0;
  /** The body of the exchange that a subrequest belongs to; null: it has no body, or it is the client's own exchange. */
  #clientBody: RequestBody | null = null;
  /** The request body behind its filters; null: there are none. */
  #requestFilters: FilteredBody | null = null;
  /** The filters of the response body; null: there are none. */
  #responseFilters: FilterChain | null = null;

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
    this.#responseHooks = route.response.length;
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
        this.#await(verdict);
        return;
      }
      this.answer(verdict, true);
      return;
    }
    const { respond } = this.#route!;
    if (respond !== null) this.answer(respond(this.x));
    else this.#forward();
  }

  #await(verdict: Promise<Verdict>): void {
    const { deadlines, clock } = this.context.shared;
    const { timeout } = this.#route!.steps[this.#step - 1]!;
    const pending = new PendingHook(deadlines, clock.now(), timeout, () => this.fail(POLICY_TIMEOUT));
    this.#pending = pending;
    verdict.then(
      (late) => this.#resume(late),
      () => this.fail(INTERNAL),
    );
  }

  /** What a hook decides after the end of the exchange has no effect. */
  #resume(verdict: Verdict): void {
    this.#pending?.over();
    this.#pending = null;
    if (this.#over || verdict === INTERCEPTED) return;
    if (verdict === undefined) this.#advance();
    else this.answer(verdict, true);
  }

  // === for policies (FilterContext, Subrequest)

  bufferBody(limit: number): LocalReply | undefined | Promise<LocalReply | undefined> {
    const { x, stream } = this;
    if (x.bodyLength > limit) return bodyRefused(x, BODY_TOO_LARGE);
    if (x.bodyLength === 0 || this.#buffered !== null) return undefined;
    const body = this.body;
    return new Promise((resolve) => {
      this.#buffered = bufferedBody(x, stream, body, this.context.shared.bufferMemory, limit, resolve);
    });
  }

  /** The source of the request body. */
  get body(): RequestBody {
    return this.#requestFilters ?? this.#buffered ?? this.#clientBody ?? this.stream;
  }

  get signal(): AbortSignal {
    this.#aborted ??= new AbortController();
    if (this.#over) this.#aborted.abort();
    return this.#aborted.signal;
  }

  get upgrade(): boolean {
    return this.stream.upgrade;
  }

  intercept(holder: Interceptor): ResponseWriter {
    return (this.#intercepted = new InterceptedExchange(this, holder, this.#route!.steps[this.#step - 1]!.answersFrom));
  }

  /** Sends another exchange through the rest of the pipeline, from the current hook on. */
  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    const inner = new RequestHandler(x, stream, this.context);
    inner.#inner = true;
    inner.#route = this.#route;
    inner.#step = this.#step;
    inner.#responseHooks = this.#route!.steps[this.#step - 1]!.subrequestsTo;
    if (x.bodyLength !== 0) inner.#clientBody = this.body;
    x.route = this.x.route;
    inner.#advance();
    return inner;
  }

  /** Adds the cookie for this client only. */
  addStickyCookie(fields: Fields): void {
    const upstream = this.#upstream;
    if (upstream?.attempt != null) upstream.pool.addStickyCookie(this.x, upstream.attempt.endpoint, fields);
  }

  #explain(fields: Fields): void {
    if (!this.#inner) this.context.explain?.onResponse(fields, this.x, this.#facts(false));
  }

  #forward(): void {
    const { x, stream } = this;
    const { forward, pool, split, mirror, overrides } = this.#route!;
    if (stream.upgrade) this.#asked = copyOf(x);
    this.#routedPath = x.routedPath;
    if (forward.length > 0 && !this.#runForwardHooks(forward)) return;
    const offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
    const first = split === null ? pool! : split.pick(x);
    this.#upstream = new UpstreamRequest(this, this.body, offered, first, mirror, overrides);
    this.#upstream.start();
  }

  /** Returns false if a hook ends the exchange. */
  #runForwardHooks(hooks: Route['forward']): boolean {
    const { x } = this;
    const filters = filtersOf(hooks, x, 0, hooks.length);
    if (filters instanceof GatewayError) {
      this.refuse(filters);
      return false;
    }
    // An upgrade request's connection belongs to the tunnel.
    if (filters === null) return true;
    if (x.bodyLength === 0 || this.stream.upgrade) abortAll(filters);
    else this.#requestFilters = new FilteredBody(this.body, filters, this, x.bodyLength);
    return true;
  }

  // === the upstream's response (UpstreamRequestOwner)

  get begun(): boolean {
    return this.stream.begun;
  }

  informational(status: number, reason: string, fields: Fields): void {
    stripHopByHop(fields, status);
    this.stream.informational(status, reason, fields);
  }

  responseHead(head: ResponseHead, source: BodySource): void {
    const { x } = this;
    const { status, fields } = head;
    const upstream = this.#upstream!;
    const { endpoint } = upstream.attempt!;
    forwardableFields(fields, status, this.context.shared.date, viaOnResponses(x.identity));
    if (fields.has(REFERENCE) && this.#route!.mapBack) {
      mapBack(fields, x, hostFor(upstream.pool, endpoint) ?? x.authority, endpoint.address.text);
    }
    if (!this.#inner) upstream.pool.addStickyCookie(x, endpoint, fields);
    this.respond(head, source, 0);
  }

  /** Runs the response hooks from that index on, and sends the head. The body follows. */
  respond(head: ResponseHead, source: BodySource, from: number): void {
    const { x, stream } = this;
    x.response = head;
    x.status = head.status;
    if (from < this.#responseHooks) {
      const filters = this.#runResponseHooks(this.#route!.response, from, this.#responseHooks);
      if (this.#over) return;
      x.status = head.status;
      if (filters !== null) {
        this.#explain(head.fields);
        this.#filterResponse(filters, head, source);
        return;
      }
    }
    this.#explain(head.fields);
    stream.head(head, source);
  }

  /** Returns the filters of the body, the first first; null if there are none, or if a hook has ended the exchange. */
  #runResponseHooks(hooks: Route['response'], from: number, to: number): BodyFilter[] | null {
    const { x } = this;
    const filters = filtersOf(hooks, x, from, to);
    if (filters instanceof GatewayError) {
      this.#failedHooks(filters);
      return null;
    }
    const head = x.response!;
    if (!isEmptyBody(x.method, head.status)) return filters;
    // A hook that would change the body may have said so.
    head.length = 0;
    abortAll(filters);
    return null;
  }

  /** Sends the head of a response whose body passes filters. */
  #filterResponse(filters: readonly BodyFilter[], head: ResponseHead, source: BodySource): void {
    // The length is a field, too: a filter's policy has to say it once only. The codec writes it where it is missing.
    head.fields.removeKnown(CONTENT_LENGTH);
    const chain = new FilterChain(filters, source, this, head.length);
    chain.leadTo(new ResponseEnd(this));
    this.#responseFilters = chain;
    this.stream.head(head, chain);
  }

  /** A body filter can't go on (FilterOwner). */
  filterFailed(error: GatewayError): void {
    if (this.#over) return;
    this.#stopWork(error);
    this.refuse(error);
  }

  /** Nothing more comes from the upstream or from the policy that has intercepted it. */
  #stopWork(error: GatewayError): void {
    this.#upstream?.stop();
    this.#intercepted?.holder.clientGone(error);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    const filters = this.#responseFilters;
    return filters === null ? this.stream.data(bytes, start, end) : filters.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    if (this.#responseFilters !== null) {
      // The connection is free for the next exchange, while filters may still be at work.
      this.#upstream!.finished();
      this.#upstream!.attempt = null;
    }
    this.endResponse(trailers);
  }

  /** The whole body has arrived. */
  endResponse(trailers: Fields | null): void {
    const filters = this.#responseFilters;
    if (filters !== null) {
      filters.end(trailers);
      return;
    }
    this.settle();
    this.stream.end(trailers);
  }

  flush(): void {
    if (this.#responseFilters !== null) this.#responseFilters.flush();
    else this.stream.flush();
  }

  switched(head: ResponseHead, stream: ByteStream): void {
    const { fields } = head;
    const { attempt, pool } = this.#upstream!;
    this.x.status = 101;
    this.x.response = head;
    pool.addStickyCookie(this.x, attempt!.endpoint, fields);
    this.#explain(fields);
    this.#over = true;
    this.stream.owner = null;
    this.#upstream!.handedOver();
    const { tunnel: idle } = this.#upstream!.terms;
    this.#tunnel = new UpgradedTunnel(this, attempt!, head.reason, fields, stream, idle);
  }

  /** Its tunnel has closed. */
  tunnelClosed(bytesIn: number, bytesOut: number, code: string): void {
    this.x.bytesIn = bytesIn;
    this.#bytesOut = bytesOut;
    this.x.error = code;
    this.#over = false;
    this.settle();
  }

  /** There is no response, or no more of it. */
  fail(error: GatewayError): void {
    if (this.#over) return;
    // Each filter may pass on what it has.
    this.#responseFilters?.fail(error);
    if (!this.#over) this.refuse(error);
  }

  /** It is over: nothing can be sent any more. */
  get over(): boolean {
    return this.#over;
  }

  // === the downstream side

  clientGone(error: GatewayError): void {
    if (this.#over) return;
    this.x.error = error.code;
    this.x.status = error.status;
    this.#stopWork(error);
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
    // The policy that has intercepted it has the same hooks, perhaps at another place.
    if (this.#step > 0) this.#step = home.route.request.indexOf(route.request[this.#step - 1]!) + 1 || this.#step;
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
    this.#stopWork(end.error);
    this.stream.closing = true;
    this.refuse(end.error);
  }

  get held(): object | null {
    return this.stream.carrier;
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
    if (response instanceof CachedReply) this.#reply(response);
    // The policy whose subrequest it is passes the reply on, to all hooks.
    else this.#answer(response, this.#inner ? NONE : (this.#route ?? this.context).local, denied);
  }

  #answer(response: LocalReply, hooks: Route['local'], denied: boolean): void {
    const { x } = this;
    const { explain } = this.context;
    x.status = response.status;
    if (hooks.length > 0) {
      const length = isEmptyBody(x.method, response.status) ? 0 : response.body.length;
      const head = new ResponseHead(response.status, response.reason, Fields.ofLines(response.lines), length);
      const filters = this.#filterWhole(head, hooks, 0, hooks.length, denied);
      if (this.#over) return;
      if (filters !== null) {
        forwardableFields(head.fields, head.status, this.context.shared.date, false);
        this.#sendFiltered(head, filters, response.content);
        return;
      }
      this.#sendLocal(response.under(head.status, head.reason, head.fields.lines()));
    } else if (explain === null || this.#inner) this.#sendLocal(response);
    else this.#sendLocal(explain.onAnswer(response, x, this.#facts(denied)));
  }

  #sendLocal(response: LocalReply): void {
    const { x, stream } = this;
    stream.owner = null;
    // Leases and counters are settled first: `localReply` may begin the client's next request before it returns.
    this.#bytesOut = x.method === 'HEAD' ? 0 : response.body.length;
    this.settle();
    stream.localReply(response);
  }

  #reply(stored: CachedReply): void {
    const { x, stream } = this;
    x.status = stored.status;
    const to = this.#responseHooks;
    const from = this.#step === 0 ? to : this.#route!.steps[this.#step - 1]!.answersFrom;
    let reply = stored;
    if (from < to || (this.context.explain !== null && !this.#inner)) {
      const head = new ResponseHead(stored.status, stored.reason, Fields.ofLines(stored.lines), stored.length);
      const filters = this.#filterWhole(head, this.#route!.response, from, to, false);
      if (this.#over) return;
      if (filters !== null) {
        this.#sendFiltered(head, filters, stored.content);
        return;
      }
      reply = stored.under(head.status, head.reason, head.fields.lines());
    }
    this.#bytesOut = x.method === 'HEAD' ? 0 : reply.length;
    this.settle();
    stream.cachedReply(reply);
  }

  /** Runs hooks on the head of a complete response. Returns the filters for its body; null: there are none. */
  #filterWhole(
    head: ResponseHead,
    hooks: Route['response'],
    from: number,
    to: number,
    denied: boolean,
  ): BodyFilter[] | null {
    const { x } = this;
    x.response = head;
    const filters = this.#runResponseHooks(hooks, from, to);
    if (this.#over) return null;
    x.status = head.status;
    if (!this.#inner) this.context.explain?.onResponse(head.fields, x, this.#facts(denied));
    return filters;
  }

  /** Sends a complete response through body filters. */
  #sendFiltered(head: ResponseHead, filters: readonly BodyFilter[], body: Buffer): void {
    const source = new WholeReply(this, body);
    this.#filterResponse(filters, head, source);
    source.send();
  }

  /** A response hook ends the exchange: its error passes no further hooks. */
  #failedHooks(error: GatewayError): void {
    this.#stopWork(error);
    this.x.error = error.code;
    this.#answer(problem(error.status), NONE, false);
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
    this.#pending?.over();
    this.#aborted?.abort();
    this.#requestFilters?.abort();
    this.#responseFilters?.abort();
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
