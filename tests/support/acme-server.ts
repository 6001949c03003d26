/**
 * An authority with ACME (RFC 8555) on loopback: it checks nonces, signatures and signing requests, and performs the
 * challenges for real. Tests make it slow, forgetful, limited or absent.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import tls from 'node:tls';
import type { Clock } from '../../src/kit/clock.ts';
import { rootCertificate, serverCertificate } from '../../src/acme/x509/certificates.ts';
import { DerReader, TAG } from '../../src/kit/der.ts';
import { generateKey, privateKeyPem } from '../../src/acme/x509/keys.ts';

type Json = Record<string, unknown>;

interface Problem {
  readonly status: number;
  readonly type: string;
  readonly detail: string;
  readonly fields?: Record<string, string>;
  readonly subproblems?: unknown[];
}

interface Authorization {
  readonly url: string;
  readonly type: string;
  readonly value: string;
  readonly wildcard: boolean;
  readonly token: string;
  status: string;
  error: Json | null;
  failed: string;
  /** Polls until a validation that has ended is told. */
  left: number;
}

interface Order {
  readonly url: string;
  readonly account: string;
  readonly identifiers: readonly { type: string; value: string }[];
  readonly profile: string | undefined;
  readonly replaces: string | undefined;
  readonly authorizations: readonly Authorization[];
  certificate: string;
  /** Polls that an order stays in processing. */
  left: number;
}

export interface Request {
  readonly url: string;
  readonly kid: string | null;
  readonly payload: Json;
}

const DAY = 86_400_000;

export class AcmeServer implements AsyncDisposable {
  readonly origin: string;
  /** The root of its own certificate, to be trusted by clients. */
  readonly trust: string;
  /** Where the challenges of all names are performed. */
  readonly ports = { http: 0, tls: 0 };
  /** The values of TXT records. */
  readonly records = new Map<string, string[]>();
  readonly accounts = new Map<string, KeyObject>();
  readonly contacts: unknown[] = [];
  readonly orders: Order[] = [];
  readonly revoked: { readonly serial: string; readonly reason: unknown }[] = [];
  /** Signed requests that were accepted. */
  readonly requests: Request[] = [];
  /** Requests of any kind. */
  hits = 0;
  /** Requests under way. */
  active = 0;
  /* What tests may change. */
  lifetime = 90 * DAY;
  /** Refuses every nonce that many times more. */
  badNonces = 0;
  validationPolls = 0;
  processingPolls = 0;
  retryAfter: string | null = null;
  /** Answers with this in place of what the path would give; null: nothing is wrong. */
  trouble: (path: string, payload: Json) => Problem | null = () => null;
  away = false;
  /** Requests wait for it. */
  gate: Promise<void> = Promise.resolve();
  external: { readonly keyId: string; readonly key: string } | null = null;
  profiles: Record<string, string> = {};
  /** null: there is no renewal information. */
  window: ((certificate: X509Certificate) => { start: string; end: string }) | null = null;
  challengeTypes = ['http-01', 'tls-alpn-01', 'dns-01'];
  readonly #clock: Clock;
  readonly #server: https.Server;
  readonly #root: { readonly name: string; readonly key: KeyObject; readonly cert: string };
  readonly #otherRoot: string;
  readonly #nonces = new Set<string>();
  readonly #certificates = new Map<string, string>();
  #count = 0;

