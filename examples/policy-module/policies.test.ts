/** Asks a real gateway with both policies: `node --test policies.test.ts`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunningGateway, startGateway } from 'prozy';

const CONFIG = fileURLToPath(new URL('test.yaml', import.meta.url));

/** Answers with a page that names what it has learned. */
const app = createServer((request, response) => {
  const { 'x-api-owner': owner, 'x-api-key': key, 'x-request-id': id } = request.headers;
  response.setHeader('content-type', 'text/html');
  response.end(`${String(owner)} ${String(key)} ${String(id)}\n`);
});
let running: RunningGateway;

before(async () => {
  await once(app.listen(0, '127.0.0.1'), 'listening');
  const env = { APP_PORT: String((app.address() as AddressInfo).port) };
  running = await startGateway(CONFIG, { env });
});
after(async () => {
  await running.close(0);
  app.close();
});

const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${running.gateway.addressOf('web')!.port}${path}`, { headers });

void test('a request to the API needs a known key', async () => {
  assert.equal((await ask('/api')).status, 401);
  assert.equal((await ask('/api', { 'x-api-key': 'not the key' })).status, 401);
  const admitted = await ask('/api', { 'x-api-key': 'only-for-tests' });
  assert.equal(await admitted.text(), 'alice undefined undefined\n');
});

void test('a page ends with the id that the backend and the client have', async () => {
  const page = await ask('/');
  const id = page.headers.get('x-request-id');
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.equal(await page.text(), `undefined undefined ${id}\n<!-- x-request-id: ${id} -->\n`);
});
