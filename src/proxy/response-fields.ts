/** Prepares the fields of every upstream response for forwarding: RFC 9110 §7.6. Hot. */
import type { DateField } from '../http/date.ts';
import type { Fields } from '../http/fields.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, DATE, VIA } from '../http/known.ts';
import { VIA_LINE } from '../http/via.ts';

/** For a final response, as its upstream sent it. `via`: add the gateway's Via. */
export function forwardableFields(fields: Fields, status: number, date: DateField, via: boolean): void {
  stripHopByHop(fields, status);
  // RFC 9110 §8.6 and §6.6.1: no Content-Length where there is no content; a Date if the origin sent none.
  if (status === 204) fields.removeKnown(CONTENT_LENGTH);
  if (!fields.has(DATE)) fields.addLine(date.line(), DATE);
  if (via) fields.addLine(VIA_LINE, VIA);
}
