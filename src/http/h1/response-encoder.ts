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
import { LINES } from './field-lines.ts';
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

/** The text that this codec has made of a complete reply: its memo. */
class ReplyText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The head of a local reply up to the lines that each connection adds. */
function localHead(reply: LocalReply): string {
  const { status, reason, fields, length, memo } = reply;
  if (memo instanceof ReplyText) return memo.text;
  // RFC 9110 §8.6: no Content-Length where there is no content.
  const told = length < 0 || forbidsContent(status) ? '' : `Content-Length: ${length}\r\n`;
  const head = `${statusLine(status, reason)}${fields.textIn(LINES)}${told}`;
  reply.memo = new ReplyText(head);
  return head;
}

/** The text of a cached reply, without a body that is kept as bytes. The text that most clients get becomes its memo. */
function cachedText(reply: CachedReply, withBody: boolean, connection: string): string {
  const { status, reason, first, content } = reply;
  const rest = content.textIn(LINES);
  const head = `${statusLine(status, reason)}${first.textIn(LINES)}${connection}`;
  if (!withBody) return head + rest.slice(0, rest.length - content.bodyLength);
  const text = head + rest;
  if (connection === '') reply.memo = new ReplyText(text);
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
    const content = withBody && !forbidsContent(response.status) ? response.body : '';
    this.bytes = content.length;
    this.#out += `${localHead(response)}${lines}\r\n${content}`;
  }

  /** Writes a complete response from the cache. `connection` is the Connection line, or ''. */
  stored(reply: CachedReply, withBody: boolean, connection: string): void {
    this.begun = true;
    const { memo } = reply;
    const usual = withBody && connection === '';
    this.#out += usual && memo instanceof ReplyText ? memo.text : cachedText(reply, withBody, connection);
    if (!withBody) return;
    const { bytes } = reply;
    this.bytes = reply.length;
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
