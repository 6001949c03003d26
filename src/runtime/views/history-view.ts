/** The history as the admin pages show it, and the plan of an entry. Cold. */
import type { Entry } from '../../history/entry.ts';
import type { Plan } from '../../plan/types.ts';
import type { History } from '../reload/history.ts';

/** An entry without what only a reader of its texts needs. */
export interface EntryView extends Omit<Entry, 'file' | 'globs'> {
  /** Whether the entry is in effect. */
  readonly serves: boolean;
}

export interface HistoryView {
  /** null: no history is kept. */
  readonly path: string | null;
  /** Newest first. */
  readonly entries: readonly EntryView[];
  readonly damaged: readonly string[];
  /** The history fallback; null: the file is in effect. */
  readonly fallback: { readonly why: string; readonly entry: number; readonly since: string } | null;
  /** The problem with reading or writing the history; '' if there is none. */
  readonly problem: string;
}

export async function historyView(history: History): Promise<HistoryView> {
  const { store, fallback, content } = history;
  const about = {
    path: store?.path ?? null,
    fallback: fallback === null ? null : { why: fallback.why, entry: fallback.entry.number, since: fallback.since },
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

/** Returns null if there is no such entry, or a text that says why its plan is unavailable. */
export async function planOfEntry(history: History, number: number): Promise<Plan | string | null> {
  const found = await history.find(number);
  if (found === null || typeof found === 'string') return found;
  const compiled = await history.compile(found);
  return compiled?.plan ?? compiled?.report ?? '';
}
