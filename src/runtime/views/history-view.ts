/** The history as the admin pages show it, and what an entry of it means. Cold. */
import type { Plan } from '../../plan/types.ts';
import type { History } from '../reload/history.ts';

export interface EntryView {
  readonly number: number;
  readonly at: string;
  readonly trigger: string;
  readonly by: string;
  readonly generation: number;
  readonly pid: number;
  readonly content: string;
  readonly changes: string;
  readonly sources: readonly { readonly path: string; readonly blob: string }[];
  /** Is it what serves? */
  readonly serves: boolean;
}

export interface HistoryView {
  /** null: none is kept. */
  readonly path: string | null;
  /** Newest first. */
  readonly entries: readonly EntryView[];
  readonly damaged: readonly string[];
  /** What serves in place of the file; null: the file does. */
  readonly stand_in: { readonly why: string; readonly entry: number; readonly since: string } | null;
  /** What is wrong with reading or writing it; '' if nothing is. */
  readonly problem: string;
}

export async function historyView(history: History): Promise<HistoryView> {
  const { store, fallback: standIn, content } = history;
  const about = {
    path: store?.path ?? null,
    stand_in: standIn === null ? null : { why: standIn.why, entry: standIn.entry.number, since: standIn.since },
  };
  if (store === null) return { ...about, entries: [], damaged: [], problem: '' };
  try {
    const { entries, damaged } = await store.list();
    const newest = entries.find((entry) => entry.content === content);
    const views = entries.map(({ file: _, globs: __, ...entry }) => ({
      ...entry,
      serves: entry.number === newest?.number,
    }));
    return { ...about, entries: views, damaged, problem: history.problem };
  } catch (error) {
    return { ...about, entries: [], damaged: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

/** null: there is no such entry. A text: why it can't be told. */
export async function planOfEntry(history: History, number: number): Promise<Plan | string | null> {
  const found = await history.find(number);
  if (found === null || typeof found === 'string') return found;
  const compiled = await history.compile(found);
  return compiled?.plan ?? compiled?.report ?? '';
}
