/** The exchange that an upstream request belongs to. Hot. */
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { BodySink, BodySource, ResponseHead } from '../http/message.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Lease, Shared } from './listener-context.ts';

/** Gets the response that counts, or one error. */
export interface UpstreamRequestOwner extends BodySink {
  readonly x: Exchange;
  /** Its config, which a migration replaces. */
  readonly context: { readonly shared: Shared; readonly lease: Lease };
  /** The client has got the head of a response: no further attempt can follow. */
  readonly begun: boolean;
  informational(status: number, reason: string, fields: Fields): void;
  /** The head of the response that counts. The owner has its fields from now on. `source`: of the body. */
  responseHead(head: ResponseHead, source: BodySource): void;
  switched(head: ResponseHead, stream: ByteStream): void;
  /** The pool has no endpoint for it, and has a fallback reply. */
  answerInstead(error: GatewayError, reply: LocalReply): void;
  /** There is no response, or no more of it. */
  fail(error: GatewayError): void;
}