  private constructor(
    clock: Clock,
    server: https.Server,
    trust: string,
    root: { name: string; key: KeyObject; cert: string },
  ) {
    this.#clock = clock;
    this.#server = server;
    this.trust = trust;
    this.origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#root = root;
    this.#otherRoot = rootCertificate(
      { name: 'Other Root', key: root.key },
      { from: clock.wall() - DAY, to: clock.wall() + 9000 * DAY },
    );
    server.on('request', (request, response) => {
      void this.#serve(request, response);
    });
  }

  static async open(clock: Clock): Promise<AcmeServer> {
    // Its own certificate is for the real time, which is that of the TLS library.
    const now = Date.now();
    const transport = { name: 'Transport Root', key: await generateKey('p256') };
    const key = await generateKey('p256');
    const trust = rootCertificate(transport, { from: now - DAY, to: now + 10 * DAY });
    const cert = serverCertificate(['127.0.0.1', 'localhost'], key, { from: now - DAY, to: now + DAY }, transport);
    const server = https.createServer({ cert, key: privateKeyPem(key) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuing = { name: 'Test Root', key: await generateKey('p256') };
    const root = {
      ...issuing,
      cert: rootCertificate(issuing, { from: clock.wall() - DAY, to: clock.wall() + 9000 * DAY }),
    };
    return new AcmeServer(clock, server, trust, root);
  }

  get directory(): string {
    return `${this.origin}/directory`;
  }

  get root(): X509Certificate {
    return new X509Certificate(this.#root.cert);
  }

  count(path: string): number {
    return this.requests.filter(({ url }) => new URL(url).pathname.startsWith(path)).length;
  }

  forgetAccounts(): void {
    this.accounts.clear();
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.hits++;
    this.active++;
    try {
      await this.gate;
      if (this.away) {
        request.socket.destroy();
        return;
      }
      let body = '';
      for await (const part of request as AsyncIterable<Buffer>) body += part.toString();
      await this.#answer(request.method ?? '', request.url ?? '', request.headers, body, response);
    } catch (error) {
      const known = isProblem(error);
      if (!known) console.error(error);
      const {
        status,
        type,
        detail,
        fields = {},
        subproblems,
      } = known ? error : problem('serverInternal', String(error), 500);
      const document = { type: `urn:ietf:params:acme:error:${type}`, detail, status, subproblems };
      response.writeHead(status, { 'content-type': 'application/problem+json', ...this.#nonce(), ...fields });
      response.end(JSON.stringify(document));
    } finally {
      this.active--;
    }
  }

  async #answer(
    method: string,
    path: string,
    fields: http.IncomingHttpHeaders,
    body: string,
    response: http.ServerResponse,
  ): Promise<void> {
    if (fields['user-agent'] === undefined) throw problem('malformed', 'a request without User-Agent');
    const send = (status: number, value: unknown, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...this.#nonce(), ...more });
      response.end(JSON.stringify(value));
    };
    if (path === '/directory' || path === '/nonce' || path.startsWith('/renewal/')) {
      const wrong = this.trouble(path, {});
      if (wrong !== null) throw wrong;
    }
    if (method === 'GET' && path === '/directory') return send(200, this.#directory());
    if (method === 'HEAD' && path === '/nonce') return void response.writeHead(200, this.#nonce()).end();
    if (method === 'GET' && path.startsWith('/renewal/')) return this.#renewal(path.slice('/renewal/'.length), send);
    if (method !== 'POST') throw problem('malformed', `${method} ${path}`, 405);
    if (fields['content-type'] !== 'application/jose+json') throw problem('malformed', 'not JOSE', 415);
    const { account, key, kid, payload, text } = this.#open(body, path);
    this.requests.push({ url: `${this.origin}${path}`, kid, payload });
    const wrong = this.trouble(path, payload);
    if (wrong !== null) throw wrong;
    if (path === '/account') return this.#account(key, payload, send);
    if (account === null) throw problem('malformed', 'a key in place of an account');
    if (path === '/order') return this.#newOrder(account, payload, send);
    if (path === '/revoke') return this.#revoke(payload, send);
    const [, kind = '', number = ''] = path.split('/');
    const wait: Record<string, string> = this.retryAfter === null ? {} : { 'retry-after': this.retryAfter };
    if (kind === 'certificate') {
      const chain = this.#certificates.get(number);
      if (chain === undefined || text !== '') throw problem('malformed', 'no such certificate', 404);
      const alternate = number.endsWith('-other')
        ? {}
        : { link: `<${this.origin}/certificate/${number}-other>;rel="alternate"` };
      response.writeHead(200, { 'content-type': 'application/pem-certificate-chain', ...this.#nonce(), ...alternate });
      return void response.end(chain);
    }
    const order = this.orders.find(({ url }) => url === `/${kind === 'finalize' ? 'orders' : kind}/${number}`);
    if (order !== undefined && order.account !== account) throw problem('unauthorized', 'the order of another', 403);
    if (kind === 'orders' && order !== undefined) return send(200, this.#orderObject(order, true), wait);
    if (kind === 'finalize' && order !== undefined) return this.#finalize(order, payload, send);
    const found = this.orders
      .flatMap(({ authorizations }) => authorizations)
      .find(({ url }) => url === `/authorization/${number}`);
    if (found === undefined) throw problem('malformed', `no such thing: ${path}`, 404);
    if (kind === 'challenge') {
      const type = path.split('/')[3]!;
      if (found.status === 'pending' && found.failed === '') {
        found.failed = 'validating';
        void this.#validate(found, type, key);
      }
      return send(200, { type, url: this.#challengeUrl(found, type), token: found.token, status: 'processing' });
    }
    if (found.failed === 'done') {
      if (found.left > 0) found.left--;
      else found.status = found.error === null ? 'valid' : 'invalid';
    }
    return send(200, this.#authorizationObject(found), wait);
  }

  #directory(): Json {
    return {
      newNonce: `${this.origin}/nonce`,
      newAccount: `${this.origin}/account`,
      newOrder: `${this.origin}/order`,
      revokeCert: `${this.origin}/revoke`,
      keyChange: `${this.origin}/key-change`,
      ...(this.window === null ? {} : { renewalInfo: `${this.origin}/renewal` }),
      meta: { externalAccountRequired: this.external !== null, profiles: this.profiles },
    };
  }

  #nonce(): { 'replay-nonce': string } {
    const nonce = randomBytes(16).toString('base64url');
    this.#nonces.add(nonce);
    return { 'replay-nonce': nonce };
  }

  /** Checks a signed request (§6.2 to §6.5). */
  #open(
    body: string,
    path: string,
  ): { account: string | null; key: KeyObject; kid: string | null; payload: Json; text: string } {
    const jws = JSON.parse(body) as { protected: string; payload: string; signature: string };
    const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) as Json;
    if (header['alg'] !== 'ES256') throw problem('badSignatureAlgorithm', String(header['alg']));
    if (header['url'] !== `${this.origin}${path}`) throw problem('unauthorized', 'the url is another', 401);
    if ('jwk' in header === 'kid' in header) throw problem('malformed', 'one of jwk and kid');
    const kid = (header['kid'] as string | undefined) ?? null;
    const key = kid === null ? createPublicKey({ key: header['jwk'] as never, format: 'jwk' }) : this.accounts.get(kid);
    if (key === undefined) throw problem('accountDoesNotExist', 'no such account', 400);
    const input = Buffer.from(`${jws.protected}.${jws.payload}`);
    const signature = Buffer.from(jws.signature, 'base64url');
    if (signature.length !== 64 || !verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature))
      throw problem('malformed', 'the signature is wrong');
    // After the signature, so that a test of nonces sees signatures that are right.
    if (this.badNonces > 0) {
      this.badNonces--;
      throw problem('badNonce', 'not this one');
    }
    if (!this.#nonces.delete(header['nonce'] as string)) throw problem('badNonce', 'not one of ours, or used');
    const text = Buffer.from(jws.payload, 'base64url').toString();
    return { account: kid, key, kid, payload: text === '' ? {} : (JSON.parse(text) as Json), text };
  }

  #account(key: KeyObject, payload: Json, send: Send): void {
    const known = [...this.accounts].find(([, one]) => one.equals(key));
    if (known !== undefined) return send(200, { status: 'valid' }, { location: known[0] });
    if (payload['termsOfServiceAgreed'] !== true) throw problem('userActionRequired', 'agree first', 403);
    if (this.external !== null) this.#checkBinding(key, payload['externalAccountBinding']);
    const url = `${this.origin}/accounts/${++this.#count}`;
    this.accounts.set(url, key);
    this.contacts.push(payload['contact']);
    send(201, { status: 'valid' }, { location: url });
  }

  /** §7.3.4. */
  #checkBinding(key: KeyObject, binding: unknown): void {
    const jws = binding as { protected: string; payload: string; signature: string } | undefined;
    if (jws === undefined) throw problem('externalAccountRequired', 'no binding', 403);
    const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) as Json;
    const mac = createHmac('sha256', Buffer.from(this.external!.key, 'base64url'))
      .update(`${jws.protected}.${jws.payload}`)
      .digest('base64url');
    const jwk = JSON.parse(Buffer.from(jws.payload, 'base64url').toString()) as never;
    const right =
      header['alg'] === 'HS256' &&
      header['kid'] === this.external!.keyId &&
      header['url'] === `${this.origin}/account` &&
      !('nonce' in header) &&
      mac === jws.signature &&
      createPublicKey({ key: jwk, format: 'jwk' }).equals(key);
    if (!right) throw problem('unauthorized', 'the binding is wrong', 401);
  }

  #newOrder(account: string, payload: Json, send: Send): void {
    const identifiers = payload['identifiers'] as { type: string; value: string }[];
    const [profile, replaces] = [payload['profile'], payload['replaces']] as (string | undefined)[];
    if (profile !== undefined && !(profile in this.profiles)) throw problem('invalidProfile', profile);
    if (replaces !== undefined && this.orders.some((one) => one.replaces === replaces && one.certificate !== ''))
      throw problem('alreadyReplaced', replaces, 409);
    const authorizations = identifiers.map(({ type, value }): Authorization => {
      if ((isIP(value) === 0 ? 'dns' : 'ip') !== type) throw problem('malformed', value);
      return {
        url: `/authorization/${++this.#count}`,
        type,
        value: value.replace(/^\*\./, ''),
        wildcard: value.startsWith('*.'),
        token: randomBytes(24).toString('base64url'),
        status: 'pending',
        error: null,
        failed: '',
        left: this.validationPolls,
      };
    });
    const url = `/orders/${++this.#count}`;
    const order = {
      url,
      account,
      identifiers,
      profile,
      replaces,
      authorizations,
      certificate: '',
      left: this.processingPolls,
    };
    this.orders.push(order);
    send(201, this.#orderObject(order, false), { location: this.origin + url });
  }

  #orderObject(order: Order, poll: boolean): Json {
    const bad = order.authorizations.some(({ status }) => status === 'invalid');
    const all = order.authorizations.every(({ status }) => status === 'valid');
    let status = bad ? 'invalid' : all ? 'ready' : 'pending';
    if (order.certificate !== '') {
      status = order.left > 0 ? 'processing' : 'valid';
      if (poll && order.left > 0) order.left--;
    }
    return {
      status,
      identifiers: order.identifiers,
      profile: order.profile,
      replaces: order.replaces,
      authorizations: order.authorizations.map(({ url }) => this.origin + url),
      finalize: `${this.origin}${order.url.replace('orders', 'finalize')}`,
      ...(status === 'valid' ? { certificate: `${this.origin}/certificate/${order.certificate}` } : {}),
      ...(bad ? { error: { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'an authorization failed' } } : {}),
    };
  }

  #challengeUrl({ url }: Authorization, type: string): string {
    return `${this.origin}${url.replace('authorization', 'challenge')}/${type}`;
  }

  #authorizationObject(one: Authorization): Json {
    const { type, value, wildcard, status, token, error } = one;
    const types = wildcard ? ['dns-01'] : this.challengeTypes;
    const challenges = types.map((kind) => ({
      type: kind,
      url: this.#challengeUrl(one, kind),
      token,
      status,
      ...(status === 'invalid' && error !== null ? { error } : {}),
    }));
    return { identifier: { type, value }, status, challenges, ...(wildcard ? { wildcard } : {}) };
  }

  async #validate(one: Authorization, type: string, key: KeyObject): Promise<void> {
    const { crv, kty, x, y } = key.export({ format: 'jwk' });
    const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    const wanted = `${one.token}.${thumbprint}`;
    this.active++;
    try {
      const wrong = await this.#look(one, type, wanted);
      if (wrong !== '') one.error = { type: 'urn:ietf:params:acme:error:unauthorized', detail: wrong, status: 403 };
    } catch (error) {
      one.error = { type: 'urn:ietf:params:acme:error:connection', detail: String(error), status: 400 };
    } finally {
      this.active--;
      one.failed = 'done';
    }
  }

  /** Returns what is wrong; '': nothing. */
  async #look({ value, token }: Authorization, type: string, wanted: string): Promise<string> {
    const digest = createHash('sha256').update(wanted).digest();
    if (type === 'dns-01') {
      const values = this.records.get(`_acme-challenge.${value}`) ?? [];
      return values.includes(digest.toString('base64url')) ? '' : `no record has the value: ${values.join(' ')}`;
    }
    if (type === 'http-01') {
      const found = await get(this.ports.http, value, `/.well-known/acme-challenge/${token}`);
      return found.trimEnd() === wanted ? '' : `the content is ${found}`;
    }
    const servername = isIP(value) === 4 ? `${value.split('.').toReversed().join('.')}.in-addr.arpa` : value;
    const socket = tls.connect({
      host: '127.0.0.1',
      port: this.ports.tls,
      servername,
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
    });
    try {
      await once(socket, 'secureConnect');
      if (socket.alpnProtocol !== 'acme-tls/1') return 'another protocol';
      const raw = socket.getPeerX509Certificate()!;
      const names = isIP(value) === 0 ? `DNS:${value}` : `IP Address:${value}`;
      if (raw.subjectAltName !== names) return `the certificate is for ${raw.subjectAltName}`;
      // RFC 8737 §3: id-pe-acmeIdentifier, critical, with the digest in an OCTET STRING in the extension's.
      const extension = Buffer.concat([
        Buffer.from('06082b06010505070 11f0101ff04220420'.replaceAll(' ', ''), 'hex'),
        digest,
      ]);
      return raw.raw.includes(extension) ? '' : 'the digest is another';
    } finally {
      socket.destroy();
    }
  }

  #finalize(order: Order, payload: Json, send: Send): void {
    if (order.authorizations.some(({ status }) => status !== 'valid')) throw problem('orderNotReady', 'not yet', 403);
    const { key, names } = openRequest(Buffer.from(payload['csr'] as string, 'base64url'));
    const wanted = order.identifiers.map(({ value }) => value).toSorted();
    if (names.toSorted().join() !== wanted.join()) throw problem('badCSR', names.join());
    const now = this.#clock.wall();
    const validity = { from: now - 3_600_000, to: now + this.lifetime };
    const cert = serverCertificate(
      order.identifiers.map(({ value }) => value),
      key,
      validity,
      this.#root,
    );
    order.certificate = String(++this.#count);
    this.#certificates.set(order.certificate, cert + this.#root.cert);
    this.#certificates.set(`${order.certificate}-other`, cert + this.#otherRoot);
    send(200, this.#orderObject(order, false), { location: this.origin + order.url });
  }

  #renewal(id: string, send: Send): void {
    const found = [...this.#certificates.values()]
      .map((chain) => new X509Certificate(chain))
      .find((one) => {
        const serial = Buffer.from(one.serialNumber, 'hex').toString('base64url');
        return id.split('.')[1] === serial;
      });
    if (found === undefined || this.window === null) throw problem('malformed', 'no such certificate', 404);
    send(200, { suggestedWindow: this.window(found) }, { 'retry-after': '21600' });
  }

  #revoke(payload: Json, send: Send): void {
    const { serialNumber } = new X509Certificate(Buffer.from(payload['certificate'] as string, 'base64url'));
    if (this.revoked.some(({ serial }) => serial === serialNumber)) throw problem('alreadyRevoked', serialNumber);
    this.revoked.push({ serial: serialNumber, reason: payload['reason'] });
    send(200, {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

type Send = (status: number, value: unknown, fields?: Record<string, string>) => void;

export function problem(type: string, detail: string, status = 400, fields: Record<string, string> = {}): Problem {
  return { status, type, detail, fields };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && !(value instanceof Error) && 'detail' in value;
}

function get(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? body : `status ${response.statusCode}`));
    });
    request.on('error', reject);
  });
}

