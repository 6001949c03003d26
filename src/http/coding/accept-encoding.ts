/**
 * Chooses a content coding for a response by the request's Accept-Encoding (RFC 9110 §12.5.3). Hot.
 *
 *     Accept-Encoding = #( codings [ weight ] )      codings = content-coding / "identity" / "*"
 *     weight          = OWS ";" OWS "q=" qvalue      qvalue  = 0 to 1, at most three decimals
 */
import { type ContentCoding, codingOf } from './codings.ts';

const QVALUE = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/i;
const UNNAMED = -1;

/**
 * Returns the coding of `offered` with the highest weight; among equals, the first in `offered`. null: no coding. That is
 * also the result
 * - without Accept-Encoding: any coding is acceptable then, but a client that does not name one may not know it,
 * - if "identity" is named with a higher weight,
 * - if nothing is acceptable: the response should then have no coding.
 */
export function chooseCoding<T extends ContentCoding>(
  acceptEncoding: string | undefined,
  offered: readonly T[],
): T | null {
  if (acceptEncoding === undefined || acceptEncoding === '') return null;
  let best: T | null = null;
  let highest = 0;
  for (let i = 0; i < offered.length; i++) {
    const weight = weightOf(acceptEncoding, offered[i]!);
    if (weight <= highest) continue;
    best = offered[i]!;
    highest = weight;
  }
  return best === null || weightOf(acceptEncoding, 'identity') > highest ? null : best;
}

/** The weight of a coding, or of "identity". 0: not acceptable. "*" stands for codings only that the list does not name. */
function weightOf(list: string, wanted: ContentCoding | 'identity'): number {
  let named = UNNAMED;
  let others = UNNAMED;
  let from = 0;
  while (from <= list.length) {
    let to = list.indexOf(',', from);
    if (to < 0) to = list.length;
    const semicolon = list.indexOf(';', from);
    const nameEnd = semicolon < 0 || semicolon > to ? to : semicolon;
    const name = list.slice(from, nameEnd).trim();
    // A coding that is named twice has the lower weight: the client may not want it.
    if (name === '*') others = lower(others, qvalue(list, nameEnd, to));
    else if (wanted === 'identity' ? name.toLowerCase() === wanted : codingOf(name) === wanted)
      named = lower(named, qvalue(list, nameEnd, to));
    from = to + 1;
  }
  if (named !== UNNAMED) return named;
  return wanted === 'identity' || others === UNNAMED ? 0 : others;
}

function lower(known: number, weight: number): number {
  return known === UNNAMED ? weight : Math.min(known, weight);
}

/** The weight in list[semicolon, end); 1 if there is none, 0 if it is malformed. */
function qvalue(list: string, semicolon: number, end: number): number {
  if (semicolon === end) return 1;
  const match = QVALUE.exec(list.slice(semicolon + 1, end).trim());
  return match === null ? 0 : Number(match[1]);
}
