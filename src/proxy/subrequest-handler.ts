/**
 * The subrequest of a policy that has intercepted an exchange: what differs from a client's request. Hot, where there is
 * such a policy.
 *
 *     client ─▶ RequestHandler ─ hooks ─▶ policy ─▶ SubrequestHandler ─ hooks behind the policy ─▶ upstream
 *
 * The policy is its client. The exchange of the client itself is counted and logged, gets the explain field, and passes
 * the response hooks in front of the policy.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { Subrequest } from '../http/interception.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { BoundHooks } from '../policies/policy.ts';
import type { HttpListenerContext, LeaseView, Route } from './listener-context.ts';
import type { RequestBody } from './replay-body.ts';
import { RequestHandler } from './request-handler.ts';

const NONE: BoundHooks['local'] = [];

export class SubrequestHandler extends RequestHandler implements Subrequest {
  /** `step`: how many of the route's request hooks have run, the policy's last. `body`: of the client's request. */
  constructor(
    x: Exchange,
    stream: ServerStream,
    context: HttpListenerContext,
    route: Route,
    step: number,
    body: RequestBody,
  ) {
    super(x, stream, context);
    this.route = route;
    x.route = route.name;
    this.step = step;
    this.responseHooks = route.steps[step - 1]!.subrequestsTo;
    if (x.bodyLength !== 0) this.received = body;
  }

  /** The client's exchange has passed the stages before. */
  override start(): void {
    this.runRequestHooks();
  }

  /** Clients may share the response, so the policy adds the cookie for each of them (addStickyCookie). */
  protected override addAffinity(): void {}

  /** For one client only. */
  addStickyCookie(fields: Fields): void {
    this.upstream?.addStickyCookie(fields);
  }

  /** The policy passes a local reply on, and then it passes all hooks. */
  protected override localHooks(): BoundHooks['local'] {
    return NONE;
  }

  /** The exchange of the client is counted and logged. */
  protected override record(): void {}

  override get explain(): null {
    return null;
  }

  override view(): LeaseView {
    return { ...super.view(), kind: 'fetch' };
  }
}
