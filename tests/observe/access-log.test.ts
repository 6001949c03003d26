/** The access log's lines, from records to a file. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { AccessLog, AccessRecord } from '../../src/observe/access-log.ts';
import { until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-access-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A record of a request, with other values where `own` has some. */
function recordOf(now: number, own: Partial<AccessRecord> = {}): AccessRecord {
  const record = new AccessRecord('http', now, 3, 'web', '192.0.2.1', 40_000);
  const usual = {
    route: 'all',
    endpoint: '10.0.0.1:80',
    method: 'GET',
    host: 'a.test',
    target: '/x',
    version: 11,
    status: 200,
    bytesOut: 5,
    duration: 1.5,
    upstream: 1.25,
  };
  return Object.assign(record, usual, own);
}

interface Line {
  readonly [name: string]: unknown;
}

function linesOf(path: string): Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

/** The file is opened and written behind the scenes. */
async function comeTo(path: string, count: number): Promise<Line[]> {
  await until(() => linesOf(path).length >= count, `${count} lines are there`);
  return linesOf(path);
}

async function write(records: readonly Partial<AccessRecord>[], clock = new ManualClock()): Promise<Line[]> {
  const path = join(folder, `${files++}.log`);
  const log = new AccessLog(path, clock, 'id-');
  for (const record of records) log.write(recordOf(clock.now(), record));
  await log.close();
  return linesOf(path);
}

test('an exchange has all of it, and only what went wrong has an error', async () => {
  const clock = new ManualClock();
  const now = clock.now();
  const [line, failed, tcp] = await write(
    [
      { now },
      { now, status: 502, error: 'connect_refused', upstream: 0, version: 10, userAgent: 'curl' },
      { now, kind: 'tcp', listener: 'db', route: '', status: 0, bytesIn: 7, error: 'ECONNRESET' },
    ],
    clock,
  );
  expect(line).toEqual({
    time: new Date(clock.wall()).toISOString(),
    request_id: 'id-0',
    kind: 'http',
    listener: 'web',
    route: 'all',
    endpoint: '10.0.0.1:80',
    generation: 3,
    protocol: 'HTTP/1.1',
    method: 'GET',
    host: 'a.test',
    client: '192.0.2.1',
    client_port: 40_000,
    target: '/x',
    status: 200,
    upstream_ms: 1.25,
    bytes_in: 0,
    bytes_out: 5,
    duration_ms: 1.5,
  });
  expect(failed).toMatchObject({
    request_id: 'id-1',
    protocol: 'HTTP/1.0',
    status: 502,
    error: 'connect_refused',
    user_agent: 'curl',
  });
  expect(tcp).toEqual({
    time: new Date(clock.wall()).toISOString(),
    request_id: 'id-2',
    kind: 'tcp',
    listener: 'db',
    route: '',
    endpoint: '10.0.0.1:80',
    generation: 3,
    client: '192.0.2.1',
    client_port: 40_000,
    bytes_in: 7,
    bytes_out: 5,
    duration_ms: 1.5,
    error: 'ECONNRESET',
  });
});

test('whatever a client or a config writes, each line is JSON that says the same', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\0', '\x7f', 'ä', '\u2028', '</script>'), maxLength: 20 }),
  );
  const records = fc.array(
    fc.record({
      target: text,
      userAgent: text,
      endpoint: text.map((path) => `unix:/${path}`),
      route: fc.constantFrom('', 'a', 'b-1'),
      cache: fc.constantFrom('', 'hit', 'miss'),
      host: fc.constantFrom('', 'a.test:80', '[::1]'),
      status: fc.integer({ min: 0, max: 999 }),
      bytesIn: fc.maxSafeNat(),
      bytesOut: fc.maxSafeNat(),
      duration: fc.float({ min: 0, max: 1e7, noNaN: true }),
    }),
    { minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      const lines = await write(all);
      expect(lines).toHaveLength(all.length);
      all.forEach(({ target, userAgent, endpoint, route, host, status, bytesIn, bytesOut, duration }, i) => {
        const line = lines[i]!;
        const agent = userAgent === '' ? {} : { user_agent: userAgent };
        // A lone surrogate is no character: JSON has an escape for it, and it comes back as it was.
        expect(line).toMatchObject({
          target,
          endpoint,
          route,
          host,
          status,
          bytes_in: bytesIn,
          bytes_out: bytesOut,
          ...agent,
        });
        expect(Math.abs(Number(line['duration_ms']) - duration)).toBeLessThan(0.0011);
      });
    }),
    { numRuns: 60 },
  );
});

test('a line longer than a batch is written too', async () => {
  const target = `/${'"x'.repeat(100_000)}`;
  const lines = await write([{}, { target }, {}]);
  expect(lines.map((line) => String(line['target']).length)).toEqual([2, target.length, 2]);
});

test('times are those of the clock, to the millisecond, also over seconds and back', async () => {
  const clock = new ManualClock();
  const path = join(folder, `${files++}.log`);
  const log = new AccessLog(path, clock, '');
  const times: string[] = [];
  for (const step of [0, 1, 998, 1, 1, 5000, 61_000]) {
    clock.advance(step);
    times.push(new Date(clock.wall()).toISOString());
    log.write(recordOf(clock.now()));
  }
  await log.close();
  expect(linesOf(path).map(({ time }) => time)).toEqual(times);
});

test('lines wait for a second at most', async () => {
  const clock = new ManualClock();
  const path = join(folder, `${files++}.log`);
  const log = new AccessLog(path, clock, '');
  log.write(recordOf(clock.now()));
  expect(linesOf(path)).toEqual([]);
  clock.advance(1000);
  expect(await comeTo(path, 1)).toHaveLength(1);
  await log.close();
  expect(clock.waiting).toBe(0);
});

test('reopened, it goes on in a new file; what was gathered is in the old one', async () => {
  const path = join(folder, `${files++}.log`);
  const clock = new ManualClock();
  const log = new AccessLog(path, clock, '');
  log.write(recordOf(clock.now(), { target: '/1' }));
  renameSync(path, `${path}.1`);
  log.reopen();
  log.write(recordOf(clock.now(), { target: '/2' }));
  await log.close();
  expect(linesOf(path).map(({ target }) => target)).toEqual(['/2']);
  expect((await comeTo(`${path}.1`, 1)).map(({ target }) => target)).toEqual(['/1']);
});

test('one that cannot be opened anew goes on where it was', async () => {
  const inside = join(folder, 'gone');
  mkdirSync(inside);
  const path = join(inside, 'a.log');
  const clock = new ManualClock();
  const log = new AccessLog(path, clock, '');
  const moved = join(folder, 'moved');
  renameSync(inside, moved);
  expect(() => log.reopen()).toThrow('ENOENT');
  log.write(recordOf(clock.now()));
  await log.close();
  expect(linesOf(join(moved, 'a.log'))).toHaveLength(1);
});

test.skipIf(!existsSync('/dev/full'))('a file that takes nothing more does not hold up the end', async () => {
  const clock = new ManualClock();
  const log = new AccessLog('/dev/full', clock, '');
  log.write(recordOf(clock.now()));
  const closed = log.close();
  clock.advance(1000);
  await closed;
  expect(clock.waiting).toBe(0);
});

test('a file that cannot be opened is known at once', () => {
  expect(() => new AccessLog(join(folder, 'none', 'a.log'), new ManualClock(), '')).toThrow('ENOENT');
});
