/**
 * The contract between codecs: a message in transit, for any protocol. Hot.
 *
 * A codec that reads a body is a BodySource; its consumer is a BodySink. A sink that returned `false` calls `resume` on
 * its source when it can take more; nothing else calls `resume`. Bytes passed to `data` are valid during the call only.
 * If the sink returns `false`, they stay valid until it resumes the source.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Transport } from '../net/transport.ts';
import type { Fields } from './fields.ts';

export interface BodySink {
  /** Takes bytes[start, end). Returns false to stop the source until `resume`. */
  data(bytes: Buffer, start: number, end: number): boolean;
  /** The body is complete. `trailers` holds field lines that end in CRLF, or ''. */
  end(trailers: string): void;
  /** The body will never be complete. */
  fail(error: GatewayError): void;
}

export interface BodySource {
  pause(): void;
  resume(): void;
}

/** How the end of a body is determined. */
export const NO_BODY = 0;
export const LENGTH = 1;
export const CHUNKED = 2;
export const UNTIL_CLOSE = 3;
export type Framing = typeof NO_BODY | typeof LENGTH | typeof CHUNKED | typeof UNTIL_CLOSE;

/** Receives a response from an upstream, part by part. */
export interface ResponseSink extends BodySink {
  /** A 1xx response other than 101. The fields are valid during the call. */
  informational(status: number, reason: string, fields: Fields): void;
  /** The final head. The receiver owns the fields and must give them back (fields-pool.ts). */
  head(status: number, reason: string, fields: Fields, framing: Framing): void;
  /** 101: the connection no longer speaks HTTP. `early`: the bytes after the head. The receiver owns the fields. */
  switched(reason: string, fields: Fields, transport: Transport, early: Buffer): void;
  /** The current read is used up: the sink writes what it has buffered. */
  flush(): void;
}
