/**
 * A response that the gateway generates itself, prepared when the config is bound. Hot after construction.
 *
 * The `respond` and `redirect` actions, policies' refusals and error bodies use it. Everything but the connection's own
 * framing fields is prepared as text.
 */
import { reasonPhrase } from './status.ts';

export class LocalReply {
  readonly status: number;
  readonly reason: string;
  /** Field lines that end in CRLF, without Content-Length, Connection, Date or Via. */
  readonly lines: string;
  /** The body; each character is one byte. */
  readonly body: string;
  /** As in cached-reply.ts. */
  memo: unknown = null;

  constructor(status: number, fields: readonly (readonly [name: string, value: string])[], body: string) {
    this.status = status;
    this.reason = reasonPhrase(status);
    this.lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.body = Buffer.from(body, 'utf8').toString('latin1');
  }

  /** The body as bytes. */
  get content(): Buffer {
    return Buffer.from(this.body, 'latin1');
  }

  /** Returns a copy with another head. Each line must end in CRLF. */
  under(status: number, reason: string, lines: string): LocalReply {
    return Object.assign(new LocalReply(status, [], ''), { reason, lines, body: this.body });
  }

  /** Returns a copy with one more field line, which must end in CRLF. */
  with(line: string): LocalReply {
    return this.under(this.status, this.reason, this.lines + line);
  }
}

/** A small problem body (RFC 9457) that repeats the status only. */
export function problemReply(
  status: number,
  fields: readonly (readonly [name: string, value: string])[] = [],
): LocalReply {
  const title = reasonPhrase(status);
  const body = `${JSON.stringify({ type: 'about:blank', title, status })}\n`;
  return new LocalReply(status, [['Content-Type', 'application/problem+json'], ...fields], body);
}
