/**
 * One bounded HTTP request to an authority, or to a hook of an operator. Cold.
 *
 * No redirect is followed: an authority has none (RFC 8555 says nothing of them), and a request that we have signed is
 * for its URL alone. Connections are not kept: a handshake per request is nothing beside an order.
 */
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import type { Clock } from '../../kit/clock.ts';
import { systemReason } from '../../kit/system-reason.ts';
import { AcmeError } from './acme-error.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several lines of a field are joined with `, `. */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Rejects with an AcmeError of the exchange itself; any status is a response, but for redirects. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpLimits {
  /** Certificates to trust besides those of the system, as PEM; null: none. */
  readonly trust: string | null;
  /** For a whole exchange (ms). */
  readonly timeout: number;
  /** Of a response body (bytes). */
  readonly maxBody: number;
  /** Whether `http:` will do. */
  readonly plain: boolean;
}

export const AUTHORITY_LIMITS: HttpLimits = { trust: null, timeout: 30_000, maxBody: 512 * 1024, plain: false };

/** Bytes of a response head. */
const MAX_HEAD = 32 * 1024;

export function httpClient(limits: HttpLimits, clock: Clock, userAgent: string, stop: AbortSignal): HttpClient {
  // Reading the certificates of the system for each request would be most of its cost.
  let context: tls.SecureContext | null = null;
  const secureContext = (trust: string): tls.SecureContext => {
    context ??= tls.createSecureContext({ ca: [...tls.getCACertificates('default'), trust] });
    return context;
  };
  const own = (): Secure => (limits.trust === null ? {} : { secureContext: secureContext(limits.trust) });
  return { send: (request) => send(request, { limits, clock, userAgent, stop, own }) };
}

type Secure = Pick<tls.ConnectionOptions, 'secureContext'>;

interface Sending {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly stop: AbortSignal;
  /** Of a secure request. */
  readonly own: () => Secure;
}

async function send(
  { method, url, fields = {}, body }: HttpRequest,
  { limits, clock, userAgent, stop, own }: Sending,
): Promise<HttpResponse> {
  const target = targetOf(url, limits.plain);
  const secure = target.protocol === 'https:';
  // Either way out ends the exchange with its reason.
  const end = new AbortController();
  const timer = clock.after(limits.timeout, () =>
    end.abort(new AcmeError('timeout', `${target.host} did not answer within ${limits.timeout / 1000} s`)),
  );
  const stopped = (): void => end.abort(new AcmeError('stopped', 'the gateway stops'));
  stop.addEventListener('abort', stopped);
  if (stop.aborted) stopped();
  const options = {
    method,
    agent: false,
    signal: end.signal,
    maxHeaderSize: MAX_HEAD,
    headers: {
      'user-agent': userAgent,
      'accept-language': 'en',
      ...fields,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
  } as const;
  try {
    return await new Promise<HttpResponse>((resolve, reject) => {
      const request = secure ? https.request(target, { ...options, ...own() }) : http.request(target, options);
      request.on('error', reject);
      request.on('response', (message) => {
        readBody(message, limits.maxBody).then(
          (text) => resolve({ status: message.statusCode ?? 0, fields: fieldsOf(message), body: text }),
          reject,
        );
      });
      request.end(body);
    }).then((response) => withoutRedirect(response, target));
  } catch (error) {
    if (end.signal.aborted) throw end.signal.reason;
    throw error instanceof AcmeError
      ? error
      : new AcmeError('connect_failed', `${target.host}: ${systemReason(error)}`);
  } finally {
    timer.cancel();
    stop.removeEventListener('abort', stopped);
  }
}

/** The authority chooses most of the URLs that we ask: none of them may lead us to another scheme. */
function targetOf(url: string, plain: boolean): URL {
  const target = URL.parse(url);
  if (target?.protocol === 'https:' || (plain && target?.protocol === 'http:')) return target;
  throw new AcmeError('bad_response', `${JSON.stringify(url.slice(0, 200))} is not an https URL`);
}

async function readBody(message: http.IncomingMessage, max: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > max) throw new AcmeError('response_too_large', `a response of more than ${max} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function fieldsOf({ headersDistinct }: http.IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headersDistinct).map(([name, lines = []]) => [name, lines.join(', ')]));
}

function withoutRedirect(response: HttpResponse, target: URL): HttpResponse {
  if (response.status < 300 || response.status > 399) return response;
  throw new AcmeError('redirected', `${target.host} redirects to ${response.fields['location'] ?? 'nowhere'}`, {
    status: response.status,
  });
}

/** RFC 9110 §10.2.3, in milliseconds from now; null: there is none, or it can't be read. */
export function retryAfter({ fields }: HttpResponse, clock: Clock): number | null {
  const text = fields['retry-after'];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.wall());
}
