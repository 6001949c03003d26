/**
 * A complete response from the cache, ready to send. Hot.
 *
 * Most of it belongs to the stored response, and is the same in each reply from it. Only the few fields in `first` change.
 * A codec may prepare a reply as a whole, once, and hang the result on it. The cache gives the same reply to the requests
 * for it within a second, and keeps few of them (cache/store/recent-replies.ts), which bounds the memory of these memos.
 */
import { FieldList, type ReplyContent } from './field-list.ts';
import { UNKNOWN_LENGTH } from './message.ts';
import { forbidsContent } from './status.ts';

export class CachedReply {
  readonly status: number;
  readonly reason: string;
  /** Fields that precede all others, and change with each reply. */
  readonly first: FieldList;
  /** The other fields, without those for one connection and without Content-Length; and the body, if it is text. */
  readonly content: ReplyContent;
  /** A body too long for that. It is sent after the head. */
  readonly bytes: Buffer | null;
  /**
   * Length of the content in bytes, in the response to a HEAD of that to a GET. UNKNOWN_LENGTH: the GET's is not known.
   */
  readonly length: number;
  /** What a codec has prepared of it, or null. A codec recognizes its own by the class and replaces any other. */
  memo: unknown = null;

  constructor(
    status: number,
    reason: string,
    first: FieldList,
    content: ReplyContent,
    bytes: Buffer | null,
    length: number,
  ) {
    this.status = status;
    this.reason = reason;
    this.first = first;
    this.content = content;
    this.bytes = bytes;
    this.length = length;
  }

  /** `text`: the body, or '' if there is none or it is kept as bytes. `length`: as below. */
  static of(
    status: number,
    reason: string,
    fields: FieldList,
    text: string,
    bytes: Buffer | null,
    length = bytes?.length ?? text.length,
  ): CachedReply {
    const content = fields.withBody(text, toldLength(status, length));
    return new CachedReply(status, reason, FieldList.NONE, content, bytes, length);
  }

  /** All fields. */
  get allFields(): FieldList {
    return this.first === FieldList.NONE ? this.content : this.first.concat(this.content);
  }

  /** The body as bytes. */
  get bodyBytes(): Buffer {
    return this.bytes ?? Buffer.from(this.content.body, 'latin1');
  }

  /** Returns the same reply with another head. */
  under(status: number, reason: string, fields: FieldList, length: number): CachedReply {
    return CachedReply.of(status, reason, fields, this.content.body, this.bytes, length);
  }
}

/** The length to tell: RFC 9110 §8.6: none where there is no content. */
export function toldLength(status: number, length: number): number {
  return forbidsContent(status) ? UNKNOWN_LENGTH : length;
}
