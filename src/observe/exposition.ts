/**
 * All metrics as Prometheus text. Cold: called for each scrape.
 *
 * prom-client provides the process's metrics; the gateway's own are plain numbers formatted here, so that counting
 * costs the hot path only an addition.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type CacheGauges, writeCaches } from './cache-exposition.ts';
import { writeConfig } from './config-exposition.ts';
import { Page } from './exposition-page.ts';
import type { Metrics } from './metrics.ts';

/** The gateway's current values at the moment of a scrape. */
export interface RuntimeGauges {
  readonly generation: number;
  /** Leases by live generation. */
  readonly leases: readonly { readonly generation: number; readonly leases: number }[];
  readonly endpoints: readonly EndpointGauges[];
  readonly pools: readonly PoolGauges[];
  readonly caches: readonly CacheGauges[];
  /** Bytes of memory that buffered request bodies occupy. */
  readonly bufferedBytes: number;
  readonly certificates: readonly CertificateGauges[];
}

export interface CertificateGauges {
  readonly certificate: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** null: a file, which is not renewed by the gateway. */
  readonly renewal: { readonly nextAttempt: number; readonly temporary: boolean; readonly failures: number } | null;
}

export interface PoolGauges {
  readonly pool: string;
  /** Requests queued for capacity. */
  readonly queue: number;
  /** Retries in progress. */
  readonly retries: number;
}

export interface EndpointGauges {
  readonly pool: string;
  readonly endpoint: string;
  readonly healthy: boolean;
  readonly active: number;
  readonly open: number;
  readonly idle: number;
  readonly ejections: number;
}

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

export class Exposition {
  readonly #metrics: Metrics;
  readonly #gauges: () => RuntimeGauges;
  readonly #registry = new Registry();

  constructor(metrics: Metrics, gauges: () => RuntimeGauges) {
    this.#metrics = metrics;
    this.#gauges = gauges;
  }

