/** An authority, the listeners that its challenges reach, a store, and a clock that goes on when all of them are at rest. */
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { AcmeIssuer, type AcmeIssuerParts } from '../../src/acme/acme-issuer.ts';
import { type DnsHook, dnsSolver } from '../../src/acme/challenges/dns01.ts';
import { PendingChallenges } from '../../src/acme/challenges/responder.ts';
import { type Account, register, type Registration } from '../../src/acme/client/account.ts';
import { AccountKey } from '../../src/acme/client/account-key.ts';
import { Authority } from '../../src/acme/client/authority.ts';
import { AUTHORITY_LIMITS, type HttpClient, httpClient } from '../../src/acme/client/http-client.ts';
import type { CertificateStatus } from '../../src/acme/managed-certificate.ts';
import { CertificateManager, type ManagerParts } from '../../src/acme/manager.ts';
import type { CertificateObserver } from '../../src/acme/observer.ts';
import { CertificateStore } from '../../src/acme/store.ts';
import { generateKey } from '../../src/acme/x509/keys.ts';
import { type Disk, systemDisk } from '../../src/kit/disk.ts';
import { AcmeServer } from './acme-server.ts';
import { ManualClock } from './manual-clock.ts';

const DAY = 86_400_000;
/** Turns of the loop without work under way, after which a world is at rest. */
const QUIET_TURNS = 20;

/** Keys that a thread is making now: for turns of the loop, nothing seems to happen. */
const keysInWork = new Set<number>();
createHook({
  init: (id, type) => void (type === 'KEYPAIRGENREQUEST' && keysInWork.add(id)),
  after: (id) => void keysInWork.delete(id),
}).enable();

export class AcmeWorld implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: AcmeServer;
  readonly directory = mkdtempSync(join(tmpdir(), 'prozy-acme-'));
  readonly challenges: PendingChallenges;
  /** What observers of managers heard: `issued a.example`, `failed rate_limited`. */
  readonly heard: string[] = [];
  readonly stop = new AbortController();
  readonly hook: DnsHook = {
    add: ({ name, value }) => {
      this.server.records.set(name, [...(this.server.records.get(name) ?? []), value]);
      return Promise.resolve();
    },
    remove: ({ name, value }) => {
      this.server.records.set(
        name,
        this.server.records.get(name)!.filter((one) => one !== value),
      );
      return Promise.resolve();
    },
  };
  readonly #listeners: (http.Server | tls.Server)[];
  readonly #managers: CertificateManager[] = [];
  #active = 0;

  private constructor(
    clock: ManualClock,
    server: AcmeServer,
    challenges: PendingChallenges,
    listeners: (http.Server | tls.Server)[],
  ) {
    this.clock = clock;
    this.server = server;
    this.challenges = challenges;
    this.#listeners = listeners;
  }

  static async open(): Promise<AcmeWorld> {
    const clock = new ManualClock();
    const server = await AcmeServer.open(clock);
    const challenges = new PendingChallenges(clock);
    const web = http.createServer((request, response) => {
      const found = challenges.http01(request.url!.replace('/.well-known/acme-challenge/', ''));
      response.writeHead(found === null ? 404 : 200).end(found ?? '');
    });
    const secure = tls.createServer({
      ALPNCallback(this: tls.TLSSocket, { servername, protocols }) {
        const pair = challenges.tlsAlpn01(servername);
        if (pair === null || !protocols.includes('acme-tls/1')) return undefined;
        this.setKeyCert(tls.createSecureContext(pair));
        return 'acme-tls/1';
      },
    } as tls.TlsOptions);
    for (const one of [web, secure]) await once(one.listen(0, '127.0.0.1'), 'listening');
    server.ports.http = (web.address() as AddressInfo).port;
    server.ports.tls = (secure.address() as AddressInfo).port;
    return new AcmeWorld(clock, server, challenges, [web, secure]);
  }

  /** Its work is waited for before the clock goes on. */
  http(): HttpClient {
    const limits = { ...AUTHORITY_LIMITS, trust: this.server.trust };
    const client = httpClient(limits, this.clock, 'prozy/test', this.stop.signal);
    return { send: (request) => this.#counted(client.send(request)) };
  }

  authority(url = this.server.directory): Authority {
    return new Authority(url, this.http(), this.clock);
  }

  async account(registration: Registration = { contact: [], external: null }): Promise<Account> {
    const authority = this.authority();
    const key = new AccountKey(await generateKey('p256'));
    const kid = await register(authority, key, registration);
    return { authority, signer: { key, kid } };
  }

  store(): CertificateStore {
    const disk = new Proxy(systemDisk, {
      get: (target, name: keyof Disk) => {
        const operation = target[name] as (...parts: unknown[]) => Promise<unknown>;
        return (...parts: unknown[]) => this.#counted(operation.apply(target, parts));
      },
    });
    return new CertificateStore(join(this.directory, 'acme'), disk);
  }

  issuer(store: CertificateStore, parts: Partial<AcmeIssuerParts> = {}): AcmeIssuer {
    const dns = dnsSolver({ hook: this.hook, wait: 5000, clock: this.clock, leftover: () => {} });
    return new AcmeIssuer({
      name: 'default',
      authority: this.authority(),
      registration: { contact: [], external: null },
      profile: null,
      preferredChain: null,
      solvers: [this.challenges.httpSolver, this.challenges.tlsSolver, dns],
      store,
      ...parts,
    });
  }

  manager(store: CertificateStore, parts: Partial<ManagerParts> = {}): CertificateManager {
    const note = ({ names }: CertificateStatus, what: string): void => void this.heard.push(`${what} ${names.join()}`);
    const observer: CertificateObserver = {
      changed: (status, how) => note(status, how),
      failed: (status, issuer, { code }) => note(status, `${issuer}: ${code}`),
      troubled: (reason) => this.heard.push(reason),
    };
    const made = new CertificateManager({
      store,
      clock: this.clock,
      random: () => 0.5,
      observer,
      watch: DAY,
      ...parts,
    });
    this.#managers.push(made);
    return made;
  }

  /** Lets time go on, whenever all are at rest, until the promise is settled. */
  async pass<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => void (settled = true);
    promise.then(mark, mark);
    await this.until(() => settled);
    return promise;
  }

  /** Lets time go on until it holds, at most for so long (ms). */
  async until(holds: () => boolean, most = 400 * DAY): Promise<void> {
    const end = this.clock.now() + most;
    for (;;) {
      await this.rest(holds);
      if (holds()) return;
      if (this.clock.now() >= end) throw new Error('it does not come to hold');
      this.clock.advance(Math.min(Math.max(this.clock.next, 1), end - this.clock.now()));
    }
  }

  /** Lets so much time pass (ms). */
  async wait(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.until(() => this.clock.now() >= end, ms + 1);
    await this.rest();
  }

  async rest(enough: () => boolean = () => false): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS && !enough(); quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#active + this.server.active + keysInWork.size > 0) quiet = 0;
    }
  }

  #counted<T>(work: Promise<T>): Promise<T> {
    this.#active++;
    return work.finally(() => this.#active--);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await Promise.all(this.#managers.map((one) => one.close()));
    await Promise.all(this.#listeners.map((one) => new Promise((resolve) => one.close(resolve))));
    await this.server[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
