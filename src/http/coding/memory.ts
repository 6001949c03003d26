/**
 * The memory of all coders: they hold it outside the heap, for as long as a body takes, and clients decide how long. Hot.
 *
 * Each coder reserves the bytes that it may take. A response that finds no room is sent without a coding; a request
 * that must be decoded is refused.
 */
import { MemoryBudget } from '../../kit/memory-budget.ts';

class CoderMemory extends MemoryBudget {
  /** Coders that hold memory now; for leak checks. */
  coders = 0;

  override take(bytes: number): boolean {
    const taken = super.take(bytes);
    if (taken) this.coders++;
    return taken;
  }

  override give(bytes: number): void {
    super.give(bytes);
    this.coders--;
  }
}

/** The encoders' memory and the decoders' are counted apart, so that uploads can't keep responses from being coded. */
export const encoderMemory = new CoderMemory();
export const decoderMemory = new CoderMemory();
