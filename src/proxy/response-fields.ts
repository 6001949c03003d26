/** Prepares the fields of every upstream response for forwarding: RFC 9110 §7.6. Hot. */
import type { DateField } from '../http/date.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { CONTENT_LENGTH, DATE, REFERENCE, VIA } from '../http/known.ts';
import type { ResponseHead } from '../http/message.ts';
import { VIA_LINE, viaOnResponses } from '../http/via.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { hostFor } from './attempt.ts';
import { mapBack } from './map-back.ts';

/** For the final response of a pool's endpoint. `mapsBack`: to the names that the client knows, where it has backend names. */
export function fieldsForClient(
  { status, fields }: ResponseHead,
  x: Exchange,
  pool: Pool,
  endpoint: EndpointState,
  mapsBack: boolean,
  date: DateField,
): void {
  forwardableFields(fields, status, date, viaOnResponses(x.identity));
  if (!mapsBack || !fields.has(REFERENCE)) return;
  mapBack(fields, x, hostFor(pool, endpoint) ?? x.authority, endpoint.address.text, pool.tls !== null);
}

/** For a final response, as its upstream sent it. `via`: add the gateway's Via. */
export function forwardableFields(fields: Fields, status: number, date: DateField, via: boolean): void {
  stripHopByHop(fields, status);
  // RFC 9110 §8.6 and §6.6.1: no Content-Length where there is no content; a Date if the origin sent none.
  if (status === 204) fields.removeKnown(CONTENT_LENGTH);
  if (!fields.has(DATE)) fields.addLine(date.line(), DATE);
  if (via) fields.addLine(VIA_LINE, VIA);
}
