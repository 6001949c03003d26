/** What Prometheus reads. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Exposition } from '../../src/observe/exposition.ts';
import { BOUNDS } from '../../src/observe/histogram.ts';
import { Metrics } from '../../src/observe/metrics.ts';

const DISK = { open: true, entries: 1, bytes: 2, waiting: 3, maxSize: 4 };
const CACHE = { cache: 'c', entries: 0, responses: 0, size: 0, coming: 0, maxSize: 0, disk: DISK };
const GAUGES = {
  generation: 4,
  bufferedBytes: 5,
  leases: [{ generation: 4, leases: 2 }],
  endpoints: [],
  pools: [],
  caches: [CACHE],
  certificates: [
    {
      certificate: 'c',
      notBefore: 1_700_000_000_000,
      notAfter: 5000,
      renewal: { nextAttempt: 4000, temporary: true, failures: 2 },
    },
    { certificate: 'd', notBefore: 1_700_000_000_000, notAfter: 6000, renewal: null },
  ],
};

function samples(text: string): Map<string, number> {
  const all = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    expect(all.has(line.slice(0, at))).toBe(false);
    all.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return all;
}

test('histograms are cumulative, in seconds, and end with everything', async () => {
  const metrics = new Metrics();
  const { duration } = metrics.route('r');
  for (const ms of [0.2, 3, 3, 70_000]) duration.observe(ms);
  const all = samples(await new Exposition(metrics, () => GAUGES).text());
  const bucket = (le: string): number | undefined =>
    all.get(`prozy_http_request_duration_seconds_bucket{route="r",le="${le}"}`);
  expect([bucket('0.0005'), bucket('0.0025'), bucket('0.005'), bucket('60'), bucket('+Inf')]).toEqual([1, 1, 3, 3, 4]);
  expect(all.get('prozy_http_request_duration_seconds_count{route="r"}')).toBe(4);
  expect(all.get('prozy_http_request_duration_seconds_sum{route="r"}')).toBeCloseTo(70.0062);
  const counts = BOUNDS.map((bound) => bucket(String(bound / 1000))!);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

test('every family has its HELP and TYPE once, before its samples', async () => {
  const metrics = new Metrics();
  metrics.route('r').responses[2] = 1;
  metrics.listener('web').badRequest(400);
  metrics.endpoint('p', 'unix:/a"b\\c').responses[5] = 2;
  const exposition = new Exposition(metrics, () => GAUGES);
  const text = await exposition.text();
  const told = new Set<string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      expect(told.has(type[1]!)).toBe(false);
      told.add(type[1]!);
    } else if (!line.startsWith('#')) {
      const name = /^\w+/.exec(line)![0];
      expect(told.has(name) || told.has(name.replace(/_(bucket|sum|count)$/, ''))).toBe(true);
    }
  }
  expect(text).toContain('prozy_upstream_responses_total{pool="p",endpoint="unix:/a\\"b\\\\c",code="5xx"} 2\n');
  expect(text).toContain('prozy_listener_bad_requests_total{listener="web",status="400"} 1\n');
  expect(text).toContain('prozy_leases{generation="4"} 2\n');
});

test('the page on what to watch names the same metrics', async () => {
  const text = await new Exposition(new Metrics(), () => GAUGES).text();
  const exposed = [...text.matchAll(/^# TYPE (prozy_\w+)/gm)].map(([, name]) => name!);
  const page = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');
  const written = new Set<string>();
  for (const row of page.matchAll(/^\| (`(?:prozy|…)_[^|]*) \|/gm)) {
    const names = [...row[1]!.matchAll(/`(…?\w+)`/g)].map(([, name]) => name!);
    // `prozy_x`, `…_y_total`: what the first begins with goes before it.
    for (const name of names) written.add(name.startsWith('…') ? named(names[0]!, name.slice(1), exposed) : name);
  }
  expect([...written].toSorted()).toEqual(exposed.toSorted());
});

/** The exposed name that ends with `rest` and begins as `first` does. */
function named(first: string, rest: string, exposed: readonly string[]): string {
  const family = first.split('_').slice(0, 2).join('_');
  return exposed.find((name) => name.startsWith(family) && name.endsWith(rest)) ?? `${family}…${rest}`;
}

test('series of what is named no more are dropped, the others keep their counts', () => {
  const metrics = new Metrics();
  metrics.route('kept').bytesIn = 5;
  metrics.route('gone');
  metrics.listener('gone');
  metrics.cache('gone');
  metrics.endpoint('p', 'a:1').retries = 3;
  metrics.endpoint('p', 'b:1');
  metrics.endpoint('q', 'a:1');
  metrics.name('p', 'kept:1').changes = 2;
  metrics.name('p', 'gone:1');
  metrics.name('q', 'kept:1');
  metrics.pool('p').hedges = 4;
  metrics.pool('q');
  for (const name of ['kept', 'gone']) {
    metrics.listener(name).tlsRouted('kept');
    metrics.listener(name).tlsRouted('gone');
  }
  const steps = metrics.retain({
    routes: (name) => name === 'kept',
    listeners: new Map([['kept', new Set(['kept'])]]),
    caches: new Set(),
    pools: new Set(['p']),
    endpoints: new Map([['p', new Set(['a:1'])]]),
    names: new Map([['p', new Set(['kept:1'])]]),
  });
  for (const _ of steps);
  expect([
    ...metrics.routes.keys(),
    ...metrics.listeners.keys(),
    ...metrics.caches.keys(),
    ...metrics.endpoints.keys(),
  ]).toEqual(['kept', 'kept', 'p']);
  expect([...metrics.names].map(([pool, names]) => [pool, ...names.keys()])).toEqual([['p', 'kept:1']]);
  expect([...metrics.pools.keys()]).toEqual(['p']);
  expect([...metrics.listener('kept').tlsRoutes.keys()]).toEqual(['kept']);
  expect([metrics.route('kept').bytesIn, metrics.endpoint('p', 'a:1').retries]).toEqual([5, 3]);
  expect([...metrics.endpoints.get('p')!.keys()]).toEqual(['a:1']);
});
