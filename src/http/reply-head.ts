/** The heads of complete replies, as hooks see and edit them. Hot where there are such hooks. */
import { type CachedReply, toldLength } from './cached-reply.ts';
import { FieldList } from './field-list.ts';
import type { Fields } from './fields.ts';
import { takeFields } from './fields-pool.ts';
import { CONTENT_LENGTH } from './known.ts';
import type { LocalReply } from './local-reply.ts';
import { ResponseHead, UNKNOWN_LENGTH } from './message.ts';
import { isEmptyBody } from './status.ts';

/**
 * The head of a message with the reply's fields, and with its length among them as in the response of an upstream. The
 * caller owns the fields.
 */
export function headOfReply(reply: LocalReply | CachedReply, method: string): ResponseHead {
  const { status, reason, length } = reply;
  const fields = messageFields(reply.allFields, status, length);
  return new ResponseHead(status, reason, fields, isEmptyBody(method, status) ? 0 : length);
}

/** A message's fields, from those of a reply. The caller owns them. `length`: of the content, or UNKNOWN_LENGTH. */
export function messageFields(list: FieldList, status: number, length: number): Fields {
  const fields = takeFields();
  list.copyTo(fields);
  if (toldLength(status, length) >= 0) fields.add('Content-Length', String(length));
  return fields;
}

/** The reply under a head that hooks have edited. In the response to a HEAD, they may have taken the length away. */
export function replyUnder<R extends LocalReply | CachedReply>(reply: R, head: ResponseHead, method: string): R {
  const { status, reason, fields } = head;
  const length = method === 'HEAD' && !fields.has(CONTENT_LENGTH) ? UNKNOWN_LENGTH : reply.length;
  fields.removeKnown(CONTENT_LENGTH);
  return reply.under(status, reason, FieldList.from(fields), length) as R;
}
