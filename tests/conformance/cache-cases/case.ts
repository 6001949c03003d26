/** A case of the cache's table: what clients ask one after another, what the origin answers, and what must have come of it. */

/** A repeated field has several values. `{now-60}` in a value is a date; `{now-60 rfc850}` and `asctime` its other forms. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

/**
 * What the origin gets to see in a step. `unasked`: nothing, the answer is a stored one. `asked`: the request, with or
 * without conditions. `checked`: a condition, which the origin says still holds. `behind`: the request, but the client
 * has its answer before the origin has given one. `any`: as the cache likes.
 */
export type How = 'unasked' | 'asked' | 'checked' | 'behind' | 'any';

export interface Answer {
  /** 200 unless told; 304 where a condition is expected. */
  readonly status?: number;
  readonly fields?: Fields;
  /** Which answer of which case it is, unless told. */
  readonly body?: string;
  readonly interim?: readonly (readonly [number, Fields])[];
  readonly chunked?: boolean;
  /** The connection ends after so many bytes of the body. */
  readonly cut?: number;
  /** 304 even to a request without a condition. */
  readonly uncalled?: boolean;
  /** The connection ends without an answer. */
  readonly gone?: boolean;
}

export interface Step {
  readonly how: How;
  /** Seconds that go by before it: for a cache whose clock is in our hands. */
  readonly later?: number;
  readonly method?: string;
  /** What follows the path of the case. */
  readonly at?: string;
  readonly host?: string;
  readonly send?: Fields;
  readonly content?: string;
  /** In turn, if the origin is asked more than once. */
  readonly origin?: Answer | readonly Answer[];
  readonly status?: number | readonly number[];
  /** The body is that of so many-th answer of the origin; 0 if it does not matter. Else the newest for what is asked. */
  readonly from?: number;
  /** Part of the body of `from`, or what the body is. */
  readonly slice?: readonly [number, number];
  readonly body?: string;
  /** Fields of what the client gets: the value, or `/a pattern of it/`. */
  readonly has?: Fields;
  readonly lacks?: readonly string[];
  readonly age?: readonly [number, number];
  /** Of what the origin got. */
  readonly seen?: { readonly method?: string; readonly has?: Fields; readonly lacks?: readonly string[] };
}

export interface Case {
  readonly name: string;
  /** The section that decides: of RFC 9111 unless another is named. */
  readonly rule: string;
  /** `must`: anything else breaks the rule. `good`: the rule allows it, and a good cache does it. */
  readonly kind: 'must' | 'good';
  readonly steps: readonly Step[];
}

export interface Chapter {
  readonly title: string;
  readonly cases: readonly Case[];
}

type More = Partial<Step>;

/** The origin is asked and answers with these fields. */
export function asked(fields: Fields = {}, more: More & { readonly answer?: Answer } = {}): Step {
  const { answer, ...rest } = more;
  return { how: 'asked', origin: { fields, ...answer }, ...rest };
}

/** A stored answer serves. */
export function unasked(more: More = {}): Step {
  return { how: 'unasked', ...more };
}

/** The origin is asked whether what is stored still holds, and says so with these fields. */
export function checked(fields: Fields = {}, more: More = {}): Step {
  return { how: 'checked', origin: { status: 304, fields }, ...more };
}

export function must(rule: string, name: string, ...steps: readonly Step[]): Case {
  return { name, rule, kind: 'must', steps };
}

export function good(rule: string, name: string, ...steps: readonly Step[]): Case {
  return { name, rule, kind: 'good', steps };
}

export function answersOf({ origin }: Step): readonly Answer[] {
  if (origin === undefined) return [];
  return 'length' in origin ? origin : [origin];
}
