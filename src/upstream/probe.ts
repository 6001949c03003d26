/** One health check probe of an endpoint. Cold. It uses a connection of its own, and Node's own client. */
import http from 'node:http';
import net from 'node:net';
import type { AddressPlan } from '../plan/types/address.ts';
import type { CheckPlan } from '../plan/types/pool.ts';

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

/** Called with '' on success, or else with an error code. Called once, never before `probe` returns. */
type Told = (code: string) => void;

/** Connects; for an http check, also sends a request and reads the whole response. */
export function probe(address: AddressPlan, plan: CheckPlan, told: Told): Probe {
  return plan.type === 'tcp' ? knock({ ...address, port: plan.port ?? address.port }, told) : ask(address, plan, told);
}

/** Connects, and closes the connection. */
export function knock({ host, port, path }: AddressPlan, told: Told): Probe {
  const socket = net.connect(path === null ? { host, port } : { path });
  let over = false;
  const tell = (code: string): void => {
    if (over) return;
    over = true;
    socket.destroy();
    told(code);
  };
  socket.on('connect', () => tell(''));
  socket.on('error', (error) => tell(codeOf(error)));
  return {
    late: 'check_timeout',
    cancel: () => {
      over = true;
      socket.destroy();
    },
  };
}

function codeOf(error: NodeJS.ErrnoException): string {
  return `check_${(error.code ?? 'failed').toLowerCase()}`;
}

function ask(address: AddressPlan, plan: CheckPlan, told: Told): Probe {
  const where =
    address.path === null ? { host: address.host, port: plan.port ?? address.port } : { socketPath: address.path };
  const headers = {
    host: plan.host ?? 'localhost',
    'user-agent': 'prozy-check',
  };
  const request = http.request({ ...where, agent: false, method: plan.method, path: plan.path, headers });
  const answer = new Answer(plan);
  let over = false;
  const tell = (code: string): void => {
    if (over) return;
    over = true;
    request.destroy();
    told(code);
  };
  request.on('response', (response) => {
    answer.head(response.statusCode ?? 0);
    response.on('data', (part: Buffer) => {
      if (!answer.data(part)) tell(answer.code);
    });
    response.on('end', () => tell(answer.code));
    response.on('error', () => tell(answer.brokenOff));
  });
  request.on('error', (error) => tell(codeOf(error)));
  request.end();
  return {
    get late() {
      return answer.code;
    },
    cancel: () => {
      over = true;
      request.destroy();
    },
  };
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
