/**
 * The contract between protocols: a message in motion, whichever codec reads or writes it. Hot.
 *
 * A codec that reads a body is a BodySource; whoever takes the body is a BodySink. The sink that answered `false` calls
 * `resume` on the source it was joined to when it can take more; nobody else does. Bytes handed to `data` are valid
 * during the call only, unless the sink answers `false`: then the source leaves them alone until it is resumed.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Transport } from '../net/transport.ts';
import type { Fields } from './fields.ts';

export interface BodySink {
  /** Takes bytes[start, end). false: send no more until resumed. */
  data(bytes: Buffer, start: number, end: number): boolean;
  /** The body is whole. `trailers`: field lines that end in CRLF, or ''. */
  end(trailers: string): void;
  /** The body will never be whole. */
  fail(error: GatewayError): void;
}

export interface BodySource {
  pause(): void;
  resume(): void;
}

/** How the length of a body is known. */
export const NO_BODY = 0;
export const LENGTH = 1;
export const CHUNKED = 2;
export const UNTIL_CLOSE = 3;
export type Framing = typeof NO_BODY | typeof LENGTH | typeof CHUNKED | typeof UNTIL_CLOSE;

/** A response that comes from an upstream, part by part. */
export interface ResponseSink extends BodySink {
  /** 1xx other than 101. The fields are valid during the call. */
  informational(status: number, reason: string, fields: Fields): void;
  /** The final head. Its fields are the receiver's, to be given back (fields-pool.ts). */
  head(status: number, reason: string, fields: Fields, framing: Framing): void;
  /** 101: the connection is no longer HTTP. `early`: what came after the head. The fields are the receiver's. */
  switched(reason: string, fields: Fields, transport: Transport, early: Buffer): void;
  /** A read is used up: whatever was held back to be written in one go is written now. */
  flush(): void;
}
