/**
 * Writes responses to one client connection (RFC 9112 §4, §6, §7). Hot.
 *
 * The encoder buffers small parts as text and sends them in one write when a read from the upstream is used up
 * (`flush`). A head and a short body therefore cost one system call. Large parts are sent from the memory they were
 * read into.
 */
import type { Transport } from '../../net/transport.ts';
import type { Fields } from '../fields.ts';
import type { LocalReply } from '../local-reply.ts';
import type { CachedReply } from '../cached-reply.ts';
import { CONTENT_LENGTH } from '../known.ts';
import { HTTP_1_0, type ResponseHead, UNKNOWN_LENGTH } from '../message.ts';
import { forbidsContent, reasonPhrase } from '../status.ts';
import { CHUNKED, type Framing, LENGTH, NO_BODY, UNTIL_CLOSE } from './framing.ts';

/** Parts up to this many bytes are buffered. */
const GATHER = 8 * 1024;
/** Buffered text beyond this is sent without waiting. */
const GATHERED_LIMIT = 16 * 1024;

const statusLines: string[] = [];

function statusLine(status: number, reason: string): string {
  const usual = reasonPhrase(status);
  if (reason !== usual && reason !== '') return `HTTP/1.1 ${status} ${reason}\r\n`;
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${usual}\r\n`);
}

/** The head of a local reply up to the lines that each connection adds. It becomes the reply's memo. */
function fixedHead(reply: LocalReply): string {
  const { status, reason, lines, body } = reply;
  const length = forbidsContent(status) ? '' : `Content-Length: ${body.length}\r\n`;
  const head = `${statusLine(status, reason)}${lines}${length}`;
  reply.memo = head;
  return head;
}

/** A cached reply without a body that is kept as bytes. The text that most clients get becomes its memo. */
function storedText(reply: CachedReply, withBody: boolean, connection: string): string {
  const { status, reason, first, rest, bodyAt } = reply;
  const line = statusLine(status, reason);
  if (!withBody) return `${line}${first}${connection}${rest.slice(0, bodyAt)}`;
  if (connection !== '') return `${line}${first}${connection}${rest}`;
  const text = `${line}${first}${rest}`;
  reply.memo = text;
  return text;
}

export class ResponseEncoder {
  readonly #transport: Transport;
  #out = '';
  #framing: Framing = NO_BODY;
  /** `head`, `fixed` or `stored` has been called for this response. */
  begun = false;
  /** Bytes of content written for the current response. */
  bytes = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Prepares for the next response. */
  reset(): void {
    this.begun = false;
    this.bytes = 0;
    this.#framing = NO_BODY;
  }

  /** True if only the end of the connection ends the body. */
  get endsWithConnection(): boolean {
    return this.#framing === UNTIL_CLOSE;
  }

  informational(status: number, reason: string, fields: Fields): void {
    this.#out += `${statusLine(status, reason)}${fields.lines()}\r\n`;
    this.flush();
  }

  /** `version` is the client's. `connection` is the Connection line, or ''. `content`: the response may have content. */
  head({ status, reason, fields, length }: ResponseHead, version: number, connection: string, content: boolean): void {
    this.begun = true;
    let lines = fields.lines();
    if (length === UNKNOWN_LENGTH) {
      this.#framing = version === HTTP_1_0 ? UNTIL_CLOSE : CHUNKED;
      if (version !== HTTP_1_0) lines += 'Transfer-Encoding: chunked\r\n';
    } else {
      this.#framing = length === 0 ? NO_BODY : LENGTH;
      // Other protocols end a message without it.
      if (content && !fields.has(CONTENT_LENGTH)) lines += `Content-Length: ${length}\r\n`;
    }
    // As few parts as possible: each allocates a string.
    this.#out += statusLine(status, reason) + lines + (connection === '' ? '\r\n' : `${connection}\r\n`);
  }

  /** Writes a complete local reply. `withBody` is false for HEAD. */
  fixed(response: LocalReply, withBody: boolean, lines: string): void {
    this.begun = true;
    const { status, body } = response;
    // RFC 9110 §8.6: no Content-Length in a 204.
    const content = withBody && !forbidsContent(status) ? body : '';
    this.bytes = content.length;
    const { memo } = response;
    const head = typeof memo === 'string' ? memo : fixedHead(response);
    this.#out += `${head}${lines}\r\n${content}`;
  }

  /** Writes a complete response from the cache. `connection` is the Connection line, or ''. */
  stored(reply: CachedReply, withBody: boolean, connection: string): void {
    this.begun = true;
    const { memo } = reply;
    const usual = withBody && connection === '';
    this.#out += usual && typeof memo === 'string' ? memo : storedText(reply, withBody, connection);
    if (!withBody) return;
    this.bytes = reply.length;
    const { bytes } = reply;
    if (bytes === null) return;
    const out = this.#out;
    this.#out = '';
    this.#transport.write(out, bytes, 0, bytes.length, '');
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    const size = end - start;
    if (size === 0 || this.#framing === NO_BODY) return true;
    this.bytes += size;
    const chunked = this.#framing === CHUNKED;
    const prefix = chunked ? `${size.toString(16)}\r\n` : '';
    const suffix = chunked ? '\r\n' : '';
    if (size <= GATHER) {
      this.#out += prefix + bytes.toString('latin1', start, end) + suffix;
      if (this.#out.length > GATHERED_LIMIT) this.flush();
      return !this.#transport.pending;
    }
    const out = this.#out;
    this.#out = '';
    return this.#transport.write(out + prefix, bytes, start, end, suffix);
  }

  /** Ends the body. `trailers` are sent only with the chunked coding. */
  end(trailers: Fields | null): void {
    if (this.#framing === CHUNKED) this.#out += trailers === null ? '0\r\n\r\n' : `0\r\n${trailers.lines()}\r\n`;
    this.flush();
  }

  /** Sends the buffered text. */
  flush(): void {
    if (this.#out === '') return;
    const out = this.#out;
    this.#out = '';
    this.#transport.writeText(out);
  }
}
