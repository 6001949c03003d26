/**
 * The way of one exchange through the gateway: this page calls the rooms, in their order. Hot.
 *
 *     accept ─ checks ─ route ─ limits ─ request hooks ─┬─ complete reply ────────────────────────┬─▶ settle
 *                                                       ├─ intercepted: a policy responds ────────┤
 *                                                       └─ forward ─ upstream ─┬─ hooks ─ send ───┤
 *                                                                              └─ tunnel ─────────┘
 *
 * There is one per exchange. It holds the state that the stages share, stands between the client's stream and the upstream
 * request, forwards the parts of the response, and decides whether an error becomes a response or breaks one.
 */
import { BODY_TOO_LARGE, type GatewayError, NO_ROUTE } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { BodyFilter } from '../http/body-filter.ts';
import { CachedReply } from '../http/cached-reply.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { INTERCEPTED } from '../http/interception.ts';
import type { Interceptor, ResponseWriter, Subrequest, Verdict } from '../http/interception.ts';
import { UPGRADE } from '../http/known.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { BodySource, ResponseHead } from '../http/message.ts';
import type { ExchangeOwner, ServerStream } from '../http/server-stream.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import { recordExchange } from './access-records.ts';
import { type RepliedExchange, sendCachedReply, sendLocalReply } from './complete-reply.ts';
import type { ExplainField, Facts } from './explain-field.ts';
import type { FailedHook, FilterChain } from './filter-chain.ts';
import { HookContext } from './hook-context.ts';
import { InterceptedExchange } from './intercepted-exchange.ts';
import { viewOf } from './lease-views.ts';
import type { HttpListenerContext, Leaseholder, LeaseView, MigrationBlocker, Route } from './listener-context.ts';
import type { Successor, Termination } from './listener-context.ts';
import { FailedHookReply, hooksFor, problem } from './local-replies.ts';
import { copyOf, migrationTargetOf, stepUnder } from './migration.ts';
import { PendingHook } from './pending-hook.ts';
import { preRouteChecks } from './pre-route-checks.ts';
import { fieldsForClient } from './response-fields.ts';
import { runResponseHooks, sendFilteredHead } from './response-hooks.ts';
import { limitClient } from './route-overrides.ts';
import { UpgradedTunnel } from './upgrade.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';

const NONE: Route['local'] = [];

