/** What an admin page is: a path and what each method of HTTP does there. Cold. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '../runtime/gateway.ts';
import type { Reloader } from '../runtime/reload/reloader.ts';

export interface AdminContext {
  readonly gateway: Gateway;
  /** null: the gateway follows no file, or none yet. */
  readonly reloader: Reloader | null;
}

export interface AdminRequest {
  /** What stands in the path where the page's has `:name`, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON, or as it is if it is text. */
  readonly body: unknown;
  /** The text's media type; absent: JSON. */
  readonly type?: string;
}

/** null: the handler writes the response itself. */
export type Handler = (
  context: AdminContext,
  request: AdminRequest,
  response: ServerResponse,
) => Answer | null | Promise<Answer | null>;

/** HEAD is answered as GET is, without the body. */
export interface Page {
  /** Such as `/backends/:pool/:endpoint/drain`. */
  readonly path: string;
  /** It says nothing that a stranger may not know, and may be asked for under any Host. */
  readonly open?: true;
  /** It asks for a token of its own. */
  readonly ownToken?: true;
  readonly GET?: Handler;
  readonly POST?: Handler;
  readonly PUT?: Handler;
  readonly DELETE?: Handler;
}

/** An answer that says what is wrong (RFC 9457). */
export function problem(status: number, title: string, detail?: string): Answer {
  const body = { type: 'about:blank', title, status, ...(detail === undefined ? {} : { detail }) };
  return { status, type: 'application/problem+json', body: `${JSON.stringify(body)}\n` };
}
