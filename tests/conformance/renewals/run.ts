/** Certificates that are renewed, and reloads of other settings, under TLS load: what clients notice of it. */
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificatePath } from '../../support/certificates.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../../support/gateway.ts';
import { httpOrigin } from '../../support/origin.ts';
import { RawClient } from '../../support/raw-client.ts';

export interface RenewalRun {
  /** Handshakes of clients that connect anew for each request, and those of them that failed. */
  readonly handshakes: number;
  readonly failed: readonly string[];
  /** Requests on connections that are kept from the begin to the end, and those connections that were cut. */
  readonly requests: number;
  readonly cut: readonly string[];
  /** Milliseconds from the moment that both files are new to the first handshake with the new certificate, sorted. */
  readonly seen: readonly number[];
  /** Whether a session from before all of it resumes after it. */
  readonly resumed: boolean;
  /** Configs that were refused: a pair of which only one half was new when it was read. */
  readonly refused: number;
}

export interface RenewalOptions {
  readonly renewals: number;
  /** Reloads that don't touch a certificate. */
  readonly reloads: number;
  /** Clients that connect for each request, and clients that keep their connection. */
  readonly clients: number;
}

const GET = 'GET / HTTP/1.1\r\nHost: site.example\r\n\r\n';
const PAIRS = ['site', 'renewed'] as const;

export async function runRenewals({ renewals, reloads, clients }: RenewalOptions): Promise<RenewalRun> {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-renewals-'));
  try {
    place(folder, PAIRS[0]);
    await using origin = await httpOrigin();
    const certificates = { site: { cert: join(folder, 'site.pem'), key: join(folder, 'site.key') } };
    const config = (revision: number): object =>
      simpleConfig(origin.port, {
        certificates,
        listeners: { web: { address: '127.0.0.1:0', tls: { certificates: ['site'] } } },
        routes: [
          { name: 'revision', match: { path: '/revision' }, respond: { body: String(revision) } },
          { name: 'all', match: {}, pool: 'origin' },
        ],
      });
    await using gateway = await testGateway(config(0));
    const load = new TlsLoad(gateway.port(), clients);
    await using first = await RawClient.secure(gateway.port());
    await first.send(GET).response();
    const session = first.socket.getSession()!;
    const seen: number[] = [];
    for (let i = 1; i <= renewals; i++) seen.push(await renew(folder, PAIRS[i % 2]!, gateway));
    for (let i = 1; i <= reloads; i++) await gateway.edit(config(i));
    await load.stop();
    await using again = await RawClient.secure(gateway.port(), { session });
    return {
      handshakes: load.handshakes,
      failed: load.failed,
      requests: load.requests,
      cut: load.cut,
      seen: seen.toSorted((a, b) => a - b),
      resumed: again.socket.isSessionReused(),
      refused: gateway.running.gateway.metrics.reload.results.failed,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Replaces one file after the other, as certbot and others do. */
function place(folder: string, pair: string): void {
  for (const end of ['pem', 'key']) {
    copyFileSync(certificatePath(`${pair}.${end}`), join(folder, 'new'));
    renameSync(join(folder, 'new'), join(folder, `site.${end}`));
  }
}

/** Resolves to the time until a client gets the new certificate. */
async function renew(folder: string, pair: string, gateway: TestGateway): Promise<number> {
  place(folder, pair);
  const placed = performance.now();
  let served = '';
  await until(
    () => served === pair,
    'the new certificate serves',
    async () => {
      await using client = await RawClient.secure(gateway.port());
      served = String(client.socket.getPeerCertificate().subject.CN);
    },
  );
  return performance.now() - placed;
}

class TlsLoad {
  handshakes = 0;
  requests = 0;
  readonly failed: string[] = [];
  readonly cut: string[] = [];
  readonly #port: number;
  readonly #runs: Promise<void>[] = [];
  #stopped = false;

  constructor(port: number, clients: number) {
    this.#port = port;
    for (let i = 0; i < clients; i++) this.#runs.push(this.#connecting(), this.#keeping());
  }

  /** Connects for each request. */
  async #connecting(): Promise<void> {
    while (!this.#stopped) {
      this.handshakes++;
      try {
        await using client = await RawClient.secure(this.#port, { servername: 'site.example' });
        const { status } = await client.send(GET).response();
        if (status !== 200) this.failed.push(String(status));
      } catch (error) {
        this.failed.push(String(error));
      }
    }
  }

  async #keeping(): Promise<void> {
    await using client = await RawClient.secure(this.#port);
    while (!this.#stopped) {
      try {
        this.requests++;
        const { status } = await client.send(GET).response();
        if (status !== 200) this.cut.push(String(status));
      } catch (error) {
        this.cut.push(String(error));
        return;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#runs);
  }
}
