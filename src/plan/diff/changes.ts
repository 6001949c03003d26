/** What a diff of two plans consists of: plain data, which prints as it is. Cold. */

/** A value of a setting: plain JSON. null: it is not there. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** One setting that has another value. */
export interface SettingChange {
  /** As the config has it: `timeouts.first_byte`. */
  readonly setting: string;
  readonly before: Value;
  readonly after: Value;
  /** What numbers count; absent: nothing in particular. */
  readonly unit?: 'ms' | 'bytes';
}

/** `disabled`, `enabled`: switched off and on, the settings being there before and after. */
export type Action =
  | 'opened'
  | 'closed'
  | 'rebound'
  | 'renamed'
  | 'added'
  | 'removed'
  | 'changed'
  | 'moved'
  | 'disabled'
  | 'enabled';

/** Who may do more than before, or less. */
export interface AccessChange {
  readonly effect: 'loosened' | 'tightened' | 'both';
  readonly loosened: readonly string[];
  readonly tightened: readonly string[];
}

/** What the order of routes makes of a change of one of them. */
export interface OrderChange {
  /** Its place in the list, from 1; null: it is not there. */
  readonly before: number | null;
  readonly after: number | null;
  /** The route that it now stands before; null: it is the last, or gone. */
  readonly ahead_of: string | null;
  /** May any request be served otherwise? `unknown`: there are too many routes to tell. */
  readonly effect: 'some' | 'none' | 'unknown';
  /** Routes from which it takes requests. */
  readonly takes_from: readonly string[];
  /** Routes to which requests go that were its own. */
  readonly gives_to: readonly string[];
  /** Are there requests that were its own and that no route takes for certain? */
  readonly unrouted: boolean;
}

export interface Change {
  /** listener, route, pool, endpoint, acl, admin, logging, … */
  readonly kind: string;
  /** An endpoint's is `pool/address`; '' for what there is one of. */
  readonly name: string;
  readonly action: Action;
  readonly settings: readonly SettingChange[];
  /** null: nobody may do more or less by it. */
  readonly access: AccessChange | null;
  /** null: it is no route, or its requests are the same. */
  readonly order: OrderChange | null;
  /** The first of those that use it, as `route api`, and how many there are. */
  readonly used_by: readonly string[];
  readonly users: number;
  /** What becomes of its socket and its connections, where that is not plain; absent: nothing to say. */
  readonly effects?: readonly string[];
}

/** With nothing said of what is not given. */
export function change(part: Pick<Change, 'kind' | 'name' | 'action'> & Partial<Change>): Change {
  const { kind, name, action, ...rest } = part;
  return { kind, name, action, settings: [], access: null, order: null, used_by: [], users: 0, ...rest };
}

export type Fate = 'kept' | 'tuned' | 'reset' | 'new' | 'gone';

/** What becomes of lasting state. */
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
    /** All but what is kept as it is. */
    readonly changes: readonly StateChange[];
  };
  /** In one line; '' if nothing changes. */
  readonly summary: string;
}
