/** What waits to be written. Hot; types only. */
import type { StoredResponse } from '../store/stored-response.ts';
import type { ReadRecord, RecordKey } from './record.ts';

export interface PendingWrite extends RecordKey {
  readonly key: string;
  readonly varyNames: readonly string[];
  /** What is to be written; null: the record. */
  readonly response: StoredResponse | null;
  /** It was read from a file that goes. */
  readonly record: ReadRecord | null;
  readonly size: number;
  /** There is an older one on disk, which must not come back in its place. */
  readonly replaces: boolean;
  /** It has been taken back. */
  dead: boolean;
}
