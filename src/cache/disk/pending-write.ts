/** A response that waits to be written to disk. Hot; types only. */
import type { StoredResponse } from '../store/stored-response.ts';
import type { ReadRecord, RecordKey } from './record.ts';

export interface PendingWrite extends RecordKey {
  readonly key: string;
  readonly varyNames: readonly string[];
  /** The response to write; null: `record` is written. */
  readonly response: StoredResponse | null;
  /** A record that was read from a segment about to be removed. */
  readonly record: ReadRecord | null;
  readonly size: number;
  /** It replaces an older one on disk, which must not come back. */
  readonly replaces: boolean;
  /** It has been invalidated or purged. */
  dead: boolean;
}
