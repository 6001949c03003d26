/**
 * Which of a route's requests are copied to another pool, and how many at a time. Hot.
 *
 * Nobody waits for a copy: upstream-request.ts asks for one when it sends a request on (mirror-buffer.ts gathers its body), and
 * what happens to it (mirrored-exchange.ts) is told to the counters alone. These are kept by the route's name, so the
 * bound holds over reloads.
 */
import type { MirrorMetrics } from '../observe/metrics.ts';
import type { MirrorPlan } from '../plan/types/traffic.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Shared } from './listener-context.ts';
import type { RequestHandler } from './request-handler.ts';
import { MirrorBuffer } from './mirror-buffer.ts';

export class Mirror {
  readonly route: string;
  readonly plan: MirrorPlan;
  readonly pool: Pool;
  readonly metrics: MirrorMetrics;
  readonly shared: Shared;

  constructor(route: string, plan: MirrorPlan, pool: Pool, metrics: MirrorMetrics, shared: Shared) {
    this.route = route;
    this.plan = plan;
    this.pool = pool;
    this.metrics = metrics;
    this.shared = shared;
  }

  /** `text`: the head of the request as it is sent on. null: it is not copied. */
  copyOf(handler: RequestHandler, text: string): MirrorBuffer | null {
    const { plan, metrics, shared } = this;
    if (plan.share < 100 && shared.random() * 100 >= plan.share) return null;
    if (handler.x.bodyLength > plan.bodySize) {
      metrics.results.too_large++;
      return null;
    }
    if (metrics.active >= plan.concurrency) {
      metrics.results.dropped++;
      return null;
    }
    metrics.active++;
    return new MirrorBuffer(this, handler, `${text.slice(0, -2)}X-Prozy-Mirror: 1\r\n\r\n`);
  }
}
