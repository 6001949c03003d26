/** Session tickets over many keys: which tickets resume, and when a key is forgotten. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CertificatePair } from '../../../src/kit/certificate.ts';
import { seededRandom } from '../../../src/kit/random.ts';
import { onTicketKey } from '../../../src/net/stream-handles.ts';
import { SecureContexts } from '../../../src/net/tls/secure-contexts.ts';
import { TlsPolicy } from '../../../src/net/tls/server-policies.ts';
import { pem } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const HOUR = 3600_000;
const SETTINGS = { minVersion: '1.2', ciphers: tls.DEFAULT_CIPHERS, groups: 'X25519', clientAuth: null } as const;
const POLICY = new TlsPolicy(SETTINGS);

/** The rest of a pair is for others. */
const SITE = { chain: pem('site.pem'), key: pem('site.key') } as CertificatePair;

let clock: ManualClock;
let contexts: SecureContexts;
beforeEach(() => {
  clock = new ManualClock();
  contexts = new SecureContexts(clock, seededRandom(1));
});
afterEach(() => contexts.close());

interface Visit {
  readonly resumed: boolean;
  /** With the last ticket that the server has issued. */
  readonly session: Buffer;
  /** Has it issued any? */
  readonly ticket: boolean;
}

/** One connection to a server with the context of this moment. */
async function visit(
  session: Buffer | null,
  version: tls.SecureVersion,
  secrets: readonly Buffer[] | null = null,
  policy = POLICY,
): Promise<Visit> {
  const id = `${policy.id} ${secrets?.join(' ')}`;
  const secureContext = contexts.forServer(id, [SITE], policy, { id, secrets });
  const server = net.createServer((socket) => {
    const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
    secure.on('error', () => {});
    secure.end('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: version,
    ...(session === null ? {} : { session }),
  });
  await once(client, 'secureConnect');
  const resumed = client.isSessionReused();
  client.resume();
  await once(client, 'end');
  const seen: Visit = { resumed, session: client.getSession()!, ticket: client.getTLSTicket() !== undefined };
  await once(client, 'close');
  server.close();
  return seen;
}

for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
  test(`${version}: a ticket resumes, and a resumed connection gets another`, async () => {
    const first = await visit(null, version);
    const second = await visit(first.session, version);
    expect([first.resumed, second.resumed]).toEqual([false, true]);
    if (onTicketKey !== null) expect((await visit(second.session, version)).resumed).toBe(true);
  });

  test.skipIf(onTicketKey === null)(`${version}: older tickets outlive rotations, for a day`, async () => {
    const { session } = await visit(null, version);
    for (let hours = 0; hours < 24; hours += 6) {
      clock.advance(6 * HOUR);
      expect((await visit(session, version)).resumed).toBe(true);
    }
    // The key encrypted for 24 hours at most, and decrypts for 24 hours more; then it is gone with the next rotation.
    clock.advance(48 * HOUR);
    expect((await visit(session, version)).resumed).toBe(false);
  });

  test(`${version}: without secrets, no ticket is issued or accepted`, async () => {
    const { session } = await visit(null, version);
    const without = await visit(session, version, []);
    expect(without.resumed).toBe(false);
    expect((await visit(without.session, version, [])).resumed).toBe(false);
    if (onTicketKey !== null) expect(without.ticket).toBe(false);
  });

  test.skipIf(onTicketKey === null)(`${version}: given secrets: the first encrypts, all decrypt`, async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => Buffer.alloc(48, letter)) as [Buffer, Buffer, Buffer];
    const underA = await visit(null, version, [a]);
    const both = await visit(underA.session, version, [b, a]);
    expect(both.resumed).toBe(true);
    // Renewed under the first key.
    expect((await visit(both.session, version, [b])).resumed).toBe(true);
    expect((await visit(underA.session, version, [c])).resumed).toBe(false);
  });

  test(`${version}: a ticket is worth nothing under another policy`, async () => {
    const secrets = [Buffer.alloc(80, 's')];
    const { session } = await visit(null, version, secrets);
    expect(
      (await visit(session, version, secrets, new TlsPolicy({ ...SETTINGS, groups: 'P-256:X25519' }))).resumed,
    ).toBe(false);
  });
}

test('the gateway replaces its own secret after 12 to 24 hours', async () => {
  const changes: number[] = [];
  const start = clock.now();
  await visit(null, 'TLSv1.3');
  for (let hours = 0; hours < 240; hours++) {
    clock.advance(HOUR);
    if (contexts.size > 0) continue;
    changes.push((clock.now() - start) / HOUR);
    await visit(null, 'TLSv1.3');
  }
  const gaps = changes.map((at, i) => at - (changes[i - 1] ?? 0));
  expect(gaps.length).toBeGreaterThanOrEqual(10);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(12);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(25);
  expect(new Set(gaps).size).toBeGreaterThan(1);
});
