/**
 * The explain field: a response field that describes how the gateway handled the request, for allowed clients that ask
 * for it. Hot where it is enabled, and rare.
 *
 * A dictionary of structured fields (RFC 9651 §3.2). Bound by runtime/snapshot/bind.ts; absent where the config does
 * not have it.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { AddressSet } from '../kit/address-set.ts';
import type { ExplainPlan } from '../plan/types.ts';

/** A route, as the field names it. */
interface ExplainedRoute {
  readonly name: string;
  /** One for each request hook. */
  readonly steps: readonly { readonly type: string }[];
}

/** How far the request got. */
export interface Facts {
  readonly route: ExplainedRoute | null;
  /** How many request hooks ran, and whether the last of them denied the request. */
  readonly asked: number;
  readonly denied: boolean;
  /** Name of the pool that the request went to, or ''. */
  readonly pool: string;
}

export class ExplainField {
  readonly #name: string;
  readonly #allow: AddressSet;

  constructor({ header, allow }: ExplainPlan) {
    this.#name = header;
    this.#allow = new AddressSet(allow);
  }

  /** Adds the field to a local reply if the client may see it and asks for it. */
  onAnswer(response: LocalReply, x: Exchange, facts: Facts): LocalReply {
    return this.#told(x) ? response.with(this.#name, value(x, facts)) : response;
  }

  /** Adds the field to a pool's response if the client may see it and asks for it. */
  onResponse(response: Fields, x: Exchange, facts: Facts): void {
    if (this.#told(x)) response.add(this.#name, value(x, facts));
  }

  #told(x: Exchange): boolean {
    return x.fields.get(this.#name) !== undefined && this.#allow.has(x.clientAddress);
  }
}

function value(x: Exchange, { route, asked, denied, pool }: Facts): string {
  const parts = [
    `generation=${x.generation}`,
    `listener=${quoted(x.connection.listener)}`,
    `client=${quoted(x.clientAddress)}`,
  ];
  const add = (key: string, text: string): void => {
    if (text !== '') parts.push(`${key}=${quoted(text)}`);
  };
  add('route', route?.name ?? '');
  const policies = route?.steps.slice(0, asked).map(({ type }) => type) ?? [];
  if (policies.length > 0) parts.push(`policies=(${policies.map(quoted).join(' ')})`);
  add('answered_by', denied ? (policies.at(-1) ?? '') : '');
  const { notes } = x;
  if (notes !== null) for (let at = 0; at < notes.length; at += 2) add(notes[at]!, notes[at + 1]!);
  add('pool', pool);
  add('endpoint', x.endpoint);
  add('error', x.error);
  return parts.join(', ');
}

/** A string of structured fields (RFC 9651 §3.3.3): printable ASCII; other characters become question marks. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}
