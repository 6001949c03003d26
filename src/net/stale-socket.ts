/**
 * Removes Unix socket files that a killed process has left behind. Cold.
 *
 * Such a file blocks its path although no process listens there. The gateway removes only a socket that refuses
 * connections and is still the same file afterwards. It keeps files that are not sockets, sockets that can't be tested,
 * and sockets with a listener, even a busy one (EAGAIN).
 */
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';

/** Opens a server at `path`, and removes a stale socket first if necessary. Rejects with the system's error. */
export async function listenAtPath(server: net.Server, path: string, backlog: number): Promise<void> {
  const open = async (): Promise<void> => {
    server.listen({ path, backlog });
    await once(server, 'listening');
  };
  await open().catch(async (error: NodeJS.ErrnoException) => {
    const taken = error.code === 'EADDRINUSE';
    return taken && (await removeStale(path)) ? open() : Promise.reject(error);
  });
}

async function removeStale(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isSocket() || !(await refuses(path))) return false;
  const still = await lstat(path).catch(() => null);
  if (still === null || still.ino !== found.ino || still.dev !== found.dev) return false;
  return unlink(path).then(
    () => true,
    () => false,
  );
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}
