/**
 * Revalidation: a stored response that its origin has confirmed (RFC 9111 §4.3.4, §4.3.5). Hot, once per validation.
 */
import { Fields } from '../../http/fields.ts';
import type { HttpCache } from '../store/http-cache.ts';
import { directivesOf, type EvaluatedResponse } from '../rules/evaluate-response.ts';
import { unstorableFields } from '../rules/storable.ts';
import { type StoredHead, StoredResponse } from '../store/stored-response.ts';
import { freshened, headFreshens, identifies } from '../rules/update.ts';

/** Evaluates a response with these fields as if it had just been received. */
export type Judge = (status: number, reason: string, fields: Fields) => EvaluatedResponse;

interface Renewed {
  readonly response: StoredResponse;
  /** If not, it answers only the request that caused the validation. */
  readonly storable: boolean;
}

/** Updates the store after a 304; null: the 304 refers to another response, so the stored one is dropped. */
export function renewed(
  cache: HttpCache,
  key: string,
  old: StoredResponse,
  judge: Judge,
  news: Fields,
): Renewed | null {
  const { etag, modified } = old.head;
  if (!identifies(etag, modified, news)) {
    cache.drop(key, old);
    return null;
  }
  const after = updated(old, judge, news);
  cache.metrics.revalidated++;
  // Its new fields may forbid storing it; the requesting client gets it all the same.
  if (after.storable) cache.put(key, after.response);
  else cache.drop(key, old);
  return after;
}

/** After a response to a HEAD: the stored response is fresh again, or no longer what a GET would get. */
export function renewedByHead(
  cache: HttpCache,
  key: string,
  old: StoredResponse,
  judge: Judge,
  { head: { status } }: EvaluatedResponse,
  news: Fields,
): void {
  if (status !== 200) return;
  const { etag, modified } = old.head;
  // A stored error, for example, is not what a GET would get now, even with the same length.
  const agrees = old.head.status === status && headFreshens(etag, modified, old.length, news);
  const fresh = agrees ? updated(old, judge, news) : null;
  if (fresh?.storable === true) cache.put(key, fresh.response);
  else cache.drop(key, old);
}

/** The response for later HEAD requests. */
export function headOnly(head: StoredHead, fields: Fields, statusHeader: boolean): StoredResponse {
  const length = fields.get('content-length');
  return new StoredResponse(head, null, null, length === undefined ? -1 : Number(length), statusHeader);
}

function updated(old: StoredResponse, judge: Judge, news: Fields): Renewed {
  const { status, reason, fields: stored } = old.head;
  const unstorable = unstorableFields(news, directivesOf(news).directives);
  const fields = Fields.of(freshened(stored.pairs, news, unstorable));
  const { head, why } = judge(status, reason, fields);
  return { response: old.under(head), storable: why === '' };
}
