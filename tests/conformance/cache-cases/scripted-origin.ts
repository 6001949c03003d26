/** The origin of the table's cases: it answers as the step under way says, and remembers what it has seen and said. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import type { Answer, Fields } from './case.ts';
import { withDates } from './dates.ts';

export interface Seen {
  readonly method: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** An answer that was given, and to what. */
export interface Given {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly status: number;
  readonly body: string;
}

export const CONDITIONS = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
] as const;

/** One case's part of it. */
export class Script {
  readonly path: string;
  /** When the case began: what `{now}` is. */
  readonly began: number;
  readonly #now: () => number;
  /** Of the step under way. */
  seen: Seen[] = [];
  answers: readonly Answer[] = [];
  /** Answers wait for it. */
  gate: Promise<void> | null = null;
  given: Given[] = [];

  constructor(path: string, now: () => number) {
    this.path = path;
    this.began = now();
    this.#now = now;
  }

  next(answers: readonly Answer[], gate: Promise<void> | null): void {
    this.answers = answers;
    this.seen = [];
    this.gate = gate;
  }

  /** `{path}` is the path of the case. */
  expand(value: string): string {
    return withDates(value.replace('{path}', this.path), this.began);
  }

  lines(fields: Fields): string[] {
    return Object.entries(fields).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, this.expand(one)]));
  }

  async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = request;
    this.seen.push({ method, headers });
    await this.gate;
    const scripted = this.answers[Math.min(this.seen.length, this.answers.length) - 1] ?? {};
    if (scripted.gone === true) return void response.destroy();
    const conditional = CONDITIONS.some((name) => headers[name] !== undefined);
    const status =
      scripted.status === 304 && !conditional && scripted.uncalled !== true ? 200 : (scripted.status ?? 200);
    const body = scripted.body ?? `answer ${this.given.length + 1} to ${target}`;
    this.given.push({ method, host: headers.host ?? '', target, status, body });
    for (const [code, fields] of scripted.interim ?? []) response.writeInformation(code, this.lines(fields));
    this.#write(response, scripted, status, method === 'HEAD' || status === 304 || status === 204 ? '' : body);
  }

  #write(response: http.ServerResponse, { fields = {}, chunked, cut }: Answer, status: number, body: string): void {
    const lines = this.lines(fields);
    response.sendDate = false;
    if (fields['date'] === undefined) lines.push('date', new Date(this.#now()).toUTCString());
    const bodied = status !== 304 && status !== 204 && response.req.method !== 'HEAD';
    if (bodied && chunked !== true && fields['content-length'] === undefined)
      lines.push('content-length', `${body.length}`);
    response.writeHead(status, lines);
    if (cut === undefined) return void response.end(body);
    response.write(body.slice(0, cut), () => response.destroy());
  }
}

export class ScriptedOrigin implements AsyncDisposable {
  readonly port: number;
  readonly #server: http.Server;
  readonly #scripts: Map<string, Script>;

  private constructor(server: http.Server, scripts: Map<string, Script>) {
    this.#server = server;
    this.#scripts = scripts;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async open(): Promise<ScriptedOrigin> {
    const scripts = new Map<string, Script>();
    const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.resume();
      const script = scripts.get(/^\/\w+\/\d+/.exec(request.url ?? '')?.[0] ?? '');
      if (script === undefined) return void response.writeHead(404).end();
      void script.answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedOrigin(server, scripts);
  }

  begin(path: string, now: () => number): Script {
    const script = new Script(path, now);
    this.#scripts.set(path, script);
    return script;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
