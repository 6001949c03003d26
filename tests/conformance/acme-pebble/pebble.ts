/** Let's Encrypt's test authority, pebble, with its server of DNS answers, as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificate, serverCertificate } from '../../../src/acme/x509/certificates.ts';
import { generateKey, privateKeyPem } from '../../../src/acme/x509/keys.ts';
import { freePorts } from '../../support/ports.ts';

export interface PebbleOptions {
  /** The program. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Settings of its config file. */
  readonly settings?: object;
}

/** By key identifier. */
export const EAB_KEYS = { 'kid-1': 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };

export class Pebble implements AsyncDisposable {
  /** The root of its own server's certificate. */
  readonly trust: string;
  readonly directory: string;
  /** Where it performs challenges. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Makes TXT records: for the gateway's `webhook`. */
  readonly hook: string;
  readonly #options: PebbleOptions;
  readonly #folder: string;
  readonly #management: number;
  readonly #dns: ChildProcess;
  readonly #dnsPort: number;
  readonly #hookServer: http.Server;
  #process: ChildProcess | null = null;

  private constructor(
    options: PebbleOptions,
    folder: string,
    trust: string,
    ports: readonly number[],
    dns: ChildProcess,
    hookServer: http.Server,
  ) {
    const [listen = 0, management = 0, httpPort = 0, tlsPort = 0, dnsPort = 0] = ports;
    this.trust = trust;
    this.directory = `https://127.0.0.1:${listen}/dir`;
    this.httpPort = httpPort;
    this.tlsPort = tlsPort;
    this.hook = `http://127.0.0.1:${(hookServer.address() as AddressInfo).port}`;
    this.#options = options;
    this.#folder = folder;
    this.#management = management;
    this.#dns = dns;
    this.#dnsPort = dnsPort;
    this.#hookServer = hookServer;
  }

  static async start(options: PebbleOptions): Promise<Pebble> {
    const folder = mkdtempSync(join(tmpdir(), 'prozy-pebble-'));
    const [listen = 0, management = 0, httpPort = 0, tlsPort = 0, dnsPort = 0, dnsManagement = 0] = await freePorts(6);
    const now = Date.now();
    const validity = { from: now - 3_600_000, to: now + 86_400_000 };
    const authority = { name: 'Transport Root', key: await generateKey('p256') };
    const key = await generateKey('p256');
    writeFileSync(join(folder, 'cert.pem'), serverCertificate(['127.0.0.1'], key, validity, authority));
    writeFileSync(join(folder, 'key.pem'), privateKeyPem(key));
    const pebble = {
      listenAddress: `127.0.0.1:${listen}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: join(folder, 'cert.pem'),
      privateKey: join(folder, 'key.pem'),
      httpPort,
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
      ...options.settings,
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble }));
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
    const answers = ['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagement}`];
    const addresses = ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
    const dns = spawn('pebble-challtestsrv', [...off, ...answers, ...addresses], { stdio: 'ignore' });
    const hook = http.createServer((request, response) => {
      void relay(request, dnsManagement).then((status) => response.writeHead(status).end());
    });
    await once(hook.listen(0, '127.0.0.1'), 'listening');
    const ports = [listen, management, httpPort, tlsPort, dnsPort];
    const made = new Pebble(options, folder, rootCertificate(authority, validity), ports, dns, hook);
    await made.run();
    return made;
  }

  /** Starts it, without a memory of what was before. */
  async run(): Promise<void> {
    const { program, environment } = this.#options;
    const args = ['-config', join(this.#folder, 'config.json'), '-dnsserver', `127.0.0.1:${this.#dnsPort}`, '-strict'];
    this.#process = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...environment } });
    for (let tries = 0; tries < 500; tries++) {
      if ((await this.#manage('/roots/0')) !== null) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${program} does not start`);
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (running === null) return;
    this.#process = null;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  }

  /** The root of one of its chains, as PEM. */
  async root(number = 0): Promise<string> {
    return (await this.#manage(`/roots/${number}`)) ?? '';
  }

  /** `Valid`, `Revoked` or ''. */
  async statusOf(serial: string): Promise<string> {
    const text = await this.#manage(`/cert-status-by-serial/${serial.toLowerCase().replace(/^0+/, '')}`);
    return text === null ? '' : String((JSON.parse(text) as { Status?: string }).Status);
  }

  /** Whether it has renewal information (RFC 9773), and the names of its profiles. */
  async features(): Promise<{ readonly renewalInfo: boolean; readonly profiles: readonly string[] }> {
    const text = (await request(this.directory)) ?? '{}';
    const { renewalInfo, meta } = JSON.parse(text) as { renewalInfo?: string; meta?: { profiles?: object } };
    return { renewalInfo: renewalInfo !== undefined, profiles: Object.keys(meta?.profiles ?? {}) };
  }

  #manage(path: string): Promise<string | null> {
    return request(`https://127.0.0.1:${this.#management}${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const exited = once(this.#dns, 'exit');
    this.#dns.kill();
    await exited;
    await new Promise((resolve) => this.#hookServer.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** null: no answer, or not 200. */
function request(url: string): Promise<string | null> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': 'prozy-conformance' };
    const sent = https.get(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? body : null));
    });
    sent.on('error', () => resolve(null));
  });
}

/** From the form of lego's `httpreq` to that of pebble's server of DNS answers. */
async function relay(incoming: http.IncomingMessage, management: number): Promise<number> {
  let body = '';
  for await (const part of incoming as AsyncIterable<Buffer>) body += part.toString();
  const { fqdn, value } = JSON.parse(body) as { fqdn: string; value: string };
  const path = incoming.url === '/present' ? 'set-txt' : 'clear-txt';
  const { status } = await fetch(`http://127.0.0.1:${management}/${path}`, {
    method: 'POST',
    body: JSON.stringify({ host: fqdn, value }),
  });
  return status;
}
