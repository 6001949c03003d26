/**
 * The fields that depend on the time of a cached reply: Age (RFC 9111 §5.1) and Cache-Status. Hot.
 *
 * Many replies have the same age and the same freshness left; their fields are built once and kept for a while.
 */
import { FieldList } from '../../http/field-list.ts';
import { hitText } from './cache-status.ts';

/** A power of two. */
const PLACES = 256;
/** In place of the freshness left: without Cache-Status. */
const UNTOLD = Number.POSITIVE_INFINITY;

const ages = new Float64Array(PLACES).fill(-1);
const ttls = new Float64Array(PLACES);
const lists: FieldList[] = Array.from({ length: PLACES }, () => FieldList.NONE);

/** `told`: the Cache-Status value. */
export function agedFields(age: number, told: string): FieldList {
  return FieldList.of([
    ['Age', String(age)],
    ['Cache-Status', told],
  ]);
}

/** The fields of a hit; `ttl`: see hitText. */
export function hitFields(age: number, ttl: number): FieldList {
  const place = (age * 31 + ttl) & (PLACES - 1);
  if (ages[place] === age && ttls[place] === ttl) return lists[place]!;
  const list = ttl === UNTOLD ? FieldList.of([['Age', String(age)]]) : agedFields(age, hitText(ttl));
  const kept = list.kept();
  ages[place] = age;
  ttls[place] = ttl;
  lists[place] = kept;
  return kept;
}

/** The fields of a reply without Cache-Status. */
export function ageFields(age: number): FieldList {
  return hitFields(age, UNTOLD);
}
