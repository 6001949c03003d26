/** One health check probe of an endpoint. Cold. It uses a connection of its own, and Node's own client. */
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { type TlsInfo, tlsErrorCode } from '../net/tls/tls-info.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { CheckPlan } from '../plan/types/pool.ts';
import type { TlsTarget } from './endpoint-tls.ts';

/** How many response bytes are searched for the expected text. */
const MOST_SEARCHED = 64 * 1024;
/**
 * How many response bytes are read at most. Reading to the end lets the endpoint finish its response; an earlier close
 * looks to it like a failed client.
 */
const MOST_READ = 1024 * 1024;

export interface Probe {
  /** The result if the probe times out now: '' if the response so far is good enough, or else an error code. */
  readonly late: string;
  /** Cancels the probe: its callback will not be called. */
  cancel(): void;
}

/**
 * Called with '' on success, or else with an error code and perhaps a detail. Called once, never before `probe` returns.
 */
type Told = (code: string, detail?: string) => void;

/** Connects; for an http check, also sends a request and reads the whole response. */
export function probe(address: AddressPlan, tls: TlsTarget | null, plan: CheckPlan, told: Told): Probe {
  const place = { ...address, port: plan.port ?? address.port };
  return plan.type === 'tcp' ? knock(place, tls, told) : ask(place, tls, plan, told);
}

/** Connects, with the TLS handshake if there is one, and closes the connection. */
export function knock(address: AddressPlan, tls: TlsTarget | null, told: Told): Probe {
  let over = false;
  const tell: Told = (code, detail) => {
    if (over) return;
    over = true;
    socket.destroy();
    told(code, detail);
  };
  const socket = connect(address, tls, false, tell, () => tell(''));
  return {
    late: 'check_timeout',
    cancel: () => {
      over = true;
      socket.destroy();
    },
  };
}

/** `connected` is called when the connection may be used; `failed` with an error code, perhaps several times. */
function connect(
  { host, port, path }: AddressPlan,
  target: TlsTarget | null,
  http: boolean,
  failed: Told,
  connected: (socket: net.Socket) => void,
): net.Socket {
  const place = path === null ? { host, port } : { path };
  if (target === null) {
    const socket = net.connect(place);
    socket.on('connect', () => connected(socket));
    return socket.on('error', (error) => failed(codeOf(error)));
  }
  const { client } = target.tls;
  const { context, alpn, serverName } = client.optionsFor(target.serverName, http, null);
  const socket = tls.connect({
    ...place,
    secureContext: context,
    servername: serverName,
    rejectUnauthorized: false,
    ...(alpn === null ? {} : { ALPNProtocols: alpn }),
  });
  socket.on('secureConnect', () => {
    const { ssl } = socket as unknown as { readonly ssl: Pick<TlsInfo, 'verifyError'> };
    const error = client.judge(socket.getPeerX509Certificate(), ssl, target.serverName);
    if (error === null) connected(socket);
    else failed(`check_${error.code}`, error.detail);
  });
  return socket.on('error', (error: NodeJS.ErrnoException) => failed(codeOf(error)));
}

function codeOf(error: NodeJS.ErrnoException): string {
  if (error.code?.startsWith('ERR_SSL_') === true) return `check_${tlsErrorCode(error)}`;
  return `check_${(error.code ?? 'failed').toLowerCase()}`;
}

function ask(address: AddressPlan, tls: TlsTarget | null, plan: CheckPlan, told: Told): Probe {
  const answer = new Answer(plan);
  let request: http.ClientRequest | null = null;
  let over = false;
  const end = (): void => {
    over = true;
    request?.destroy();
    socket.destroy();
  };
  const tell: Told = (code, detail) => {
    if (over) return;
    end();
    told(code, detail);
  };
  const socket = connect(address, tls, true, tell, (connection) => {
    if (!over) request = send(connection, plan, answer, tell);
  });
  return {
    get late() {
      return answer.code;
    },
    cancel: end,
  };
}

function send(socket: net.Socket, plan: CheckPlan, answer: Answer, tell: Told): http.ClientRequest {
  const headers = { host: plan.host ?? 'localhost', 'user-agent': 'prozy-check', connection: 'close' };
  const request = http.request({ createConnection: () => socket, method: plan.method, path: plan.path, headers });
  request.on('response', (response) => {
    answer.head(response.statusCode ?? 0);
    response.on('data', (part: Buffer) => {
      if (!answer.data(part)) tell(answer.code);
    });
    response.on('end', () => tell(answer.code));
    response.on('error', () => tell(answer.brokenOff));
  });
  request.on('error', (error) => tell(codeOf(error)));
  return request.end();
}

/** The response so far. */
class Answer {
  /** The result if nothing more arrives: '' or an error code. */
  code = 'check_timeout';
  readonly #plan: CheckPlan;
  /** The text that is still to be found; null: none. */
  #wanted: string | null = null;
  #text = '';
  readonly #decoder = new TextDecoder();
  #read = 0;

  constructor(plan: CheckPlan) {
    this.#plan = plan;
  }

  /** The result if the response breaks off. */
  get brokenOff(): string {
    return this.code === '' ? 'check_body' : this.code;
  }

  head(status: number): void {
    const { status: ranges, body } = this.#plan;
    const well = ranges.some(({ from, to }) => from <= status && status <= to);
    if (well) this.#wanted = body;
    this.code = !well ? `check_status_${status}` : body === null ? '' : 'check_body';
  }

  /** Returns whether to read on. */
  data(part: Buffer): boolean {
    this.#read += part.length;
    if (this.#wanted !== null) this.#search(this.#wanted, part);
    return this.#read <= MOST_READ;
  }

  #search(wanted: string, part: Buffer): void {
    this.#text += this.#decoder.decode(part, { stream: true });
    if (this.#text.includes(wanted)) this.code = '';
    else if (this.#read <= MOST_SEARCHED) return;
    this.#wanted = null;
    this.#text = '';
  }
}
