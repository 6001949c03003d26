/**
 * State that outlives a snapshot, found by the identity of the claim on it, and counted. Cold.
 *
 * Owned by one Gateway. A snapshot acquires what its plan claims and releases it when its last lease is gone; what
 * nobody holds is closed. Two snapshots that claim the same identity share the state.
 */
import type { Claim } from '../../kit/claim.ts';

export interface Lasting {
  /** Nobody holds it any more. What takes its time is told when it is done. */
  close(): Promise<void> | undefined | void;
}

interface Held {
  readonly state: Lasting;
  /** How many hold it by each identity that it is known by. */
  readonly holders: Map<string, number>;
}

export class StateRegistry {
  readonly #held = new Map<string, Held>();
  readonly #closing = new Set<Promise<void>>();

  /**
   * The state behind a claim, made by `open` if there is none yet. `before`: as which it may be known from a config in which
   * its name was another; from then on it is known by both, for as long as each is held.
   */
  acquire<S extends Lasting>(claim: Claim, open: () => S, before: Claim | null = null): S {
    const { identity } = claim;
    let held = this.#held.get(identity) ?? (before === null ? undefined : this.#held.get(before.identity));
    held ??= { state: open(), holders: new Map() };
    this.#held.set(identity, held);
    held.holders.set(identity, (held.holders.get(identity) ?? 0) + 1);
    // The identity holds the kind, and each kind of state is opened in one place: it is what that place made.
    return held.state as S;
  }

  /** Once for each `acquire`. */
  release({ identity }: Claim): void {
    const held = this.#held.get(identity);
    if (held === undefined) throw new Error(`released what nobody holds: ${identity}`);
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

  /** Resolves when everything that is not held any more has ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  /** What is there now, without becoming a holder. */
  peek(claim: Claim): Lasting | undefined {
    return this.#held.get(claim.identity)?.state;
  }

  /** For leak checks. */
  get size(): number {
    return this.#held.size;
  }
}
