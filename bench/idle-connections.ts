/** Resident memory of idle keep-alive connections, each of which has had one answer: `node bench/idle-connections.ts [count]`. */
import net from 'node:net';
import { gatewayProcess, pause, report } from './support.ts';

const PORT = 19_281;
const count = Number(process.argv[2] ?? 5000);
const config = `version: 1
listeners: { web: { address: "127.0.0.1:${PORT}", timeouts: { idle: 10m } } }
routes: [{ name: all, match: {}, respond: { body: ok } }]
`;

const gateway = await gatewayProcess(config, PORT);

/** Opens connections and leaves each idle after its first answer. */
async function open(wanted: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  for (let i = 0; i < wanted; i++) {
    const socket = net.connect(PORT, '127.0.0.1');
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('data', () => resolve());
      socket.write('GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n');
    });
  }
  return sockets;
}

// Code is compiled and pools are filled by other connections first, so that only the idle ones are weighed.
for (let i = 0; i < 50; i++) for (const socket of await open(200)) socket.destroy();
await pause(2000);
const before = gateway.memory();
await open(count);
await pause(3000);
const after = gateway.memory();
report('idle-connections', {
  count,
  before_mib: before / 2 ** 20,
  after_mib: after / 2 ** 20,
  kib_each: (after - before) / 1024 / count,
});
await gateway[Symbol.asyncDispose]();
process.exit(0);
