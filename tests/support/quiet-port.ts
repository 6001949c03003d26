/** A port for a process that is killed and started again: nobody is given it meanwhile. */
import { once } from 'node:events';
import net from 'node:net';

/** Below what Linux gives to those who ask for any port, and beside each other in processes side by side. */
let next = 20_000 + ((process.pid * 37) % 11_000);

export async function quietPort(): Promise<number> {
  for (;;) {
    const port = next++;
    const server = net.createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
