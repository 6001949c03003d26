/**
 * A second reader of HTTP/1.1, which shares no line with the first: it judges the bytes that the gateway sends on.
 *
 * It knows only what a careful intermediary may write. Whatever two readers could understand differently is a complaint:
 * Content-Length beside Transfer-Encoding, two of either, a bare CR or LF or a NUL in a head, folding, a Host too many.
 */

export interface StrictMessage {
  /** The whole head, its empty line included. */
  readonly head: string;
  /** Request: method, target, version. Response: version, status, reason. */
  readonly start: readonly [string, string, string];
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: string;
}

export interface StrictReading {
  readonly messages: StrictMessage[];
  /** What is left is part of a message, of which there may be more to come. */
  readonly rest: string;
  /** The first thing that must not be there, or ''. */
  readonly complaint: string;
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~\w-]+) ([\x21-\x22\x24-\x7e]+) (HTTP\/1\.1)$/;
const STATUS_LINE = /^(HTTP\/1\.1) ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+):([\t\x20-\x7e\x80-\xff]*)$/;
const CHUNK_LINE = /^[0-9a-f]{1,8}$/;

class Complaint extends Error {}

interface Piece {
  readonly body: string;
  readonly trailers: string;
  readonly end: number;
}

/** Requests, as an origin would read them. */
export function readRequests(text: string): StrictReading {
  return read(text, (head, fields) => {
    const start = REQUEST_LINE.exec(head.slice(0, head.indexOf('\r\n')));
    if (start === null) throw new Complaint('request line');
    if (fields.filter(([name]) => name === 'host').length !== 1) throw new Complaint('not exactly one Host');
    return { start: [start[1]!, start[2]!, start[3]!], framing: framingOf(fields, '0') };
  });
}

/** Responses to requests with these methods, as a client would read them. `ended`: no more bytes will come. */
export function readResponses(text: string, methods: readonly string[], ended: boolean): StrictReading {
  let next = 0;
  return read(text, (head, fields) => {
    const start = STATUS_LINE.exec(head.slice(0, head.indexOf('\r\n')));
    if (start === null) throw new Complaint('status line');
    const status = Number(start[2]);
    const empty = status < 200 || status === 204 || status === 304 || methods[next] === 'HEAD';
    if (status >= 200) next++;
    const framing = framingOf(fields, ended ? 'end' : 'wait');
    if ((status < 200 || status === 204) && fields.some(([name]) => name === 'content-length'))
      throw new Complaint(`Content-Length in a ${status}`);
    return { start: [start[1]!, start[2]!, start[3]!], framing: empty ? '0' : framing };
  });
}

/** A number of bytes, 'chunked', 'end' (the end of the connection) or 'wait' (the same, not there yet). */
type StrictFraming = string;

function read(
  text: string,
  begin: (
    head: string,
    fields: readonly (readonly [string, string])[],
  ) => { start: readonly [string, string, string]; framing: StrictFraming },
): StrictReading {
  const messages: StrictMessage[] = [];
  let at = 0;
  try {
    while (at < text.length) {
      const stop = text.indexOf('\r\n\r\n', at);
      const head = stop < 0 ? text.slice(at) : text.slice(at, stop + 4);
      checkLines(head);
      if (stop < 0) break;
      const fields = fieldsOf(head.slice(head.indexOf('\r\n') + 2, -2));
      const { start, framing } = begin(head, fields);
      const piece = bodyOf(text, stop + 4, framing);
      if (piece === null) break;
      messages.push({ head, start, fields, body: piece.body, trailers: piece.trailers });
      at = piece.end;
    }
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    return {
      messages,
      rest: text.slice(at),
      complaint: `${error.message}: ${JSON.stringify(text.slice(at, at + 300))}`,
    };
  }
  return { messages, rest: text.slice(at), complaint: '' };
}

function checkLines(head: string): void {
  if (/\0|\r(?!\n|$)|(?<!\r)\n/.test(head)) throw new Complaint('a bare CR, a bare LF or a NUL in a head');
}

function fieldsOf(lines: string): [string, string][] {
  if (lines === '') return [];
  return lines
    .slice(0, -2)
    .split('\r\n')
    .map((line) => {
      const parts = FIELD_LINE.exec(line);
      if (parts === null) throw new Complaint('field line');
      return [parts[1]!.toLowerCase(), parts[2]!.replace(/^[\t ]+|[\t ]+$/g, '')];
    });
}

function framingOf(fields: readonly (readonly [string, string])[], otherwise: StrictFraming): StrictFraming {
  const lengths = fields.filter(([name]) => name === 'content-length');
  const codings = fields.filter(([name]) => name === 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Complaint('more than one framing');
  if (codings.length === 1) {
    if (codings[0]![1] !== 'chunked') throw new Complaint('a coding other than chunked');
    return 'chunked';
  }
  if (lengths.length === 0) return otherwise;
  const value = lengths[0]![1];
  if (!/^\d{1,15}$/.test(value)) throw new Complaint('a length that is none');
  return String(Number(value));
}

function bodyOf(text: string, start: number, framing: StrictFraming): Piece | null {
  if (framing === 'chunked') return chunksOf(text, start);
  if (framing === 'wait') return null;
  const end = framing === 'end' ? text.length : start + Number(framing);
  return end > text.length ? null : { body: text.slice(start, end), trailers: '', end };
}

function chunksOf(text: string, start: number): Piece | null {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    if (!CHUNK_LINE.test(line)) throw new Complaint(`chunk size ${JSON.stringify(line.slice(0, 40))}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    if (text.slice(at + size, at + size + 2) !== '\r\n') throw new Complaint('no line end behind a chunk');
    at += size + 2;
  }
  if (text.startsWith('\r\n', at)) return { body, trailers: '', end: at + 2 };
  const stop = text.indexOf('\r\n\r\n', at);
  if (stop < 0) return null;
  const trailers = text.slice(at, stop + 2);
  checkLines(trailers);
  for (const [name] of fieldsOf(trailers))
    if (
      /^(host|content-length|transfer-encoding|authorization|set-cookie|cookie|x-forwarded-(for|host|proto|port))$/.test(
        name,
      )
    )
      throw new Complaint(`a trailer field ${name}`);
  return { body, trailers, end: stop + 4 };
}
