/** A stored response that its origin has vouched for anew (RFC 9111 §4.3.4, §4.3.5). Hot, once per validation. */
import { Fields } from '../http/fields.ts';
import { directivesOf, type Received } from './received.ts';
import { unstorableFields } from './storable.ts';
import type { StoredResponse } from './stored-response.ts';
import { type FieldLine, freshened, headFreshens, identifies } from './update.ts';

/** Judges the fields of a response as if it came just now. */
export type Receive = (status: number, reason: string, fields: Fields) => Received;

export interface Freshened {
  readonly response: StoredResponse;
  /** Does what it says now still let it be stored? */
  readonly storable: boolean;
}

/** By a 304; null: that is about another response. */
export function freshenedBy(old: StoredResponse, receive: Receive, news: Fields): Freshened | null {
  const { etag, modified } = old.head;
  return identifies(etag, modified, news) ? update(old, receive, news) : null;
}

/** By the 200 to a HEAD; null: what is stored is not what a GET would get now. */
export function freshenedByHead(old: StoredResponse, receive: Receive, news: Fields): StoredResponse | null {
  const { etag, modified } = old.head;
  if (!headFreshens(etag, modified, old.length, news)) return null;
  const { response, storable } = update(old, receive, news);
  return storable ? response : null;
}

function update(old: StoredResponse, receive: Receive, news: Fields): Freshened {
  const { status, reason, lines } = old.head;
  const unstorable = unstorableFields(news, directivesOf(news).directives);
  const fields = Fields.of(freshened(pairsOf(lines), news, unstorable));
  const { head, why } = receive(status, reason, fields);
  return { response: old.under(head), storable: why === '' };
}

function pairsOf(lines: string): FieldLine[] {
  const pairs: FieldLine[] = [];
  Fields.ofLines(lines).forEach((name, value) => pairs.push([name, value]));
  return pairs;
}
