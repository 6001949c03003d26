/**
 * The way of one exchange through the gateway: this page calls the rooms, in their order. Hot.
 *
 *     accept ─ protocol ─ lease ─ checks ─ route ─ limits ─ request hooks ─┐
 *         ┌────────────────────────────────────────────────────────────────┘
 *         ├─ complete reply ────────────────────────┬─▶ settle
 *         ├─ intercepted: a policy responds ────────┤
 *         └─ forward ─ upstream ─┬─ hooks ─ send ───┤
 *                                └─ tunnel ─────────┘
 *
 * There is one per exchange. It holds the state that the stages share, stands between the client's stream and the upstream
 * request, forwards the parts of the response, and decides whether an error becomes a response or breaks one. Three
 * contracts, each declared by its user:
 * - ExchangeOwner: the codec tells it that the client has left (http/server-stream.ts);
 * - UpstreamRequestOwner: the upstream request gives it the response that counts (upstream-request-owner.ts);
 * - RespondingExchange: complete replies, response hooks and interceptors respond through it (responding-exchange.ts).
 *
 * Its Lease sees it by leased-exchange.ts, hooks by hook-context.ts. The subrequest of a policy goes the same way from the
 * request hooks on: subrequest-handler.ts has what differs.
 */
import { CLIENT_GONE, BODY_TOO_LARGE, type GatewayError, NO_ROUTE } from '../kit/errors.ts';
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
import type { BoundHooks } from '../policies/policy.ts';
import { recordExchange } from './access-records.ts';
import { sendCachedReply, sendLocalReply } from './complete-reply.ts';
import type { ExplainField, Facts } from './explain-field.ts';
import type { FailedHook, FilterChain } from './filter-chain.ts';
import { InterceptedExchange } from './intercepted-exchange.ts';
import { LeasedExchange } from './leased-exchange.ts';
import type { HttpListenerContext, MigrationBlocker, Route } from './listener-context.ts';
import { FailedHookReply, hooksFor, problem } from './local-replies.ts';
import { copyOf } from './migration.ts';
import { PendingHook } from './pending-hook.ts';
import { preRouteChecks } from './pre-route-checks.ts';
import type { RespondingExchange } from './responding-exchange.ts';
import { fieldsForClient } from './response-fields.ts';
import { runResponseHooks, sendFilteredHead } from './response-hooks.ts';
import { limitClient } from './route-overrides.ts';
import { UpgradedTunnel } from './upgrade.ts';
import { UpstreamRequest } from './upstream-request.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';

export class RequestHandler extends LeasedExchange implements ExchangeOwner, UpstreamRequestOwner, RespondingExchange {
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  /** null: it has no route yet, and perhaps never will. */
  route: Route | null = null;
  protected step = 0;
  /** How many of the route's response hooks are for it: all; for a subrequest, those behind the policy that sends it. */
  protected responseHooks = 0;
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

  /**
   * Accept: the listener admits a connection (http-listener.ts). Protocol: its codec reads the head of a request
   * (http/server-codecs.ts). Lease: until `settle` it runs on this generation, or migrates (leased-exchange.ts).
   */
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
    this.responseHooks = route.response.length;
    x.route = route.name;
    // Limits: the listener's, or those that the route has in their place (route-overrides.ts).
    if (limitClient(x, stream, context.plan.limits, route.overrides)) this.runRequestHooks();
    else this.refuse(BODY_TOO_LARGE);
  }

  /** Request hooks, one after the other (policies/); waits only for a hook that returns a promise (pending-hook.ts). */
  protected runRequestHooks(): void {
    const { request: hooks, steps, respond } = this.route!;
    while (this.step < hooks.length) {
      const verdict = hooks[this.step++]!(this.x, this);
      if (verdict === undefined) continue;
      // The policy has it now, and answers later or sends a subrequest (intercepted-exchange.ts): so does the cache.
      if (verdict === INTERCEPTED) return;
      if (verdict instanceof Promise) {
        this.#pending = new PendingHook(this, verdict, steps[this.step - 1]!.timeout, this.context.shared);
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
    if (verdict === undefined) this.runRequestHooks();
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
    this.addAffinity(head.fields);
    this.respond(head, source, 0);
  }

  protected addAffinity(fields: Fields): void {
    this.upstream!.addStickyCookie(fields);
  }

  /** Sends a response, the response hooks from that index on first. The body follows. */
  respond(head: ResponseHead, source: BodySource, from: number): void {
    const { x } = this;
    x.response = head;
    x.status = head.status;
    let filters: BodyFilter[] | null | undefined = null;
    // Response hooks: they edit the response, and may filter its body (response-hooks.ts).
    if (from < this.responseHooks) {
      filters = runResponseHooks(this, this.route!.response, from, this.responseHooks);
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
      sendCachedReply(this, response, hooks, steps[this.step - 1]!.answersFrom, this.responseHooks);
    } else sendLocalReply(this, response, this.localHooks(response), denied);
  }

  /** The response hooks that a local reply passes (local-replies.ts). */
  protected localHooks(reply: LocalReply): BoundHooks['local'] {
    return hooksFor(reply, this.route ?? this.context);
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
    const { x } = this;
    this.stream.owner = null;
    this.#pending?.over();
    this.releaseHooks();
    this.responseFilters?.abort();
    x.bytesOut = bytesOut;
    this.upstream?.finished();
    this.record();
    // Hooks of modules, and one that has not decided, may still edit them: no other exchange gets them.
    if (x.guarded === null) {
      if (this.#pending === null) giveFields(x.fields);
      if (x.response !== null) giveFields(x.response.fields);
    }
    this.context.lease.release(this);
  }

  /** Counts and logs it (access-records.ts), after the `done` hooks. */
  protected record(): void {
    const { x, route, context } = this;
    if (route !== null) for (let i = 0; i < route.done.length; i++) route.done[i]!(x);
    recordExchange(x, context.shared, route?.metrics ?? context.unrouted);
  }

  // === for policies, and for the client that asks how it was handled

  intercept(holder: Interceptor): ResponseWriter {
    this.intercepted = new InterceptedExchange(this, holder, this.route!.steps[this.step - 1]!.answersFrom);
    // A hook that awaited something may come too late.
    if (this.over) holder.clientGone(CLIENT_GONE);
    return this.intercepted;
  }

  /** Sends another exchange through the rest of the way, from the current hook on (subrequest-handler.ts). */
  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    return this.context.subrequest(x, stream, this.route!, this.step, this.body);
  }

  /** null: its client gets no explain field (explain-field.ts). */
  get explain(): ExplainField | null {
    return this.context.explain;
  }

  facts(denied: boolean): Facts {
    return { route: this.route, asked: this.step, denied, pool: this.upstream?.pool.name ?? '' };
  }
}
