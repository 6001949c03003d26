/** The head of a request to an upstream, as text (RFC 9112 §3). Hot. */
import type { OutgoingHead } from '../outgoing-head.ts';
import { CONTENT_LENGTH, HOST } from '../known.ts';
import { UNKNOWN_LENGTH } from '../message.ts';

const VERSION = ' HTTP/1.1\r\n';
const HOST_LINE = /\r\nHost:[^\r]*/i;

/** `host` replaces the value of Host; null: it doesn't. */
export function encodeRequest(head: OutgoingHead, host: string | null): string {
  const text = encode(head);
  return host === null ? text : withHost(text, host);
}

function encode(head: OutgoingHead): string {
  const { offered, ownLines, path, request, takesTrailers } = head;
  const { fields, method, query } = request;
  if (goesAsItCame(head)) return `${fields.text.slice(0, fields.end)}${ownLines}\r\n`;
  let lines = fields.lines() + ownLines;
  // HTTP/1.1 servers need one.
  if (!fields.has(HOST)) lines = `Host: ${head.authority}\r\n${lines}`;
  if (request.bodyLength === UNKNOWN_LENGTH) lines += 'Transfer-Encoding: chunked\r\n';
  // Other protocols end a message without it.
  else if (request.bodyLength > 0 && !fields.has(CONTENT_LENGTH)) lines += `Content-Length: ${request.bodyLength}\r\n`;
  // RFC 9110 §10.1.4: TE is hop-by-hop, and this hop takes trailers if the client does.
  if (takesTrailers) lines += 'TE: trailers\r\n';
  if (offered !== '') lines += `Connection: Upgrade${takesTrailers ? ', TE' : ''}\r\nUpgrade: ${offered}\r\n`;
  else if (takesTrailers) lines += 'Connection: TE\r\n';
  return `${method} ${path}${query}${VERSION}${lines}\r\n`;
}

/** Replaces the value of Host in a head. */
function withHost(text: string, host: string): string {
  const line = HOST_LINE.exec(text);
  if (line === null) return text;
  return `${text.slice(0, line.index)}\r\nHost: ${host}${text.slice(line.index + line[0].length)}`;
}

/**
 * Is the head unchanged? Most heads are, and their text is copied in one piece. A head that begins with an empty line
 * (RFC 9112 §2.2), or has another version, is rebuilt.
 */
function goesAsItCame({ path, request: { fields, method, query } }: OutgoingHead): boolean {
  const { text, table, count } = fields;
  if (!fields.untouched || count === 0) return false;
  const pathStart = method.length + 1;
  const pathEnd = pathStart + path.length;
  const queryEnd = pathEnd + query.length;
  return (
    queryEnd + VERSION.length === table[0] &&
    text.startsWith(method) &&
    text.startsWith(path, pathStart) &&
    text.startsWith(query, pathEnd) &&
    text.startsWith(VERSION, queryEnd)
  );
}