/** Checks the signature of a request (RFC 2986), and reads its key and names. */
function openRequest(der: Buffer): { key: KeyObject; names: string[] } {
  const outer = new DerReader(new DerReader(der).expect(TAG.SEQUENCE).content);
  const info = outer.expect(TAG.SEQUENCE);
  outer.expect(TAG.SEQUENCE);
  const signature = outer.expect(TAG.BIT_STRING).content.subarray(1);
  const parts = new DerReader(info.content);
  parts.expect(TAG.INTEGER);
  parts.expect(TAG.SEQUENCE);
  const key = createPublicKey({ key: parts.expect(TAG.SEQUENCE).whole, type: 'spki', format: 'der' });
  const hash = key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
  if (!verify(hash, info.whole, key, signature)) throw problem('badCSR', 'the signature is wrong');
  const attribute = new DerReader(new DerReader(parts.next().content).expect(TAG.SEQUENCE).content);
  attribute.next();
  const extensions = new DerReader(new DerReader(attribute.next().content).expect(TAG.SEQUENCE).content);
  const extension = new DerReader(extensions.expect(TAG.SEQUENCE).content);
  extension.next();
  const names = new DerReader(new DerReader(extension.next().content).expect(TAG.SEQUENCE).content);
  const found: string[] = [];
  while (!names.atEnd) {
    const { tag, content } = names.next();
    found.push(tag === 0x82 ? content.toString() : [...content].join('.'));
  }
  return { key, names: found };
}
