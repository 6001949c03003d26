/** Bytes that many holders may have at most in all. Hot. */

export class MemoryBudget {
  /** Bytes; 0: no limit. */
  limit = 0;
  /** Bytes in use. */
  used = 0;

  /** Returns false if that is more than is left. */
  take(bytes: number): boolean {
    if (this.limit > 0 && this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}
