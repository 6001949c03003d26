/**
 * Requests to one authority: its directory, its nonces, signed requests and their answers (RFC 8555 §6, §7.1). Cold.
 *
 * A nonce serves once. The authority sends a new one with each answer; a few are kept for orders that run at once.
 */
import type { Clock } from '../../kit/clock.ts';
import type { AccountKey } from './account-key.ts';
import { AcmeError, asRecord, problemError, textOf } from './acme-error.ts';
import { type HttpClient, type HttpRequest, type HttpResponse, retryAfter } from './http-client.ts';

export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string;
  /** RFC 9773 §4.1; null: the authority does not say when to renew. */
  readonly renewalInfo: string | null;
  /** draft-aaron-acme-profiles §3: the names of the profiles; empty: the authority has none. */
  readonly profiles: readonly string[];
  readonly externalAccountRequired: boolean;
}

/** Who signs: `kid` null for a request with the whole key, before there is an account. */
export interface Signer {
  readonly key: AccountKey;
  readonly kid: string | null;
}

export interface Answer {
  readonly status: number;
  readonly fields: HttpResponse['fields'];
  /** The object of a JSON body; empty for another body. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Milliseconds; null: the authority does not say. */
  readonly retryAfter: number | null;
}

const MOST_NONCES = 16;
/** RFC 8555 §6.5: the answer to a bad nonce has a good one. */
const MOST_NONCE_RETRIES = 10;
/** How long a directory is good for (ms). */
const DIRECTORY_LIFETIME = 3_600_000;

export class Authority {
  /** The URL of the directory. */
  readonly url: string;
  readonly clock: Clock;
  readonly #http: HttpClient;
  #directory: { readonly read: Promise<Directory>; readonly at: number } | null = null;
  #nonces: string[] = [];

  constructor(url: string, http: HttpClient, clock: Clock) {
    this.url = url;
    this.#http = http;
    this.clock = clock;
  }

  /** Several callers share one request; a failure is not kept. */
  directory(): Promise<Directory> {
    const known = this.#directory;
    if (known !== null && this.clock.now() - known.at < DIRECTORY_LIFETIME) return known.read;
    const read = this.#readDirectory();
    const mine = { read, at: this.clock.now() };
    this.#directory = mine;
    read.catch(() => {
      if (this.#directory === mine) this.#directory = null;
    });
    return read;
  }

  /** An unsigned GET, which only the directory and renewal information have (RFC 8555 §6.3, RFC 9773 §4.1). */
  async get(url: string): Promise<Answer> {
    return this.#answer(await this.#http.send({ method: 'GET', url, fields: { accept: 'application/json' } }));
  }

  /** A signed POST. Rejects with the problem of an answer that is not 2xx. */
  async post(signer: Signer, url: string, payload: object | '', accept = 'application/json'): Promise<Answer> {
    for (let tries = 0; ; tries++) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce());
      const jws = signer.key.sign({ url, nonce, kid: signer.kid }, payload);
      const response = await this.#send({
        method: 'POST',
        url,
        fields: { 'content-type': 'application/jose+json', accept },
        body: JSON.stringify(jws),
      });
      try {
        return this.#answer(response);
      } catch (error) {
        const again = error instanceof AcmeError && error.code === 'bad_nonce' && tries < MOST_NONCE_RETRIES;
        if (!again) throw error;
      }
    }
  }

  /** POST-as-GET (§6.3). */
  fetch(signer: Signer, url: string, accept?: string): Promise<Answer> {
    return this.post(signer, url, '', accept);
  }

  async #readDirectory(): Promise<Directory> {
    const { json } = await this.get(this.url);
    const url = (name: string): string => {
      const value = json[name];
      if (typeof value === 'string') return value;
      throw new AcmeError('bad_response', `the directory ${this.url} has no ${name}`);
    };
    const meta = asRecord(json['meta']);
    return {
      newNonce: url('newNonce'),
      newAccount: url('newAccount'),
      newOrder: url('newOrder'),
      revokeCert: url('revokeCert'),
      renewalInfo: typeof json['renewalInfo'] === 'string' ? json['renewalInfo'] : null,
      profiles: Object.keys(asRecord(meta['profiles'])),
      externalAccountRequired: meta['externalAccountRequired'] === true,
    };
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.directory();
    await this.#send({ method: 'HEAD', url: newNonce });
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new AcmeError('bad_response', 'the authority gives no nonce');
    return nonce;
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#http.send(request);
    const nonce = response.fields['replay-nonce'];
    // §6.5.1: one that is not base64url is ignored.
    if (nonce !== undefined && /^[A-Za-z0-9_-]{1,512}$/.test(nonce))
      this.#nonces = [...this.#nonces, nonce].slice(-MOST_NONCES);
    return response;
  }

  #answer(response: HttpResponse): Answer {
    const { status, fields, body } = response;
    const json = jsonOf(fields['content-type'] ?? '', body);
    const wait = retryAfter(response, this.clock);
    if (status >= 200 && status < 300) return { status, fields, json, body, retryAfter: wait };
    throw problemError(json, status, wait);
  }
}

function jsonOf(type: string, body: string): Readonly<Record<string, unknown>> {
  if (!/^application\/(?:json|problem\+json)\b/i.test(type)) return {};
  try {
    return asRecord(JSON.parse(body));
  } catch {
    return {};
  }
}

/** A member of an answer that has to be a text. */
export function required({ json }: Answer, name: string): string {
  const value = json[name];
  if (typeof value === 'string') return value;
  throw new AcmeError('bad_response', `an answer of the authority has no ${textOf(name)}`);
}

/** The URL of what was made (§7.3, §7.4). */
export function locationOf({ fields }: Answer): string {
  const url = fields['location'];
  if (url !== undefined) return url;
  throw new AcmeError('bad_response', 'an answer of the authority has no Location');
}

/** The targets of a Link field with that relation (RFC 8288), relative ones resolved. */
export function linksOf({ fields }: Answer, relation: string, base: string): string[] {
  const found: string[] = [];
  for (const [, target = '', parameters = ''] of (fields['link'] ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^,;]+)*)/g)) {
    const named = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(parameters);
    const url = URL.parse(target, base);
    if (url !== null && (named?.[1] ?? named?.[2] ?? '').split(/\s+/).includes(relation)) found.push(url.href);
  }
  return found;
}
