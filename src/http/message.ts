/**
 * The contract between codecs: a message in transit, for any protocol. Hot.
 *
 * A codec that reads a body is a BodySource; its consumer is a BodySink. A sink that returned `false` calls `resume` on
 * its source when it can take more; nothing else calls `resume`. Bytes passed to `data` are valid during the call only.
 * If the sink returns `false`, they stay valid until it resumes the source, or until the exchange is over.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Fields } from './fields.ts';

export interface BodySink {
  /** Takes bytes[start, end). Returns false to stop the source until `resume`. */
  data(bytes: Buffer, start: number, end: number): boolean;
  /** The body is complete. The sink owns the trailers; null: there are none. */
  end(trailers: Fields | null): void;
  /** The body will never be complete. */
  fail(error: GatewayError): void;
  /** The current read is used up: the sink writes what it has buffered. */
  flush(): void;
}

export interface BodySource {
  pause(): void;
  resume(): void;
}

/** The length of a body that only its end determines. */
export const UNKNOWN_LENGTH = -1;

/** Protocol versions, as ten times the number: HTTP/1.0 is 10. */
export const HTTP_1_0 = 10;
export const HTTP_1_1 = 11;

/** The head of a request, in any protocol. */
export interface RequestHead {
  /** Case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** With its question mark, or ''. */
  readonly query: string;
  readonly version: number;
  readonly fields: Fields;
  /** Bytes of content that follow: 0 for none, or UNKNOWN_LENGTH. */
  readonly bodyLength: number;
}

/** The final head of a response, in any protocol. */
export class ResponseHead {
  status: number;
  /** The reason phrase as received, or ''. */
  reason: string;
  readonly fields: Fields;
  /**
   * Bytes of content that follow: 0 for none, or UNKNOWN_LENGTH. The Content-Length among the fields may be another: that
   * of a HEAD or a 304 tells the length of the content that a GET would have (RFC 9110 §8.6).
   */
  length: number;

  constructor(status: number, reason: string, fields: Fields, length: number) {
    this.status = status;
    this.reason = reason;
    this.fields = fields;
    this.length = length;
  }
}

/** Receives a response from an upstream, part by part. */
export interface ResponseSink extends BodySink {
  /** A 1xx response other than 101. The fields are valid during the call. */
  informational(status: number, reason: string, fields: Fields): void;
  /** The final head. The receiver owns its fields and must give them back (fields-pool.ts). */
  head(head: ResponseHead): void;
  /** 101: the upstream has changed protocols, and `stream` carries the new one. The receiver owns it and the fields. */
  switched(head: ResponseHead, stream: ByteStream): void;
}
