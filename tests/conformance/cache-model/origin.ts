/** The origin of random traffic: it has resources that change, keeps to their validators, and remembers what it said to whom. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { type Scenario, GONE, PLACES, type Reply, type Resource } from './traffic.ts';

/** What it once said. */
export interface Answer {
  readonly number: number;
  readonly turn: number;
  /** Which client's request it was, among all of the scenario. */
  readonly ask: number;
  readonly resource: number;
  readonly method: string;
  readonly request: http.IncomingHttpHeaders;
  readonly status: number;
  readonly reply: Reply;
  readonly content: string;
  /** Milliseconds, by the clock that leaps. */
  readonly at: number;
}

const LENGTH = 20;

/** Letters that tell resource, version, variant and status apart at every place. */
function contentOf(resource: number, version: number, variant: string, status: number): string {
  const seed = resource * 5 + version * 7 + (variant === '' ? 0 : Number(variant)) * 3 + (status === 200 ? 0 : status);
  return Array.from({ length: LENGTH }, (_, i) => String.fromCharCode(97 + ((seed + i * (1 + (seed % 3))) % 26))).join(
    '',
  );
}

const imf = (at: number): string => new Date(at).toUTCString();

/** One scenario's part of it. */
export class Memory {
  readonly answers: Answer[] = [];
  readonly versions: number[];
  readonly began: number;
  readonly #resources: readonly Resource[];
  readonly #now: () => number;
  turn = 0;
  reply: Reply | null = null;
  /** Requests that were not answered because the connection was to end. */
  readonly unanswered: { readonly resource: number; readonly turn: number }[] = [];

  constructor({ resources }: Scenario, now: () => number) {
    this.#resources = resources;
    this.#now = now;
    this.began = now();
    this.versions = resources.map(() => 0);
  }

  #variant(resource: number, headers: http.IncomingHttpHeaders): string {
    return /x-a/i.test(this.#resources[resource]!.vary ?? '') ? String(headers['x-a'] ?? '') : '';
  }

  etagOf(resource: number, headers: http.IncomingHttpHeaders): string | null {
    const { etag } = this.#resources[resource]!;
    if (etag === null) return null;
    const opaque = `"${resource}-${this.versions[resource]}-${this.#variant(resource, headers)}"`;
    return etag === 'weak' ? `W/${opaque}` : opaque;
  }

  /** Each version is a thousand seconds younger than the one before it, and all are old. */
  #modifiedAt(resource: number): number {
    return this.began - 1e8 + this.versions[resource]! * 1e6;
  }

  answer(resource: number, request: http.IncomingMessage, response: http.ServerResponse): void {
    const { method = '', headers } = request;
    const ask = Number(headers['x-ask']);
    const reply = this.reply!;
    if (reply.status === GONE) {
      this.unanswered.push({ resource, turn: this.turn });
      return void response.destroy();
    }
    const safe = method === 'GET' || method === 'HEAD';
    const [status, part] =
      safe && reply.status === 200 ? this.#conditional(resource, headers, method) : [reply.status, null];
    const content = contentOf(
      resource,
      this.versions[resource]!,
      this.#variant(resource, headers),
      status === 304 || status === 206 ? 200 : status,
    );
    const number = this.answers.length;
    this.answers.push({
      number,
      turn: this.turn,
      ask,
      resource,
      method,
      request: headers,
      status,
      reply,
      content,
      at: this.#now(),
    });
    const fields = this.#fields(resource, headers, number, status, method);
    const body = part === null ? content : content.slice(part[0], part[1] + 1);
    if (part !== null) fields.push('content-range', `bytes ${part[0]}-${part[0] + body.length - 1}/${LENGTH}`);
    if (status !== 304) fields.push('content-length', `${body.length}`);
    response.sendDate = false;
    response.writeHead(status, fields);
    response.end(status === 304 || method === 'HEAD' ? '' : body);
  }

  #conditional(
    resource: number,
    headers: http.IncomingHttpHeaders,
    method: string,
  ): [number, readonly [number, number] | null] {
    const etag = this.etagOf(resource, headers);
    const match = headers['if-none-match'];
    const since = headers['if-modified-since'];
    const opaque = (text: string): string => text.trim().replace(/^W\//, '');
    if (match !== undefined) {
      if (etag !== null && match.split(',').some((one) => opaque(one) === opaque(etag))) return [304, null];
    } else if (
      since !== undefined &&
      this.#resources[resource]!.dated &&
      Date.parse(since) >= Math.floor(this.#modifiedAt(resource) / 1000) * 1000
    ) {
      return [304, null];
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const honest = headers['if-range'] === undefined || (headers['if-range'] === etag && etag.startsWith('"'));
    return method === 'GET' && from !== undefined && honest ? [206, [Number(from), Number(to)]] : [200, null];
  }

  #fields(
    resource: number,
    headers: http.IncomingHttpHeaders,
    number: number,
    status: number,
    method: string,
  ): string[] {
    const { vary, dated } = this.#resources[resource]!;
    const { directives, targeted, expires, age, date } = this.reply!;
    const now = this.#now();
    const fields = ['x-answer', `${number}`, 'x-named', 'secret', 'age', `${age}`, 'date', imf(now + date * 1000)];
    // A check leaves it as it is: it says whose body this is.
    if (status !== 304 && method === 'GET') fields.push('x-base', `${number}`);
    if (directives !== null) fields.push('cache-control', directives);
    if (targeted !== null) fields.push('cdn-cache-control', targeted);
    if (expires !== null) fields.push('expires', imf(now + expires * 1000));
    if (vary !== null) fields.push('vary', vary);
    const etag = this.etagOf(resource, headers);
    if (![200, 206, 304].includes(status)) return fields;
    if (etag !== null) fields.push('etag', etag);
    if (dated) fields.push('last-modified', imf(this.#modifiedAt(resource)));
    return fields;
  }
}

export class ModelOrigin implements AsyncDisposable {
  readonly port: number;
  readonly #server: http.Server;
  readonly #scenarios: Map<string, Memory>;

  private constructor(server: http.Server, scenarios: Map<string, Memory>) {
    this.#server = server;
    this.#scenarios = scenarios;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async open(): Promise<ModelOrigin> {
    const scenarios = new Map<string, Memory>();
    const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.resume();
      const [path = '', query] = (request.url ?? '').split('?');
      const host = request.headers.host;
      const resource = PLACES.findIndex((place) => place.host === host && place.query === `?${query}`);
      scenarios.get(path)!.answer(resource, request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ModelOrigin(server, scenarios);
  }

  begin(path: string, scenario: Scenario, now: () => number): Memory {
    const memory = new Memory(scenario, now);
    this.#scenarios.set(path, memory);
    return memory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
