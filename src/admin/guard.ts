/**
 * Decides whether a request may access its admin page: by its Host, the site that sent it and, for actions, its token.
 * Cold.
 *
 * Browsers are the danger. A page of any site can make its visitor's browser send requests to the visitor's own network.
 * If the site's name resolves to the listener's address (DNS rebinding), they look like same-origin requests.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { AdminContext, Answer, Page } from './page.ts';
import { problem } from './page.ts';
import { hasToken } from './token.ts';

/** Top-level domains without registration: `local` (RFC 6762) and `internal` (reserved by ICANN). */
const PRIVATE = /\.(?:local|internal)$/;

/** Returns null if the request is allowed, otherwise the answer that refuses it. */
export function refuse(
  { gateway }: AdminContext,
  page: Page,
  message: IncomingMessage,
  response: ServerResponse,
): Answer | null {
  const admin = gateway.current?.plan.admin ?? null;
  // Open pages only report that the gateway runs, and load balancers request them under any host name.
  const hosts = admin?.hosts ?? [];
  if (page.open !== true && !isOurs(message, hosts)) return misdirected(message);
  if (fromElsewhere(message)) return problem(403, 'Forbidden', 'sent by a page of another site');
  if (isSafe(message) || page.ownToken === true) return null;
  const token = admin?.token ?? null;
  if (token === null) {
    // Other machines on the network can have single-label and private names.
    if (!isCertain(message, hosts)) return misdirected(message);
    if (isLocal(message)) return null;
    return problem(403, 'Forbidden', 'without an admin.token actions are taken from this machine only');
  }
  if (hasToken(message, token)) return null;
  gateway.log.warn('an action was refused: its token is missing or wrong', {
    client: message.socket.remoteAddress ?? '',
    path: message.url ?? '',
  });
  challenge(message, response, 'admin');
  return problem(401, 'Unauthorized', 'needs the token of the admin listener');
}

function misdirected(message: IncomingMessage): Answer {
  const detail = `${hostOf(message)} is not a host of the admin listener: see admin.hosts`;
  return problem(421, 'Misdirected Request', detail);
}

/** Requests a bearer token (RFC 6750 §3). A client that has sent none gets no error code (§3.1). */
export function challenge({ headers }: IncomingMessage, response: ServerResponse, realm: string): void {
  const error = headers.authorization === undefined ? '' : ', error="invalid_token"';
  response.setHeader('www-authenticate', `Bearer realm="${realm}"${error}`);
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The Host, without port, in lower case. */
function hostOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  return (headers.host ?? '').replace(/:\d*$/, '').toLowerCase();
}

/** A page on the internet needs a public name that resolves to the listener: single-label and private names pass. */
function isOurs(message: IncomingMessage, hosts: readonly string[]): boolean {
  const host = hostOf(message);
  return isCertain(message, hosts) || !host.includes('.') || PRIVATE.test(host);
}

/** Reports whether the Host is an address, this machine or in the config: no other machine can have those names. */
function isCertain({ headers, socket: { remoteAddress } }: IncomingMessage, hosts: readonly string[]): boolean {
  // No browser can reach a Unix socket.
  if (remoteAddress === undefined) return true;
  const host = hostOf({ headers });
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === 'localhost' || host.endsWith('.localhost')) return true;
  return hosts.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : host === one));
}

/** Reports whether the request comes from this machine, over loopback or a Unix socket. */
function isLocal({ socket: { remoteAddress } }: IncomingMessage): boolean {
  if (remoteAddress === undefined || remoteAddress === '::1') return true;
  return /^(?:::ffff:)?127\./.test(remoteAddress);
}

/** Reports whether a browser sends this for a page of another site. Following a link only reads and is allowed. */
function fromElsewhere(message: IncomingMessage): boolean {
  const { headers } = message;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return !(isSafe(message) && headers['sec-fetch-mode'] === 'navigate');
  const { origin } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.host?.toLowerCase();
}
