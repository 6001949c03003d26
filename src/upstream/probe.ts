/** One question to an endpoint: is it well? Cold. On a connection of its own, by Node's own client. */
import http from 'node:http';
import net from 'node:net';
import type { AddressPlan, CheckPlan } from '../plan/types.ts';

/** Bytes of an answer that are looked through. */
const MOST_BODY = 64 * 1024;

export interface Probe {
  /** Gives it up: nothing more is heard of it. */
  cancel(): void;
}

/** `told` gets '' if all is well, or else a code that says what is not. Called once, never before this returns. */
export function probe(address: AddressPlan, plan: CheckPlan, told: (code: string) => void): Probe {
  let over = false;
  const tell = (code: string): void => {
    if (over) return;
    over = true;
    told(code);
    cancel();
  };
  const target =
    address.path === null ? { host: address.host, port: plan.port ?? address.port } : { path: address.path };
  const cancel = plan.type === 'tcp' ? connect(target, tell) : ask(address, plan, tell);
  return {
    cancel: () => {
      over = true;
      cancel();
    },
  };
}

function codeOf(error: NodeJS.ErrnoException): string {
  return `check_${(error.code ?? 'failed').toLowerCase()}`;
}

function connect(target: net.NetConnectOpts, tell: (code: string) => void): () => void {
  const socket = net.connect(target);
  socket.on('connect', () => tell(''));
  socket.on('error', (error) => tell(codeOf(error)));
  return () => socket.destroy();
}

function ask(address: AddressPlan, plan: CheckPlan, tell: (code: string) => void): () => void {
  const where =
    address.path === null ? { host: address.host, port: plan.port ?? address.port } : { socketPath: address.path };
  const headers = {
    host: plan.host ?? (address.path === null ? address.text : 'localhost'),
    'user-agent': 'prozy-check',
  };
  const request = http.request({ ...where, agent: false, method: plan.method, path: plan.path, headers });
  request.on('response', (response) => {
    const status = response.statusCode ?? 0;
    if (!plan.status.some(({ from, to }) => from <= status && status <= to)) tell(`check_status_${status}`);
    else if (plan.body === null) tell('');
    else lookFor(plan.body, response, tell);
  });
  request.on('error', (error) => tell(codeOf(error)));
  request.end();
  return () => request.destroy();
}

function lookFor(wanted: string, response: http.IncomingMessage, tell: (code: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    text += part;
    if (text.includes(wanted)) tell('');
    else if (text.length > MOST_BODY) tell('check_body');
  });
  response.on('end', () => tell('check_body'));
  response.on('error', () => tell('check_body'));
}
