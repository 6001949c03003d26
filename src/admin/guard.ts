/**
 * Whether a request may have its admin page at all: by the Host that it names, the site that it comes from, and for
 * actions the token that it brings. Cold.
 *
 * Browsers are the danger. A page of any site can have its visitor's browser send requests to the visitor's own network,
 * and a name that the site resolves to the listener's address (DNS rebinding) makes them look like the listener's own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { AdminContext, Answer, Page } from './page.ts';
import { problem } from './page.ts';
import { hasToken } from './token.ts';

/** Top-level domains in which no name can be registered: `local` (RFC 6762) and `internal` (reserved by ICANN). */
const PRIVATE = /\.(?:local|internal)$/;

/** null: it may. Otherwise the answer that refuses it. */
export function refuse(
  { gateway }: AdminContext,
  page: Page,
  message: IncomingMessage,
  response: ServerResponse,
): Answer | null {
  const admin = gateway.current?.plan.admin ?? null;
  // They say no more than that the gateway runs, and are asked by balancers under any name.
  const hosts = admin?.hosts ?? [];
  if (page.open !== true && !isOurs(message, hosts)) return misdirected(message);
  if (fromElsewhere(message)) return problem(403, 'Forbidden', 'sent by a page of another site');
  if (isSafe(message) || page.ownToken === true) return null;
  const token = admin?.token ?? null;
  if (token === null) {
    // Other machines of a network can answer for names of one label and for private ones.
    if (!isCertain(message, hosts)) return misdirected(message);
    if (isLocal(message)) return null;
    return problem(403, 'Forbidden', 'without an admin.token actions are taken from this machine only');
  }
  if (hasToken(message, token)) return null;
  gateway.log.warn('an action was refused: it had no token, or a wrong one', {
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

/** Asks for a bearer token (RFC 6750 §3). A client that has sent none is told of no error (§3.1). */
export function challenge({ headers }: IncomingMessage, response: ServerResponse, realm: string): void {
  const error = headers.authorization === undefined ? '' : ', error="invalid_token"';
  response.setHeader('www-authenticate', `Bearer realm="${realm}"${error}`);
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The host that it names, without port, in lower case. */
function hostOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  return (headers.host ?? '').replace(/:\d*$/, '').toLowerCase();
}

/** A page on the internet needs a name that its own DNS resolves to the listener: names of one label and private ones are none. */
function isOurs(message: IncomingMessage, hosts: readonly string[]): boolean {
  const host = hostOf(message);
  return isCertain(message, hosts) || !host.includes('.') || PRIVATE.test(host);
}

/** Is it named by an address, as this machine, or as the config says? No other machine can answer for those. */
function isCertain({ headers, socket: { remoteAddress } }: IncomingMessage, hosts: readonly string[]): boolean {
  // No browser can reach a Unix socket.
  if (remoteAddress === undefined) return true;
  const host = hostOf({ headers });
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === 'localhost' || host.endsWith('.localhost')) return true;
  return hosts.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : host === one));
}

/** From this machine: over loopback or a Unix socket. */
function isLocal({ socket: { remoteAddress } }: IncomingMessage): boolean {
  if (remoteAddress === undefined || remoteAddress === '::1') return true;
  return /^(?:::ffff:)?127\./.test(remoteAddress);
}

/** Does a browser send it for a page of another site? Following a link is no more than reading. */
function fromElsewhere(message: IncomingMessage): boolean {
  const { headers } = message;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return !(isSafe(message) && headers['sec-fetch-mode'] === 'navigate');
  const { origin } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.host?.toLowerCase();
}
