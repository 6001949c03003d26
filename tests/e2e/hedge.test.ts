/** hedge: a second attempt beside a slow first one. */
import { expect, test } from 'vitest';
import { endpointViews } from '../../src/runtime/views/runtime-views.ts';
import { get } from '../support/requests.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin, rawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';

const pools = (hedge: object, ...ports: number[]) => ({
  pools: { origin: { endpoints: ports.map((port) => `127.0.0.1:${port}`), hedge } },
});

test('whichever answers first is passed on, and the other is given up', async () => {
  await using slow = await rawOrigin(() => {});
  await using quick = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(0, pools({ delay: '20ms' }, slow.port, quick.port)));
  const answer = await get(gateway.port(), '/a');
  expect([answer.status, answer.body]).toEqual([200, 'ok /a']);
  const { hedges, hedgesWon } = gateway.running.gateway.metrics.pool('origin');
  expect([hedges, hedgesWon, slow.received.length]).toEqual([1, 1, 1]);
});

test('the first one may still be the one', async () => {
  const waiting: (() => void)[] = [];
  await using first = await httpOrigin((_, response) => waiting.push(() => response.end('first')));
  await using second = await rawOrigin(() => {});
  await using gateway = await testGateway(simpleConfig(0, pools({ delay: '10ms' }, first.port, second.port)));
  const answer = get(gateway.port());
  await until(() => second.received.length === 1, 'the second has been asked');
  waiting[0]!();
  expect((await answer).body).toBe('first');
  expect(gateway.running.gateway.metrics.pool('origin').hedgesWon).toBe(0);
});

test('one that fails leaves the answer to the other', async () => {
  const waiting: (() => void)[] = [];
  await using first = await httpOrigin((_, response) => waiting.push(() => response.socket!.destroy()));
  const late: (() => void)[] = [];
  await using second = await httpOrigin((_, response) => late.push(() => response.end('second')));
  await using gateway = await testGateway(simpleConfig(0, pools({ delay: '10ms' }, first.port, second.port)));
  const answer = get(gateway.port());
  await until(() => late.length === 1, 'the second has been asked');
  waiting[0]!();
  await until(
    () => gateway.running.gateway.metrics.endpoint('origin', `127.0.0.1:${first.port}`).failures === 1,
    'the first has failed',
  );
  late[0]!();
  expect((await answer).body).toBe('second');
});

test('what is not idempotent, or has a body, or is quick, is asked once', async () => {
  const seen: string[] = [];
  const note = ({ method }: { method: string }, response: { end(text: string): void }): void => {
    seen.push(method);
    if (method === 'GET') response.end('quick');
    else setTimeout(() => response.end('late'), 40);
  };
  await using first = await httpOrigin(note);
  await using second = await httpOrigin(note);
  await using gateway = await testGateway(simpleConfig(0, pools({ delay: '10ms' }, first.port, second.port)));
  expect((await get(gateway.port(), '/', { method: 'POST', body: 'x' })).body).toBe('late');
  expect((await get(gateway.port(), '/', { method: 'PUT', body: 'x' })).body).toBe('late');
  await gateway.edit(simpleConfig(0, pools({ delay: '30s' }, first.port, second.port)));
  expect((await get(gateway.port())).body).toBe('quick');
  expect(seen).toEqual(['POST', 'PUT', 'GET']);
});

test('a client that leaves ends both', async () => {
  await using first = await rawOrigin(() => {});
  await using second = await rawOrigin(() => {});
  await using gateway = await testGateway(simpleConfig(0, pools({ delay: '10ms' }, first.port, second.port)));
  await using client = await RawClient.to(gateway.port());
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => second.received.length === 1, 'both have been asked');
  client.socket.resetAndDestroy();
  await until(() => endpointViews(gateway.running.gateway).every(({ active }) => active === 0), 'nothing is under way');
});
