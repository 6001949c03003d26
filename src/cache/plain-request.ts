/**
 * Tells the requests that say nothing to caches from the others, by one bit test. Hot: the first question of a lookup.
 */
import type { Fields } from '../http/fields.ts';
import {
  CACHE_CONTROL,
  IF_MATCH,
  IF_MODIFIED_SINCE,
  IF_NONE_MATCH,
  IF_UNMODIFIED_SINCE,
  PRAGMA,
  RANGE,
} from '../http/known.ts';

const MASK = [CACHE_CONTROL, PRAGMA, RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE].reduce(
  (mask, id) => mask | (1 << id),
  0,
);

/** No directive, no condition, no range: whatever is fresh answers it whole. (If-Range means nothing without Range.) */
export function isPlainRequest(requestFields: Fields): boolean {
  return !requestFields.mayHave(MASK);
}