export class RequestHandler
  extends HookContext
  implements ExchangeOwner, UpstreamRequestOwner, Leaseholder, RepliedExchange, Subrequest
{
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  /** null: it has no route yet, and perhaps never will. */
  route: Route | null = null;
  /** How many of the route's request hooks have run. */
  #step = 0;
  /** How many of the route's response hooks are for it: the others are in front of the policy whose subrequest it is. */
  #responseHooks = 0;
  /** The subrequest of a policy is neither counted nor logged, and passes only the policies behind that one. */
  #inner = false;
  /** The request hook that it waits for; null: none. */
  #pending: PendingHook | null = null;
  /** Set when a policy has intercepted it. */
  intercepted: InterceptedExchange | null = null;
  /** The request as received, for an upgrade request: hooks edit the exchange itself. */
  asked: Exchange | null = null;
  /** The path by which it was routed, before `forward` hooks. */
  routedPath = '';
  upstream: UpstreamRequest | null = null;
  responseFilters: FilterChain | null = null;
  tunnel: UpgradedTunnel | null = null;

  /** Accept: http-listener.ts makes one for each request. Until `settle` it runs on the lease's generation, or migrates. */
  constructor(x: Exchange, stream: ServerStream, context: HttpListenerContext) {
    super(x, stream, context);
    stream.owner = this;
    context.lease.lease(this);
    x.generation = context.lease.generation;
  }

  // === the way of the request; each stage runs until the exchange is over or has to wait

  start(): void {
    const { x, stream, context } = this;
    // Checks: identity of the client, access list, overload, Max-Forwards (pre-route-checks.ts).
    const refusal = preRouteChecks(context, x, stream);
    if (refusal !== null) {
      this.answer(refusal);
      return;
    }
    // Route: by host, path and conditions (router.ts).
    const route = context.router.match(x);
    if (route === undefined) {
      this.refuse(NO_ROUTE);
      return;
    }
    this.route = route;
    this.#responseHooks = route.response.length;
    x.route = route.name;
    // Limits: the listener's, or those that the route has in their place (route-overrides.ts).
    if (limitClient(x, stream, context.plan.limits, route.overrides)) this.#runRequestHooks();
    else this.refuse(BODY_TOO_LARGE);
  }

  /** Request hooks, one after the other (policies/); waits only for a hook that returns a promise (pending-hook.ts). */
  #runRequestHooks(): void {
    const { request: hooks, steps, respond } = this.route!;
    while (this.#step < hooks.length) {
      const verdict = hooks[this.#step++]!(this.x, this);
      if (verdict === undefined) continue;
      // The policy has it now, and answers later or sends a subrequest (intercepted-exchange.ts): so does the cache.
      if (verdict === INTERCEPTED) return;
      if (verdict instanceof Promise) {
        this.#pending = new PendingHook(this, verdict, steps[this.#step - 1]!.timeout, this.context.shared);
        return;
      }
      this.answer(verdict, true);
      return;
    }
    // Action: a fixed response or a redirect (actions.ts), or a pool.
    if (respond !== null) this.answer(respond(this.x));
    else this.#forward();
  }

  /** The hook that it waited for has decided; without effect after the end of the exchange. */
  resume(verdict: Verdict): void {
    this.#pending?.over();
    this.#pending = null;
    if (this.over || verdict === INTERCEPTED) return;
    if (verdict === undefined) this.#runRequestHooks();
    else this.answer(verdict, true);
  }

  #forward(): void {
    const { x, stream } = this;
    const { forward, pool, split, mirror, overrides } = this.route!;
    if (stream.upgrade) this.asked = copyOf(x);
    this.routedPath = x.routedPath;
    // Forward hooks: they edit the request, and may filter its body (hook-context.ts, filter-chain.ts).
    const error = forward.length === 0 ? null : this.runForwardHooks(forward);
    if (error !== null) {
      this.refuse(error);
      return;
    }
    const offered = stream.upgrade ? (x.fields.known(UPGRADE) ?? '') : '';
    // Pool: the route's, or one of several by weight (split.ts).
    const first = split === null ? pool! : split.pick(x);
    // Upstream: endpoints, attempts, retries, mirror (upstream-request.ts). It calls the methods of UpstreamRequestOwner.
    this.upstream = new UpstreamRequest(this, this.body, offered, first, mirror, overrides);
    this.upstream.start();
  }

  // === the way of a response from the upstream (UpstreamRequestOwner)

  get begun(): boolean {
    return this.stream.begun;
  }

  informational(status: number, reason: string, fields: Fields): void {
    stripHopByHop(fields, status);
    this.stream.informational(status, reason, fields);
  }

  responseHead(head: ResponseHead, source: BodySource): void {
    const { x } = this;
    const upstream = this.upstream!;
    // Fields: hop-by-hop fields out, Date and Via in, names mapped back to the client's (response-fields.ts, map-back.ts).
    fieldsForClient(head, x, upstream.pool, upstream.attempt!.endpoint, this.route!.mapBack, this.context.shared.date);
    // Affinity: the cookie of the pool's strategy, for the client itself (upstream/pool.ts).
    if (!this.#inner) upstream.addStickyCookie(head.fields);
    this.respond(head, source, 0);
  }

  /** Sends a response, the response hooks from that index on first. The body follows. */
  respond(head: ResponseHead, source: BodySource, from: number): void {
    const { x } = this;
    x.response = head;
    x.status = head.status;
    let filters: BodyFilter[] | null | undefined = null;
    // Response hooks: they edit the response, and may filter its body (response-hooks.ts).
    if (from < this.#responseHooks) {
      filters = runResponseHooks(this, this.route!.response, from, this.#responseHooks);
      if (filters === undefined) return;
      x.status = head.status;
    }
    this.explain?.onResponse(head.fields, x, this.facts(false));
    // Send: the codec writes the head, with the part of the body that has arrived (http/server-stream.ts).
    if (filters === null) this.stream.head(head, source);
    else sendFilteredHead(this, filters, head, source);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    const filters = this.responseFilters;
    return filters === null ? this.stream.data(bytes, start, end) : filters.data(bytes, start, end);
  }

  flush(): void {
    if (this.responseFilters !== null) this.responseFilters.flush();
    else this.stream.flush();
  }

  end(trailers: Fields | null): void {
    if (this.responseFilters !== null) {
      // The connection is free for the next exchange, while filters may still be at work.
      this.upstream!.finished();
      this.upstream!.attempt = null;
    }
    this.endResponse(trailers);
  }

  /** The whole body has arrived. */
  endResponse(trailers: Fields | null): void {
    if (this.responseFilters !== null) {
      this.responseFilters.end(trailers);
      return;
    }
    this.settle();
    this.stream.end(trailers);
  }

  /** A 101: the exchange becomes a tunnel, with the same lease (upgrade.ts). */
  switched(head: ResponseHead, stream: ByteStream): void {
    const { x } = this;
    const upstream = this.upstream!;
    x.status = 101;
    x.response = head;
    upstream.addStickyCookie(head.fields);
    this.explain?.onResponse(head.fields, x, this.facts(false));
    this.over = true;
    this.releaseHooks();
    this.stream.owner = null;
    this.tunnel = new UpgradedTunnel(this, upstream.handOver(), head, stream, upstream.terms.tunnel);
  }

  /** Its tunnel has closed. */
  tunnelClosed(bytesOut: number): void {
    this.over = false;
    this.settle(bytesOut);
  }

  // === the way of a complete reply (complete-reply.ts)

  /** Sends a response that comes from no upstream. `denied`: a policy denies the request. */
  answer(response: LocalReply | CachedReply, denied = false): void {
    if (response instanceof CachedReply) {
      // Only a request hook has a cached reply: it passes the hooks of the policies in front.
      const { response: hooks, steps } = this.route!;
      sendCachedReply(this, response, hooks, steps[this.#step - 1]!.answersFrom, this.#responseHooks);
      // The policy whose subrequest it is passes a local reply on, to all hooks.
    } else sendLocalReply(this, response, this.#inner ? NONE : hooksFor(response, this.route ?? this.context), denied);
  }

  /** The pool has no endpoint for this exchange, and has a fallback response. */
  answerInstead(error: GatewayError, response: LocalReply): void {
    this.x.failed(error);
    this.x.endpoint = '';
    this.answer(response);
  }

  // === the way of an error, and the end

  /** Sends an error response; aborts the connection if a response has begun already. */
  refuse(error: GatewayError): void {
    this.x.failed(error);
    if (this.stream.begun) {
      this.settle();
      this.stream.abort();
    } else this.answer(problem(error.status));
  }

  /** There is no response, or no more of it. */
  fail(error: GatewayError): void {
    if (this.over) return;
    // Each filter may pass on what it has.
    this.responseFilters?.fail(error);
    if (!this.over) this.refuse(error);
  }

  /** A response hook ends the exchange: its error passes the hooks of the policies in front, which have not run yet. */
  hookFailed(failed: FailedHook): void {
    this.x.failed(failed.error);
    this.stopWork(failed.error);
    this.answer(FailedHookReply.of(failed));
  }

  /** A body filter can't go on (FilterOwner). */
  filterFailed(error: GatewayError): void {
    if (this.over) return;
    this.stopWork(error);
    this.refuse(error);
  }

  /** The client has left (ExchangeOwner). */
  clientGone(error: GatewayError): void {
    if (this.over) return;
    this.x.failed(error);
    this.x.status = error.status;
    this.stopWork(error);
    this.settle();
  }

  /** Nothing more comes from the upstream or from the policy that has intercepted it. */
  stopWork(error: GatewayError): void {
    this.upstream?.stop();
    this.intercepted?.holder.clientGone(error);
  }

  /**
   * Settle: runs the `done` hooks, counts and logs (access-records.ts), releases the lease. The stream sends what remains.
   * `bytesOut`: content bytes of the response.
   */
  settle(bytesOut = this.stream.bytesOut): void {
    if (this.over) return;
    this.over = true;
    const { x, route } = this;
    this.stream.owner = null;
    this.#pending?.over();
    this.releaseHooks();
    this.responseFilters?.abort();
    x.bytesOut = bytesOut;
    this.upstream?.finished();
    if (!this.#inner) {
      if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
      recordExchange(x, this.context.shared, route?.metrics ?? this.context.unrouted);
    }
    // A hook that has not decided may still edit them, so no other exchange gets them.
    if (this.#pending === null) giveFields(x.fields);
    if (x.response !== null) giveFields(x.response.fields);
    this.context.lease.release(this);
  }

  // === for policies (FilterContext, Subrequest)

  intercept(holder: Interceptor): ResponseWriter {
    return (this.intercepted = new InterceptedExchange(this, holder, this.route!.steps[this.#step - 1]!.answersFrom));
  }

  /** Sends another exchange through the rest of the way, from the current hook on. */
  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    const inner = new RequestHandler(x, stream, this.context);
    inner.#inner = true;
    inner.route = this.route;
    inner.#step = this.#step;
    inner.#responseHooks = this.route!.steps[this.#step - 1]!.subrequestsTo;
    if (x.bodyLength !== 0) inner.received = this.body;
    x.route = this.x.route;
    inner.#runRequestHooks();
    return inner;
  }

  /** Adds the cookie for this client only. */
  addStickyCookie(fields: Fields): void {
    this.upstream?.addStickyCookie(fields);
  }

  /** null: its client gets no explain field (explain-field.ts). */
  get explain(): ExplainField | null {
    return this.#inner ? null : this.context.explain;
  }

  facts(denied: boolean): Facts {
    return { route: this.route, asked: this.#step, denied, pool: this.upstream?.pool.name ?? '' };
  }

  // === on a lease (Leaseholder)

  migrate(next: Successor): MigrationBlocker | null {
    const target = migrationTargetOf(this, next);
    if (typeof target === 'string') return target;
    this.#step = stepUnder(this.#step, this.route!, target.route);
    this.context = target.context;
    this.route = target.route;
    return null;
  }

  leaving(): void {
    this.stream.closing = true;
  }

  abort(end: Termination): void {
    this.tunnel?.abort(end);
    if (this.over) return;
    this.stopWork(end.error);
    this.stream.closing = true;
    this.refuse(end.error);
  }

  get held(): object | null {
    return this.stream.carrier;
  }

  view(): LeaseView {
    return viewOf(this.x, this.context.plan.name, this.stream, this.tunnel, this.#inner);
  }
}
