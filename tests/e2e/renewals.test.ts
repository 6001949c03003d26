/** Renewed certificates and unrelated reloads under TLS load. tests/conformance/renewals.ts does the same at length. */
import { expect, test } from 'vitest';
import { runRenewals } from '../conformance/renewals/run.ts';

test('no handshake fails, no connection is cut, and sessions resume', async () => {
  const { handshakes, requests, failed, cut, seen, resumed } = await runRenewals({
    renewals: 10,
    reloads: 10,
    clients: 2,
  });
  expect({ failed, cut, resumed }).toEqual({ failed: [], cut: [], resumed: true });
  expect(seen).toHaveLength(10);
  expect(Math.min(handshakes, requests)).toBeGreaterThan(20);
});
