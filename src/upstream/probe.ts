/** One question to an endpoint: is it well? Cold. On a connection of its own, by Node's own client. */
import http from 'node:http';
import net from 'node:net';
import type { AddressPlan, CheckPlan } from '../plan/types.ts';

/** Bytes of a response that are searched for a text. */
const MOST_SEARCHED = 64 * 1024;
/**
 * Bytes of a response that are read at all. One that is read to its end lets the endpoint finish what it is sending; to hang up
 * sooner looks to it like a client that failed.
 */
const MOST_READ = 1024 * 1024;

export interface Probe {
  /** What is to be said if its time is over now: '' if what came so far will do, or else a code. */
  readonly late: string;
  /** Gives it up: nothing more is heard of it. */
  cancel(): void;
}

/** `told` gets '' if all is well, or else a code that says what is not. Called once, never before this returns. */
type Told = (code: string) => void;

/** A connection is made, a request sent or not, and the whole of its response read. */
export function probe(address: AddressPlan, plan: CheckPlan, told: Told): Probe {
  return plan.type === 'tcp' ? knock({ ...address, port: plan.port ?? address.port }, told) : ask(address, plan, told);
}

/** A connection is made, and closed. */
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
    response.on('error', () => tell(answer.cut));
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

/** What came of a response so far. */
class Answer {
  /** What it would be found to be if nothing more came: '' or a code. */
  code = 'check_timeout';
  readonly #plan: CheckPlan;
  /** Not yet found; null: there is nothing to be found. */
  #wanted: string | null = null;
  #text = '';
  readonly #decoder = new TextDecoder();
  #read = 0;

  constructor(plan: CheckPlan) {
    this.#plan = plan;
  }

  /** What it is if it breaks off. */
  get cut(): string {
    return this.code === '' ? 'check_body' : this.code;
  }

  head(status: number): void {
    const { status: ranges, body } = this.#plan;
    const well = ranges.some(({ from, to }) => from <= status && status <= to);
    if (well) this.#wanted = body;
    this.code = !well ? `check_status_${status}` : body === null ? '' : 'check_body';
  }

  /** Is more of it wanted? */
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
