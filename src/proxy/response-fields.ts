/** What every response has to go through on its way back: RFC 9110 §7.6. Hot. */
import type { DateField } from '../http/date.ts';
import type { Fields } from '../http/fields.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, DATE } from '../http/known.ts';
import { VIA_LINE } from '../http/via.ts';

/** Of a final response, as its upstream sent it. `via`: say that it came this way. */
export function forwardableFields(fields: Fields, status: number, date: DateField, via: boolean): void {
  stripHopByHop(fields, status);
  // RFC 9110 §8.6 and §6.6.1: no length where there is no content; a Date if the origin had no clock.
  if (status === 204) fields.removeKnown(CONTENT_LENGTH);
  if (!fields.has(DATE)) fields.addLine(date.line());
  if (via) fields.addLine(VIA_LINE);
}
