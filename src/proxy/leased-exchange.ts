/**
 * An exchange as its Lease sees it: it migrates to the next generation, or is aborted when its own has to end. Cold: it
 * has no field, so it adds nothing to what a request runs.
 */
import type { Exchange } from '../http/exchange.ts';
import type { GatewayError } from '../kit/errors.ts';
import { HookContext } from './hook-context.ts';
import { viewOf } from './lease-views.ts';
import type { Leaseholder, LeaseView, MigrationBlocker, Route, Successor, Termination } from './listener-context.ts';
import { type MigrationState, migrationTargetOf, stepUnder } from './migration.ts';
import type { UpgradedTunnel } from './upgrade.ts';
import type { UpstreamRequest } from './upstream-request.ts';

export abstract class LeasedExchange extends HookContext implements Leaseholder, MigrationState {
  // The handler has the fields: initializers here would cost every request a second constructor.
  abstract leasePlace: number;
  abstract blocker: MigrationBlocker | null;
  abstract route: Route | null;
  abstract readonly intercepted: object | null;
  abstract readonly asked: Exchange | null;
  abstract readonly routedPath: string;
  abstract readonly upstream: UpstreamRequest | null;
  abstract readonly tunnel: UpgradedTunnel | null;
  /** How many of the route's request hooks have run. */
  protected abstract step: number;

  /** Nothing more comes from the upstream or from the policy that has intercepted it. */
  abstract stopWork(error: GatewayError): void;
  /** Sends an error response; aborts the connection if a response has begun already. */
  abstract refuse(error: GatewayError): void;

  get begun(): boolean {
    return this.stream.begun;
  }

  migrate(next: Successor): MigrationBlocker | null {
    const target = migrationTargetOf(this, next);
    if (typeof target === 'string') return target;
    this.step = stepUnder(this.step, this.route!, target.route);
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
    return viewOf(this.x, this.context.plan.name, this.stream, this.tunnel);
  }
}
