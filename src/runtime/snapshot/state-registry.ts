/**
 * State that outlives a snapshot, found by the identity of its claim, and reference-counted. Cold.
 *
 * Owned by one Gateway. A snapshot acquires what its plan claims and releases it when its last lease is gone; state
 * without references is closed. Two snapshots that claim the same identity share the state.
 */
import type { Claim } from '../../kit/claim.ts';

export interface Lasting {
  /** No references are left. Returns a promise if closing takes time. */
  close(): Promise<void> | undefined | void;
}

interface Held {
  readonly state: Lasting;
  /** The number of references by each identity of the state. */
  readonly holders: Map<string, number>;
}

export class StateRegistry {
  readonly #held = new Map<string, Held>();
  readonly #closing = new Set<Promise<void>>();

  /**
   * Returns the state behind a claim, made by `open` if there is none yet. `before`: the claim it had in a config with
   * another name; from then on both identities find it, for as long as each is held.
   */
  acquire<S extends Lasting>(claim: Claim, open: () => S, before: Claim | null = null): S {
    const { identity } = claim;
    let held = this.#held.get(identity) ?? (before === null ? undefined : this.#held.get(before.identity));
    held ??= { state: open(), holders: new Map() };
    this.#held.set(identity, held);
    held.holders.set(identity, (held.holders.get(identity) ?? 0) + 1);
    // The identity includes the kind, and only one place opens each kind of state, so the type is known.
    return held.state as S;
  }

  /** Call it once for each `acquire`. */
  release({ identity }: Claim): void {
    const held = this.#held.get(identity);
    if (held === undefined) throw new Error(`released a claim without a holder: ${identity}`);
    const left = held.holders.get(identity)! - 1;
    if (left > 0) {
      held.holders.set(identity, left);
      return;
    }
    held.holders.delete(identity);
    this.#held.delete(identity);
    if (held.holders.size > 0) return;
    const closing = held.state.close();
    if (closing === undefined) return;
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  /** Resolves when all state without references has closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** Returns the state, if any, without a reference. */
  peek(claim: Claim): Lasting | undefined {
    return this.#held.get(claim.identity)?.state;
  }

  /** For leak checks. */
  get size(): number {
    return this.#held.size;
  }
}
