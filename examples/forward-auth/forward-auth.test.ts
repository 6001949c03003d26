/** Asks a real gateway in front of an application and an authorization service: `node --test forward-auth.test.ts`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningGateway, startGateway } from 'prozy';

const CONFIG = fileURLToPath(new URL('test.yaml', import.meta.url));

/** Says who asks, as far as it knows. */
const app = createServer((request, response) => response.end(`for ${String(request.headers['x-user'])}\n`));
/** Knows one token, and sends everyone else to a login page. */
const auth = createServer(({ url, headers }, response) => {
  if (url === '/verify' && headers.authorization === 'Bearer alice') response.setHeader('x-user', 'alice').end();
  else response.writeHead(302, { location: `/login?to=${String(headers['x-forwarded-uri'])}` }).end('log in\n');
});
let running: RunningGateway;

before(async () => {
  const port = async (server: typeof app): Promise<string> => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return String((server.address() as AddressInfo).port);
  };
  running = await startGateway(CONFIG, { env: { APP_PORT: await port(app), AUTH_PORT: await port(auth) } });
});
after(async () => {
  await running.close(0);
  app.close();
});

const ask = (headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${running.gateway.addressOf('web')!.port}/page?n=1`, { headers, redirect: 'manual' });

void test('the application learns from the service who asks, and not from the client', async () => {
  const admitted = await ask({ authorization: 'Bearer alice', 'x-user': 'root' });
  assert.equal(await admitted.text(), 'for alice\n');
});

void test('the response of the service goes to a client that it refuses', async () => {
  const refused = await ask({ 'x-user': 'root' });
  assert.deepEqual([refused.status, await refused.text()], [302, 'log in\n']);
  assert.equal(refused.headers.get('location'), '/login?to=/page?n=1');
});

void test('without the service nothing is admitted', async () => {
  auth.closeAllConnections();
  auth.close();
  assert.equal((await ask({ authorization: 'Bearer alice' })).status, 502);
});