  /**
   * Starts to observe the process; its event-loop monitor has a small cost, so only a gateway with an admin listener
   * does.
   */
  start(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  async text(): Promise<string> {
    const page = new Page();
    const gauges = this.#gauges();
    this.#routes(page);
    this.#mirrors(page);
    this.#endpoints(page, gauges);
    this.#pools(page, gauges);
    writeCaches(page, this.#metrics.caches, gauges.caches);
    this.#names(page);
    this.#certificates(page, gauges);
    this.#listeners(page, gauges);
    writeConfig(page, this.#metrics, gauges);
    // prom-client writes Nan for missing values; the format's spelling is NaN.
    const standard = (await this.#registry.metrics()).replaceAll(/ Nan$/gm, ' NaN');
    return `${page.lines.join('\n')}\n${standard}`;
  }

  #routes(page: Page): void {
    const routes = [...this.#metrics.routes];
    page.family(
      'prozy_http_requests_total',
      'counter',
      'Requests answered, by route and status class; none: the client left first.',
    );
    for (const [route, { responses }] of routes) {
      responses.forEach((count, i) => {
        if (count > 0) page.sample('prozy_http_requests_total', { route, code: CLASSES[i]! }, count);
      });
    }
    page.family(
      'prozy_http_request_duration_seconds',
      'histogram',
      'From the request head to the last byte of the response.',
    );
    for (const [route, { duration }] of routes)
      page.histogram('prozy_http_request_duration_seconds', { route }, duration);
    page.family('prozy_http_request_bytes_total', 'counter', 'Content bytes of requests.');
    for (const [route, { bytesIn }] of routes) page.sample('prozy_http_request_bytes_total', { route }, bytesIn);
    page.family('prozy_http_response_bytes_total', 'counter', 'Content bytes of responses.');
    for (const [route, { bytesOut }] of routes) page.sample('prozy_http_response_bytes_total', { route }, bytesOut);
  }

  #mirrors(page: Page): void {
    const all = [...this.#metrics.mirrors];
    page.family('prozy_mirror_requests_total', 'counter', 'Requests to mirror, by the result of the copy.');
    for (const [route, { results }] of all) {
      for (const [result, count] of Object.entries(results))
        page.sample('prozy_mirror_requests_total', { route, result }, count);
    }
    page.family('prozy_mirror_active', 'gauge', 'Running mirrored requests.');
    for (const [route, { active }] of all) page.sample('prozy_mirror_active', { route }, active);
  }

  #endpoints(page: Page, { endpoints }: RuntimeGauges): void {
    const all = [...this.#metrics.endpoints].flatMap(([pool, map]) =>
      [...map].map(([endpoint, one]) => ({ labels: { pool, endpoint }, one })),
    );
    page.family('prozy_upstream_responses_total', 'counter', 'Responses of endpoints, by status class.');
    for (const { labels, one } of all) {
      one.responses.forEach((count, i) => {
        if (count > 0) page.sample('prozy_upstream_responses_total', { ...labels, code: CLASSES[i]! }, count);
      });
    }
    page.family('prozy_upstream_first_byte_seconds', 'histogram', 'From the request sent to the head of the response.');
    for (const { labels, one } of all) page.histogram('prozy_upstream_first_byte_seconds', labels, one.firstByte);
    const counters = [
      ['connections_opened_total', 'Connections made.', 'connectionsOpened'],
      ['connections_reused_total', 'Exchanges on a connection that was there already.', 'connectionsReused'],
      ['connect_errors_total', 'Connections that could not be made.', 'connectErrors'],
      ['failures_total', 'Exchanges that failed on a connection.', 'failures'],
      ['checks_passed_total', 'Active checks that succeeded.', 'checksPassed'],
      ['checks_failed_total', 'Active checks that did not.', 'checksFailed'],
      ['ejections_total', 'Times that the endpoint was taken out because of failures.', 'ejections'],
      ['retries_total', 'Attempts after a failed attempt at this endpoint.', 'retries'],
    ] as const;
    for (const [name, help, key] of counters) {
      page.family(`prozy_upstream_${name}`, 'counter', help);
      for (const { labels, one } of all) page.sample(`prozy_upstream_${name}`, labels, one[key]);
    }
    page.family('prozy_upstream_tls_handshakes_total', 'counter', 'TLS handshakes with endpoints, by result.');
    for (const { labels, one } of all) {
      if (one.tlsFull + one.tlsResumed === 0) continue;
      page.sample('prozy_upstream_tls_handshakes_total', { ...labels, result: 'full' }, one.tlsFull);
      page.sample('prozy_upstream_tls_handshakes_total', { ...labels, result: 'resumed' }, one.tlsResumed);
    }
    page.family('prozy_upstream_healthy', 'gauge', '1: the endpoint is healthy; 0: it failed and waits for its retry.');
    for (const { pool, endpoint, healthy } of endpoints)
      page.sample('prozy_upstream_healthy', { pool, endpoint }, healthy ? 1 : 0);
    page.family('prozy_upstream_active', 'gauge', 'Running exchanges and tunnels.');
    for (const { pool, endpoint, active } of endpoints)
      page.sample('prozy_upstream_active', { pool, endpoint }, active);
    page.family('prozy_upstream_connections', 'gauge', 'Connections open, by state.');
    for (const { pool, endpoint, open, idle } of endpoints) {
      page.sample('prozy_upstream_connections', { pool, endpoint, state: 'idle' }, idle);
      page.sample('prozy_upstream_connections', { pool, endpoint, state: 'busy' }, open - idle);
    }
  }

  #pools(page: Page, { pools }: RuntimeGauges): void {
    const all = [...this.#metrics.pools];
    const counters = [
      ['queued_total', 'Requests and connections that waited for room.', 'queued'],
      ['queue_timeouts_total', 'Of those, the ones that waited in vain.', 'queueTimeouts'],
      ['queue_refusals_total', 'Requests and connections that found the queue full.', 'queueRefusals'],
      ['fallbacks_total', 'Requests and connections that went on to the fallback.', 'fallbacks'],
      ['retries_denied_total', 'Further attempts that the retry budget did not allow.', 'retriesDenied'],
      ['hedges_total', 'Second attempts beside slow first ones.', 'hedges'],
      ['hedges_won_total', 'Of those, the ones that answered first.', 'hedgesWon'],
    ] as const;
    for (const [name, help, key] of counters) {
      page.family(`prozy_pool_${name}`, 'counter', help);
      for (const [pool, one] of all) page.sample(`prozy_pool_${name}`, { pool }, one[key]);
    }
    page.family('prozy_pool_queue', 'gauge', 'Requests and connections that wait for room.');
    for (const { pool, queue } of pools) page.sample('prozy_pool_queue', { pool }, queue);
    page.family('prozy_pool_retries', 'gauge', 'Running retries.');
    for (const { pool, retries } of pools) page.sample('prozy_pool_retries', { pool }, retries);
  }

  #certificates(page: Page, { certificates }: RuntimeGauges): void {
    page.family('prozy_certificate_not_before_seconds', 'gauge', 'When the certificate becomes valid, in Unix time.');
    for (const { certificate, notBefore } of certificates)
      page.sample('prozy_certificate_not_before_seconds', { certificate }, notBefore / 1000);
    page.family('prozy_certificate_not_after_seconds', 'gauge', 'When the certificate expires, in Unix time.');
    for (const { certificate, notAfter } of certificates)
      page.sample('prozy_certificate_not_after_seconds', { certificate }, notAfter / 1000);
    page.family(
      'prozy_certificate_next_attempt_seconds',
      'gauge',
      'When the gateway next tries to obtain it, in Unix time.',
    );
    for (const { certificate, renewal } of certificates)
      if (renewal !== null)
        page.sample('prozy_certificate_next_attempt_seconds', { certificate }, renewal.nextAttempt / 1000);
    page.family('prozy_certificate_temporary', 'gauge', '1: a self-signed certificate serves until one is obtained.');
    for (const { certificate, renewal } of certificates)
      if (renewal !== null) page.sample('prozy_certificate_temporary', { certificate }, renewal.temporary ? 1 : 0);
    page.family('prozy_certificate_failures', 'gauge', 'Attempts to obtain it that have failed in a row.');
    for (const { certificate, renewal } of certificates)
      if (renewal !== null) page.sample('prozy_certificate_failures', { certificate }, renewal.failures);
    page.family(
      'prozy_certificate_attempts_total',
      'counter',
      'Attempts to obtain a certificate, by issuer and result.',
    );
    for (const { issuer, result, count } of this.#metrics.certificates.results)
      page.sample('prozy_certificate_attempts_total', { issuer, result }, count);
  }

  #names(page: Page): void {
    const all = [...this.#metrics.names].flatMap(([pool, map]) =>
      [...map].map(([name, one]) => ({ labels: { pool, name }, one })),
    );
    page.family('prozy_dns_lookups_total', 'counter', 'Lookups of names that endpoints are found by, by result.');
    for (const { labels, one } of all) {
      for (const [result, count] of Object.entries(one.lookups))
        page.sample('prozy_dns_lookups_total', { ...labels, result }, count);
    }
    page.family('prozy_dns_changes_total', 'counter', 'Changes of the addresses of a name.');
    for (const { labels, one } of all) page.sample('prozy_dns_changes_total', labels, one.changes);
    page.family('prozy_dns_addresses', 'gauge', 'Addresses of a name.');
    for (const { labels, one } of all) page.sample('prozy_dns_addresses', labels, one.addresses);
  }

  #listeners(page: Page, { bufferedBytes }: RuntimeGauges): void {
    const all = [...this.#metrics.listeners];
    page.family('prozy_listener_connections', 'gauge', 'Client connections open.');
    for (const [listener, { active }] of all) page.sample('prozy_listener_connections', { listener }, active);
    page.family('prozy_listener_accepted_total', 'counter', 'Client connections accepted.');
    for (const [listener, { accepted }] of all) page.sample('prozy_listener_accepted_total', { listener }, accepted);
    page.family('prozy_listener_refused_total', 'counter', 'Connections and requests refused, by reason.');
    for (const [listener, { refusedByAcl, refusedByLimit, refusedByOverload }] of all) {
      page.sample('prozy_listener_refused_total', { listener, reason: 'acl' }, refusedByAcl);
      page.sample('prozy_listener_refused_total', { listener, reason: 'limit' }, refusedByLimit);
      page.sample('prozy_listener_refused_total', { listener, reason: 'overload' }, refusedByOverload);
    }
    page.family('prozy_tls_handshakes', 'gauge', 'TLS handshakes with clients, in progress and waiting to begin.');
    for (const [listener, { handshakes, failedHandshakes, handshakesActive, handshakesWaiting }] of all) {
      if (handshakes === 0 && failedHandshakes.size === 0 && handshakesActive + handshakesWaiting === 0) continue;
      page.sample('prozy_tls_handshakes', { listener, state: 'active' }, handshakesActive);
      page.sample('prozy_tls_handshakes', { listener, state: 'waiting' }, handshakesWaiting);
    }
    page.family('prozy_tls_handshakes_total', 'counter', 'TLS handshakes with clients, by result.');
    for (const [listener, { handshakes, resumptions, failedHandshakes }] of all) {
      if (handshakes === 0 && failedHandshakes.size === 0) continue;
      page.sample('prozy_tls_handshakes_total', { listener, result: 'full' }, handshakes - resumptions);
      page.sample('prozy_tls_handshakes_total', { listener, result: 'resumed' }, resumptions);
      for (const [reason, count] of failedHandshakes)
        page.sample('prozy_tls_handshakes_total', { listener, result: reason }, count);
    }
    page.family('prozy_tls_routed_total', 'counter', 'TLS connections by the TLS route that matched them.');
    for (const [listener, { tlsRoutes }] of all)
      for (const [route, count] of tlsRoutes) page.sample('prozy_tls_routed_total', { listener, route }, count);
    page.family('prozy_listener_bad_requests_total', 'counter', 'Requests too broken to be routed, by status.');
    for (const [listener, { badRequests }] of all) {
      for (const [status, count] of badRequests)
        page.sample('prozy_listener_bad_requests_total', { listener, status }, count);
    }
    page.family('prozy_buffered_body_bytes', 'gauge', 'Memory that buffered bodies occupy.');
    page.sample('prozy_buffered_body_bytes', {}, bufferedBytes);
    page.family('prozy_tunnels', 'gauge', 'Tunnels open: upgraded connections and tcp connections.');
    for (const [listener, { tunnelsActive }] of all) page.sample('prozy_tunnels', { listener }, tunnelsActive);
    page.family('prozy_tunnels_opened_total', 'counter', 'Tunnels opened.');
    for (const [listener, { tunnelsOpened }] of all)
      page.sample('prozy_tunnels_opened_total', { listener }, tunnelsOpened);
    page.family('prozy_tunnel_bytes_total', 'counter', 'Bytes through tunnels that have closed, by direction.');
    for (const [listener, { tunnelBytesIn, tunnelBytesOut }] of all) {
      page.sample('prozy_tunnel_bytes_total', { listener, direction: 'in' }, tunnelBytesIn);
      page.sample('prozy_tunnel_bytes_total', { listener, direction: 'out' }, tunnelBytesOut);
    }
  }
}
