import net from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { SendQueues, sendQueues } from '../../src/net/send-queues.ts';
import type { TransportAddresses } from '../../src/net/transport.ts';
import { until } from '../support/gateway.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const TCP = `${HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
  10: 0100007F:1F90 0200007F:8AD2 01 003EFAE4:00000000 01:00000014 00000000     0        0 2 4 0 20 4 30 10 -1
`;
const TCP6 = `${HEAD}   0: 000080FE00000000FF005450ADDE56FE:01BB B80D0120000000000000000001000000:C001 01 0000000A:00000000 0
   1: 0000000000000000FFFF0000010000C0:1F90 0000000000000000FFFF0000020000C0:0050 08 00000001:00000000 0
`;

function between(localAddress: string, localPort: number, remoteAddress: string, remotePort: number) {
  return { localAddress, localPort, remoteAddress, remotePort } satisfies TransportAddresses;
}

function asked(queues: SendQueues, addresses: TransportAddresses): Promise<number> {
  return new Promise((resolve) => {
    if (!queues.ask(addresses, { onSendQueue: resolve })) resolve(Number.NaN);
  });
}

/** Cut anywhere, as reads of a file may be. */
function listsIn(size: number): SendQueues {
  return new SendQueues(async function* () {
    for (const text of [TCP, TCP6]) for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
  });
}

test.each([1, 7, 100_000])('the bytes of a connection are found in lists that come %i at a time', async (size) => {
  const queues = listsIn(size);
  const found = await Promise.all([
    asked(queues, between('127.0.0.1', 8080, '127.0.0.2', 0x8ad2)),
    asked(queues, between('fe80::5054:ff:fe56:dead', 443, '2001:db8::1', 0xc001)),
    asked(queues, between('192.0.0.1', 8080, '192.0.0.2', 80)),
    asked(queues, between('127.0.0.1', 8080, '127.0.0.3', 0x8ad2)),
  ]);
  expect(found).toEqual([0x3efae4, 10, 1, -1]);
});

test('one reading answers all that ask meanwhile', async () => {
  let read = 0;
  const queues = new SendQueues(async function* () {
    read++;
    yield TCP;
  });
  const one = between('127.0.0.1', 8080, '127.0.0.2', 0x8ad2);
  const two = between('127.0.0.1', 8080, '127.0.0.9', 1);
  const all = [asked(queues, one), asked(queues, two), asked(queues, one)];
  expect(await Promise.all(all)).toEqual([0x3efae4, -1, 0x3efae4]);
  expect(read).toBe(1);
  expect(await asked(queues, one)).toBe(0x3efae4);
  expect(read).toBe(2);
});

test('lists that cannot be read tell nothing, and neither do connections that are in none', async () => {
  const broken = new SendQueues(async function* () {
    yield TCP;
    throw new Error('ENOENT');
  });
  expect(await asked(broken, between('10.0.0.1', 1, '10.0.0.2', 2))).toBe(-1);
  expect(await asked(broken, between('127.0.0.1', 8080, '127.0.0.2', 0x8ad2))).toBe(0x3efae4);
  expect(await asked(broken, between('unix:', 0, 'unix:', 0))).toBeNaN();
  expect(await asked(new SendQueues(null), between('10.0.0.1', 1, '10.0.0.2', 2))).toBeNaN();
});

test.runIf(process.platform === 'linux').each(['127.0.0.1', '::1'])(
  'Linux tells it of a real one at %s',
  async (at) => {
    const server = net.createServer((socket) => socket.pause());
    server.listen(0, at);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const client = net.connect(port, at);
    await once(client, 'connect');
    const addresses = between(client.localAddress!, client.localPort!, at, port);
    expect(await asked(sendQueues, addresses)).toBe(0);
    client.write(Buffer.alloc(32 * 1024 * 1024));
    let bytes = 0;
    await until(
      () => bytes > 0,
      'the kernel holds some of it',
      async () => void (bytes = await asked(sendQueues, addresses)),
    );
    client.destroy();
    server.close();
  },
);
