/** Asks a real gateway with the policy: `node --test api-key.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startGateway } from 'prozy';

void test('a request needs a known key', async () => {
  const running = await startGateway(fileURLToPath(new URL('test.yaml', import.meta.url)));
  try {
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`http://127.0.0.1:${running.gateway.addressOf('web')!.port}/`, { headers })).status;
    assert.equal(await ask({}), 401);
    assert.equal(await ask({ 'x-api-key': 'not the key' }), 401);
    assert.equal(await ask({ 'x-api-key': 'only-for-tests' }), 200);
  } finally {
    await running.close(0);
  }
});
