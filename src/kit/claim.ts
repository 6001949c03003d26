/**
 * A claim: a plan's declared need for state that outlives one snapshot. Cold.
 *
 * plan/claims.ts makes claims and runtime/snapshot/state-registry.ts honours them. Two claims with the same identity
 * refer to the same state, in any generation. The identity is derived from kind, name and settings, never written by
 * hand.
 */
export interface Claim {
  /** The kind of state: `listener-socket`, `endpoint`, … */
  readonly kind: string;
  /** The config name that the state belongs to. */
  readonly name: string;
  /** The kind, the name and a digest of the settings whose change resets the state. */
  readonly identity: string;
}
