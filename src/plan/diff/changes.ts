/** The parts of a diff of two plans: plain data, which prints as it is. Cold. */

/** The value of a setting: plain JSON. null: it is absent. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** A setting whose value has changed. */
export interface SettingChange {
  /** The path in the config: `timeouts.first_byte`. */
  readonly setting: string;
  readonly before: Value;
  readonly after: Value;
  /** The unit of a number; absent: no unit. */
  readonly unit?: 'ms' | 'bytes';
}

/** `disabled`, `enabled`: switched off and on; the settings exist before and after. `renewed`: another certificate. */
export type Action =
  | 'opened'
  | 'closed'
  | 'rebound'
  | 'renamed'
  | 'added'
  | 'removed'
  | 'changed'
  | 'renewed'
  | 'moved'
  | 'disabled'
  | 'enabled';

/** The access that a change grants or withdraws. */
export interface AccessChange {
  readonly effect: 'loosened' | 'tightened' | 'both';
  readonly loosened: readonly string[];
  readonly tightened: readonly string[];
}

/** The effect that the order of routes gives to a change of one route. */
export interface OrderChange {
  /** Its position in the list, from 1; null: it is absent. */
  readonly before: number | null;
  readonly after: number | null;
  /** The route directly after it; null: it is the last, or removed. */
  readonly ahead_of: string | null;
  /** Whether any request is served differently. `unknown`: there are too many routes to tell. */
  readonly effect: 'some' | 'none' | 'unknown';
  /** The routes that lose requests to it. */
  readonly takes_from: readonly string[];
  /** The routes that receive its former requests. */
  readonly gives_to: readonly string[];
  /** Whether some of its former requests may match no route. */
  readonly unrouted: boolean;
}

export interface Change {
  /** listener, route, pool, endpoint, acl, admin, logging, … */
  readonly kind: string;
  /** For an endpoint `pool/address`; '' for a part that exists only once. */
  readonly name: string;
  readonly action: Action;
  readonly settings: readonly SettingChange[];
  /** null: access stays the same. */
  readonly access: AccessChange | null;
  /** null: it is not a route, or its requests stay the same. */
  readonly order: OrderChange | null;
  /** The first of its users, as `route api`, and the number of users. */
  readonly used_by: readonly string[];
  readonly users: number;
  /** The effects on its socket and connections where they are not obvious; absent: none. */
  readonly effects?: readonly string[];
}

/** Fills the fields that are not given with empty values. */
export function change(part: Pick<Change, 'kind' | 'name' | 'action'> & Partial<Change>): Change {
  const { kind, name, action, ...rest } = part;
  return { kind, name, action, settings: [], access: null, order: null, used_by: [], users: 0, ...rest };
}

export type Fate = 'kept' | 'tuned' | 'reset' | 'new' | 'gone';

/** The fate of lasting state. */
export interface StateChange {
  readonly kind: string;
  readonly name: string;
  readonly fate: Fate;
  /** The settings that tune or reset it. */
  readonly because: readonly string[];
}

export interface PlanDiff {
  /** The most important first. */
  readonly changes: readonly Change[];
  readonly state: {
    readonly counts: Readonly<Record<Fate, number>>;
    /** All state except that which is kept unchanged. */
    readonly changes: readonly StateChange[];
  };
  /** One line; '' if nothing changes. */
  readonly summary: string;
}
