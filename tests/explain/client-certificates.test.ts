/** Config tests and explain know server names and client certificates, and say of them what traffic meets. */
import { expect, test } from 'vitest';
import { explain } from '../../src/explain/explanation.ts';
import { plannedSubject } from '../../src/explain/planned.ts';
import type { AskedRequest } from '../../src/explain/request.ts';
import type { Plan } from '../../src/plan/types.ts';
import { certificatePath, pair, pem } from '../support/certificates.ts';
import { RawClient } from '../support/raw-client.ts';
import { testGateway, type TestGateway } from '../support/gateway.ts';
import tls from 'node:tls';

const CA = certificatePath('ca.pem');

const CONFIG = {
  version: 1,
  certificates: { names: pair('names') },
  acls: { staff: { certificates: [{ uri: 'spiffe://example.org/client' }] } },
  listeners: {
    web: {
      address: '127.0.0.1:0',
      tls: {
        certificates: ['names'],
        names: {
          'admin.example.com': { client_auth: { ca: CA, crl: certificatePath('clients-revoked.crl.pem') } },
          'other.example.com': { client_auth: { ca: CA, mode: 'optional' } },
        },
      },
    },
  },
  routes: [
    { name: 'staff', match: { path: '/staff' }, policies: [{ type: 'acl', acl: 'staff' }], respond: { status: 204 } },
    { name: 'rest', match: {}, respond: { status: 200 } },
  ],
};

interface Asked {
  readonly url: string;
  readonly name?: string;
  readonly certificate?: string;
}

const CASES: readonly (readonly [Asked, number | null])[] = [
  [{ url: 'https://open.example.com/' }, 200],
  [{ url: 'http://open.example.com/' }, 400],
  [{ url: 'https://admin.example.com/' }, null],
  [{ url: 'https://admin.example.com/', certificate: 'client' }, 200],
  [{ url: 'https://ADMIN.example.com/staff', certificate: 'client' }, 204],
  [{ url: 'https://admin.example.com/staff', certificate: 'direct' }, 403],
  [{ url: 'https://admin.example.com/', certificate: 'revoked' }, 400],
  [{ url: 'https://admin.example.com/', certificate: 'stranger' }, 400],
  [{ url: 'https://admin.example.com/', certificate: 'expired-client' }, 400],
  [{ url: 'https://admin.example.com/', certificate: 'server-only' }, 400],
  [{ url: 'https://admin.example.com/', certificate: 'client', name: 'open.example.com' }, 421],
  [{ url: 'https://admin.example.com/', certificate: 'client', name: 'other.example.com' }, 421],
  [{ url: 'https://admin.example.com/', name: '' }, 403],
  [{ url: 'https://open.example.com/', name: '' }, 200],
  [{ url: 'https://other.example.com/' }, 200],
  [{ url: 'https://other.example.com/', certificate: 'revoked' }, 200],
  [{ url: 'https://other.example.com/', certificate: 'stranger' }, 400],
  [{ url: 'https://other.example.com/staff' }, 403],
];

async function explained(plan: Plan, { url, name, certificate }: Asked): Promise<number | null> {
  const asked: AskedRequest = {
    method: 'GET',
    url,
    client: '192.0.2.1',
    headers: [],
    ...(name === undefined ? {} : { serverName: name }),
    ...(certificate === undefined ? {} : { certificate: pem(`${certificate}.pem`) }),
  };
  const told = await explain(plannedSubject(plan), asked, null, true);
  if ('unclear' in told) throw new Error(told.unclear);
  return told.outcome.status;
}

async function met(gateway: TestGateway, { url, name, certificate }: Asked): Promise<number | null> {
  const { protocol, host, pathname } = new URL(url);
  const port = gateway.port();
  const identity = certificate === undefined ? {} : { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) };
  const client =
    protocol === 'http:'
      ? await RawClient.to(port)
      : new RawClient(
          tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: name ?? host, ...identity }),
        );
  client.send(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  try {
    return (await client.response()).status;
  } catch {
    return null;
  } finally {
    client.socket.destroy();
  }
}

test('explain foresees what each client meets', async () => {
  await using gateway = await testGateway(CONFIG);
  const { plan } = gateway.running.gateway.current!;
  for (const [asked, status] of CASES) {
    expect([asked, await explained(plan, asked)]).toEqual([asked, status]);
    expect([asked, await met(gateway, asked)]).toEqual([asked, status]);
  }
});

test('tests in a config name server names and certificates', async () => {
  const client = (certificate: string): string => certificatePath(`${certificate}.pem`);
  const tests = [
    {
      request: { url: 'https://admin.example.com/staff', client_certificate: client('client') },
      expect: { status: 204 },
    },
    { request: { url: 'https://admin.example.com/' }, expect: { denied_by: 'listener', allowed: false } },
    {
      request: {
        url: 'https://admin.example.com/',
        server_name: 'open.example.com',
        client_certificate: client('client'),
      },
      expect: { status: 421 },
    },
  ];
  await using gateway = await testGateway({ ...CONFIG, tests });
  const { generation } = gateway.running.gateway.current!;
  await gateway.edit({ ...CONFIG, tests: [{ ...tests[0]!, expect: { status: 403 } }] });
  await gateway.edit({
    ...CONFIG,
    tests: [{ request: { url: 'https://admin.example.com/' }, expect: { status: 200 } }],
  });
  await gateway.edit({
    ...CONFIG,
    tests: [{ request: { url: 'https://a/', client_certificate: './none.pem' }, expect: { status: 200 } }],
  });
  expect(gateway.running.gateway.current!.generation).toBe(generation);
  const said = JSON.stringify(gateway.logged);
  expect(said).toContain('expected status 403, but route staff answers it with 204');
  expect(said).toContain('expected status 200, but the TLS handshake fails: clients need a certificate');
  expect(said).toContain('cannot read ');
});
