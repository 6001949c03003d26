/**
 * A claim: a plan's declared need of state that outlives one snapshot. Cold.
 *
 * Made by plan/claims.ts, honoured by runtime/snapshot/state-registry.ts. Two claims with the same identity mean the same state, in
 * whatever generation they stand; the identity is derived from kind, name and shape, never written by hand.
 */
export interface Claim {
  /** What sort of state: `listener-socket`, `endpoint`, … */
  readonly kind: string;
  /** The name in the config that it belongs to. */
  readonly name: string;
  /** kind, name and a digest of the settings whose change resets the state. */
  readonly identity: string;
}
