/** The request that a cache forwards in place of the client's (RFC 9111 §4.3.1). Hot, once per fetch. */
import { Exchange } from '../../http/exchange.ts';
import { takeFields } from '../../http/fields-pool.ts';
import { IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE } from '../../http/known.ts';
import { validatorsFor } from '../rules/conditional.ts';
import type { StoredHead } from '../store/stored-response.ts';

/**
 * `old`: the stored response to revalidate, or null. `whole`: fetch the whole representation, even if the client
 * requested less or made a condition. `now`: monotonic ms.
 */
export function innerExchange(x: Exchange, old: StoredHead | null, whole: boolean, now: number): Exchange {
  const fields = takeFields();
  fields.copy(x.fields);
  if (whole) {
    fields.removeKnown(IF_NONE_MATCH);
    fields.removeKnown(IF_MODIFIED_SINCE);
    if (fields.has(RANGE)) {
      fields.removeKnown(RANGE);
      fields.remove('if-range');
    }
  }
  if (old !== null) for (const [name, value] of validatorsFor(old.etag, old.modified)) fields.add(name, value);
  const inner = new Exchange(x.connection, x.method, x.target, x, x.version, fields, 0, now);
  inner.clientAddress = x.clientAddress;
  inner.identity = x.identity;
  inner.claims = x.claims;
  return inner;
}
