/** Clients that misuse TLS: what they get, and that others are served meanwhile. */
import { expect, test } from 'vitest';
import { streamHandles } from '../../src/net/stream-handles.ts';
import { pair } from '../support/certificates.ts';
import { simpleConfig, testGateway, until } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { DATA_RECORD, HANDSHAKE_RECORD, KEY_UPDATE, Tls13Client } from '../support/tls13-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: site.example\r\n\r\n';

function config(originPort: number): Record<string, unknown> {
  const certificates = { site: pair('site') };
  return simpleConfig(originPort, {
    certificates,
    listeners: { web: { address: '127.0.0.1:0', tls: { certificates: ['site'] } } },
  });
}

test('a request in records of one byte, with KeyUpdates between, is answered', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port));
  await using client = await Tls13Client.to(gateway.port());
  const records = GET.split('').map((letter) => client.seal(DATA_RECORD, Buffer.from(letter)));
  const updates = Array.from({ length: 20 }, () => client.seal(HANDSHAKE_RECORD, KEY_UPDATE));
  const again = GET.split('').map((letter) => client.seal(DATA_RECORD, Buffer.from(letter)));
  client.tcp.write(Buffer.concat([...records, ...updates, ...again]));
  await until(() => client.text.match(/HTTP\/1\.1 200 /g)?.length === 2, 'both are answered');
});

test.skipIf(streamHandles === null)('a flood of KeyUpdates is cut, and others are served', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port));
  await using bystander = await RawClient.secure(gateway.port());
  await using client = await Tls13Client.to(gateway.port());
  client.tcp.write(Buffer.concat(Array.from({ length: 5000 }, () => client.seal(HANDSHAKE_RECORD, KEY_UPDATE))));
  await until(() => client.closed, 'it is cut');
  expect((await bystander.send(GET).response()).status).toBe(200);
  expect(gateway.running.gateway.metrics.listener('web').active).toBe(1);
});

test.skipIf(streamHandles === null)('thousands of records in one read leave turns to others', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(config(origin.port));
  await using bystander = await RawClient.secure(gateway.port());
  await using client = await Tls13Client.to(gateway.port());
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n';
  const first = client.seal(DATA_RECORD, Buffer.from(head));
  const body = Array.from({ length: 20_000 }, () => client.seal(DATA_RECORD, Buffer.from('x')));
  client.tcp.write(Buffer.concat([first, ...body]));
  expect((await bystander.send(GET).response()).status).toBe(200);
  // The body takes hundreds of turns, the other request a few.
  expect(client.text).toBe('');
  await until(() => client.text.startsWith('HTTP/1.1 200 '), 'the request is answered, too');
});
