/** `prozy plan` against a gateway at work: what is told beforehand is what then becomes of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { PlanReport } from '../../src/cli/plan-against.ts';
import { run } from '../support/command.ts';
import { type TestGateway, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { getJson } from '../support/requests.ts';
import { chat, chatOrigin, echoes } from '../support/streams.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Parts {
  readonly chats: readonly number[];
  readonly slow: number;
  readonly more?: object;
  readonly routes?: readonly object[];
  readonly listeners?: object;
}

function configOf({ chats, slow, more = {}, routes, listeners = {} }: Parts): Record<string, unknown> {
  return {
    version: 1,
    admin: { address: '127.0.0.1:0' },
    acls: { nobody: { default: 'deny' } },
    listeners: {
      web: { address: '127.0.0.1:0' },
      raw: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'chat' },
      ...listeners,
    },
    pools: {
      chat: { endpoints: chats.map((port) => `127.0.0.1:${port}`) },
      slow: { endpoints: [`127.0.0.1:${slow}`] },
    },
    routes: routes ?? [
      { name: 'chat', match: { path: '/chat' }, pool: 'chat' },
      { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
    ],
    ...more,
  };
}

async function planned(gateway: TestGateway, config: object): Promise<{ report: PlanReport; text: string }> {
  const file = join(folder, 'gateway.json');
  writeFileSync(file, JSON.stringify(config));
  const against = ['--against', `127.0.0.1:${gateway.adminPort()}`];
  const { out } = await run('plan', file, ...against, '--format', 'json');
  const { out: text } = await run('plan', file, ...against);
  // The command's own form.
  return { report: JSON.parse(out) as PlanReport, text };
}

interface Ledger {
  readonly generations: readonly { readonly leases: number; readonly pinned_by: Record<string, number> }[];
}

test('what each change touches, what would go over and what would stay behind: and so it comes', async () => {
  await using one = await chatOrigin();
  await using two = await chatOrigin();
  await using slow = await httpOrigin(() => {});
  const before = configOf({ chats: [one.port, two.port], slow: slow.port });
  await using gateway = await testGateway(before);
  // Each endpoint gets two of the streams: endpoints have their turn.
  const clients: RawClient[] = [];
  for (let i = 0; i < 4; i++) clients.push(await chat(gateway.port(), '/chat'));
  await using idle = await RawClient.to(gateway.port());
  await using waiting = await RawClient.to(gateway.port());
  waiting.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => slow.requests.length === 1, 'the request is under way');

  const after = configOf({ chats: [two.port], slow: slow.port, more: { reload: { drain: '7s' } } });
  const { report, text } = await planned(gateway, after);
  const gone = report.changes.find(({ kind }) => kind === 'endpoint');
  expect(gone).toMatchObject({
    name: `chat/127.0.0.1:${one.port}`,
    action: 'removed',
    touches: { connections: 0, exchanges: 0, streams: 2 },
  });
  expect(report.live).toEqual({
    leases: 5,
    goes_over: 3,
    unsure: 0,
    // The config that they run on says how they end.
    stays: [{ reason: 'endpoint_gone', exchanges: 0, streams: 2, action: 'goodbye', deadline: 60_000 }],
    over_limit: 0,
    older: 0,
    forgets: [],
  });
  expect(text).toContain('    touches 2 streams\n');
  expect(text).toContain('    3 would go over to the new config\n');
  expect(text).toContain(
    '2 streams would stay behind: the endpoint is gone; ended with a goodbye after 1m at the latest',
  );

  await gateway.edit(after);
  const { generations } = await getJson<Ledger>(gateway.adminPort(), '/generations');
  expect(generations.map(({ leases, pinned_by: pins }) => [leases, pins])).toEqual([
    [3, {}],
    [2, { endpoint_gone: 2 }],
  ]);
  for (const client of clients) await echoes(client);
  expect((await planned(gateway, after)).report).toMatchObject({ summary: '', live: { leases: 3, older: 2 } });
  expect(idle.closed).toBe(false);
  for (const client of clients) client.socket.destroy();
});

test.each<[string, Omit<Parts, 'chats' | 'slow'>, Record<string, number>]>([
  ['a listener that goes', { listeners: { raw: { address: '127.0.0.1:0', pool: undefined } } }, { listener_gone: 1 }],
  ['a route that goes', { routes: [{ name: 'slow', match: { path: '/slow' }, pool: 'slow' }] }, { route_gone: 1 }],
  [
    'an ACL',
    {
      routes: [
        { name: 'chat', match: { path: '/chat' }, pool: 'chat', policies: [{ type: 'acl', acl: 'nobody' }] },
        { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
      ],
    },
    { denied_by_policy: 1 },
  ],
  [
    'other policies',
    {
      routes: [
        { name: 'chat', match: { path: '/chat' }, pool: 'chat', policies: [{ type: 'headers' }] },
        { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
      ],
    },
    { policies_changed: 1 },
  ],
  [
    'another pool',
    {
      routes: [
        { name: 'chat', match: { path: '/chat' }, pool: 'slow' },
        { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
      ],
    },
    { pool_changed: 1 },
  ],
  [
    'a route that is put before others whose requests it does not get',
    {
      routes: [
        { name: 'new', match: { path: '/new' }, pool: 'slow' },
        { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
        { name: 'chat', match: { path: '/chat' }, pool: 'chat' },
      ],
    },
    {},
  ],
])('%s: what is foretold is what the ledger then says', async (_, parts, pins) => {
  await using origin = await chatOrigin();
  const all = { chats: [origin.port], slow: origin.port };
  await using gateway = await testGateway(configOf(all));
  await using stream = await chat(gateway.port(), '/chat');
  await using raw = await RawClient.to(gateway.port('raw'));
  raw.send('x\r\n\r\n');
  await until(() => raw.text.includes('101'), 'the tcp stream is open');
  const after = configOf({ ...all, ...parts });
  const { report } = await planned(gateway, after);
  const behind = Object.values(pins).reduce((sum, count) => sum + count, 0);
  const stays = Object.keys(pins).map((reason) => ({ reason, streams: pins[reason], exchanges: 0 }));
  expect(report.live).toMatchObject({ leases: 2, goes_over: 2 - behind, unsure: 0, stays });
  await gateway.edit(after);
  const { generations } = await getJson<Ledger>(gateway.adminPort(), '/generations');
  expect(generations.slice(1).map(({ pinned_by: pinned }) => pinned)).toEqual(behind === 0 ? [] : [pins]);
  stream.socket.destroy();
  raw.socket.destroy();
});

test('what another route may take now is not told for certain', async () => {
  await using origin = await chatOrigin();
  const all = { chats: [origin.port], slow: origin.port };
  await using gateway = await testGateway(configOf(all));
  await using stream = await chat(gateway.port(), '/chat');
  const routes = [
    { name: 'new', match: { path: '/chat', methods: ['POST'] }, pool: 'slow' },
    { name: 'chat', match: { path: '/chat' }, pool: 'chat' },
    { name: 'slow', match: { path: '/slow' }, pool: 'slow' },
  ];
  const { report, text } = await planned(gateway, configOf({ ...all, routes }));
  expect(report.live).toMatchObject({ leases: 1, goes_over: 0, unsure: 1, stays: [] });
  expect(text).toContain('1 may now be for another route');
  stream.socket.destroy();
});

test('connections beyond a new limit, and what the config says of those whom it would refuse', async () => {
  await using origin = await chatOrigin();
  const all = { chats: [origin.port], slow: origin.port };
  await using gateway = await testGateway(configOf(all));
  await using stream = await chat(gateway.port(), '/chat');
  await using idle = await RawClient.to(gateway.port());
  const web = { address: '127.0.0.1:0', acl: 'nobody', limits: { connections: 1 } };
  const more = { reload: { tightened: 'cut' } };
  const { report, text } = await planned(gateway, configOf({ ...all, listeners: { web }, more }));
  expect(report.live).toMatchObject({
    stays: [{ reason: 'denied_by_listener', streams: 1, action: 'cut', deadline: null }],
    over_limit: 1,
  });
  const [change] = report.changes;
  expect(change).toMatchObject({
    name: 'web',
    access: { effect: 'tightened' },
    touches: { connections: 2, streams: 1 },
  });
  expect(text).toContain("1 stream would stay behind: the listener's ACL refuses the client; cut at once\n");
  stream.socket.destroy();
  idle.socket.destroy();
});

test('the log says in a few words what a reload has changed', async () => {
  const config = configOf({ chats: [9], slow: 9 });
  await using gateway = await testGateway(config);
  await gateway.edit({ ...config, routes: [] });
  await gateway.edit({ ...config, listeners: { web: { address: '127.0.0.1:0' } }, routes: [] });
  const changes = gateway.logged
    .filter((line) => Object.values(line).includes('config in effect'))
    .map((line) => line['changes']);
  expect(changes).toEqual([undefined, '-2 routes', '-1 listener']);
});
