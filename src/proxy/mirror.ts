/**
 * Which of a route's requests are mirrored to another pool, and how many at a time. Hot.
 *
 * Mirroring delays no exchange: upstream-request.ts asks for a copy when it forwards a request, and mirror-buffer.ts
 * collects the body. The outcome (mirrored-exchange.ts) goes only to the counters. These are kept by the route's name,
 * so the bound holds across reloads.
 */
import type { OutgoingHead } from '../http/outgoing-head.ts';
import type { MirrorMetrics } from '../observe/metrics.ts';
import type { MirrorPlan } from '../plan/types/traffic.ts';
import type { Pool } from '../upstream/pool.ts';
import type { MirroredRequest, RequestMirror, Shared } from './listener-context.ts';
import type { RequestBody } from './replay-body.ts';
import { MirrorBuffer } from './mirror-buffer.ts';

export class Mirror implements RequestMirror {
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

  copyOf(request: MirroredRequest, body: RequestBody, head: OutgoingHead): MirrorBuffer | null {
    const { plan, metrics, shared } = this;
    if (plan.share < 100 && shared.random() * 100 >= plan.share) return null;
    if (request.x.bodyLength > plan.bodySize) {
      metrics.results.too_large++;
      return null;
    }
    if (metrics.active >= plan.concurrency) {
      metrics.results.dropped++;
      return null;
    }
    metrics.active++;
    return new MirrorBuffer(this, request, body, head.copy('X-Prozy-Mirror: 1\r\n'));
  }
}
