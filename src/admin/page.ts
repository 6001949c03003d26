/** An admin page: a path and a handler for each HTTP method. Cold. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '../runtime/gateway.ts';
import type { Reloader } from '../runtime/reload/reloader.ts';

export interface AdminContext {
  readonly gateway: Gateway;
  /** null if the gateway follows no file, or none yet. */
  readonly reloader: Reloader | null;
}

export interface AdminRequest {
  /** The path segments that match the page's `:name` parts, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON, or as is if it is text. */
  readonly body: unknown;
  /** The text's media type; absent for JSON. */
  readonly type?: string;
}

/** Returns null if the handler writes the response itself. */
export type Handler = (
  context: AdminContext,
  request: AdminRequest,
  response: ServerResponse,
) => Answer | null | Promise<Answer | null>;

/** HEAD is handled like GET, without the body. */
export interface Page {
  /** Such as `/backends/:pool/:endpoint/drain`. */
  readonly path: string;
  /** The page contains nothing confidential, and requests may have any Host. */
  readonly open?: true;
  /** The page checks a token of its own. */
  readonly ownToken?: true;
  readonly GET?: Handler;
  readonly POST?: Handler;
  readonly PUT?: Handler;
  readonly DELETE?: Handler;
}

/** An error answer (RFC 9457). */
export function problem(status: number, title: string, detail?: string): Answer {
  const body = { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }) };
  return { status, type: 'application/problem+json', body: `${JSON.stringify(body)}\n` };
}
