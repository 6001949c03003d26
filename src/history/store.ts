/**
 * The configs that were in effect, on disk: the newest entries of one config file. Cold.
 *
 *     state_dir/gateway.yaml-6b0f3c1f9a52/     one for each config file that a gateway was given; 0700
 *       entries/00000012.json                  which texts, when, why: never changed
 *       blobs/<sha256>                         a text, named by its digest
 *       hold.json                              exists while a rollback holds
 *
 * A text is stored before the entry that names it, and both are flushed to disk before they get their names: after a
 * crash at any time, every named file is complete. There are no locks: concurrent writers get numbers of their own.
 * Texts that seem unused stay for a while, because another writer may be about to name them. Damaged entries are
 * skipped, and removed when they get old.
 */
import { basename, join } from 'node:path';
import type { ConfigTexts } from '../config/config-reader.ts';
import { type Disk, UNFINISHED } from '../kit/disk.ts';
import {
  contentOf,
  type Entry,
  FOREIGN,
  type Hold,
  readEntry,
  readHold,
  sha256,
  type StoredText,
  writeEntry,
  writeHold,
} from './entry.ts';

/** The texts of an entry, all present. */
export interface StoredTexts extends ConfigTexts {
  readonly texts: ReadonlyMap<string, string>;
}

/** An entry without its number and the fields derived from the texts. */
export type EntryDraft = Pick<Entry, 'at' | 'trigger' | 'by' | 'generation' | 'pid' | 'changes'> & {
  readonly texts: ConfigTexts;
};

export interface Listing {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** The names of files that should be entries but are not. */
  readonly damaged: readonly string[];
  /** The number of entries written by another version. */
  readonly foreign: number;
  /** The highest number of any entry, readable or not. */
  readonly last: number;
}

export interface Added {
  readonly entry: Entry;
  /** The names of files that should be entries but are not. */
  readonly damaged: readonly string[];
}

/** The store, or an item in it, can't be used. */
export class HistoryError extends Error {}

/** Milliseconds that an unreferenced file is kept. */
const GRACE = 3_600_000;
/** Another writer may take a number that was free a moment ago. */
const MOST_TRIES = 100;

/** The name of a config file's part of a state directory. */
export function partOf(file: string): string {
  const name = basename(file)
    .replaceAll(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 40);
  return `${name}-${sha256(file).slice(0, 12)}`;
}

/** The config files that have a history there. */
export async function filesIn(stateDir: string, disk: Disk): Promise<string[]> {
  const files: string[] = [];
  for (const part of (await disk.list(stateDir)).toSorted()) {
    if (!/-[0-9a-f]{12}$/.test(part)) continue;
    for (const name of (await disk.list(join(stateDir, part, 'entries'))).toSorted().toReversed()) {
      const entry = readEntry((await disk.read(join(stateDir, part, 'entries', name)))?.toString('utf8') ?? '');
      if (entry === null || entry === FOREIGN || partOf(entry.file) !== part) continue;
      files.push(entry.file);
      break;
    }
  }
  return files;
}

export class HistoryStore {
  /** The config file, absolute. */
  readonly file: string;
  readonly path: string;
  readonly #disk: Disk;

  constructor(stateDir: string, file: string, disk: Disk) {
    this.file = file;
    this.path = join(stateDir, partOf(file));
    this.#disk = disk;
  }

  async list(): Promise<Listing> {
    await this.#claim();
    const names = (await this.#disk.list(join(this.path, 'entries'))).filter((name) => !name.startsWith(UNFINISHED));
    const entries: Entry[] = [];
    const damaged: string[] = [];
    let foreign = 0;
    let last = 0;
    for (const name of names) {
      const number = numberIn(name);
      last = Math.max(last, number ?? 0);
      const read = readEntry((await this.#readText(join('entries', name))) ?? '');
      if (read === FOREIGN) foreign++;
      else if (read === null || read.number !== number || read.file !== this.file) damaged.push(name);
      else entries.push(read);
    }
    return { entries: entries.toSorted((a, b) => b.number - a.number), damaged, foreign, last };
  }

  /** The original texts of an entry. */
  async read({ number, sources, globs }: Entry): Promise<StoredTexts> {
    await this.#claim();
    const texts = new Map<string, string>();
    for (const { path, blob } of sources) {
      const text = await this.#readText(join('blobs', blob));
      if (text === null) throw new HistoryError(`entry ${number} has lost the text of ${path}`);
      if (sha256(text) !== blob) throw new HistoryError(`entry ${number} has the text of ${path} damaged`);
      texts.set(path, text);
    }
    return { texts, found: new Map(globs.map(({ pattern, found }) => [pattern, found])) };
  }

  /** The entry of that number, or the newest of that content; null: there is none. */
  async find(which: number | string): Promise<Entry | null> {
    const { entries } = await this.list();
    return entries.find(({ number, content }) => which === number || which === content) ?? null;
  }

  /** Writes an entry, unless the newest has the same content, and keeps the newest `keep`. */
  async add(draft: EntryDraft, keep: number): Promise<Added> {
    await this.#prepare();
    const listing = await this.list();
    const [newest] = listing.entries;
    const content = contentOf(draft.texts);
    const sources = await this.#writeTexts(draft.texts, Date.parse(draft.at));
    const { damaged } = listing;
    if (newest?.content === content) return { entry: newest, damaged };
    const { at, trigger, by, generation, pid, changes, texts } = draft;
    const globs = [...texts.found].map(([pattern, found]) => ({ pattern, found }));
    const { file } = this;
    const entry = { at, trigger, by, generation, pid, content, changes, file, sources, globs };
    const written = await this.#create(entry, listing.last + 1);
    await this.#prune([written, ...listing.entries], listing.foreign > 0, keep, Date.parse(at));
    return { entry: written, damaged };
  }

  async hold(): Promise<Hold | null> {
    await this.#claim();
    const text = await this.#readText('hold.json');
    if (text === null) return null;
    const hold = readHold(text);
    if (hold === null) throw new HistoryError('the hold is damaged');
    return hold === FOREIGN ? null : hold;
  }

  /** null: removes the hold. */
  async setHold(hold: Hold | null): Promise<void> {
    if (hold === null) {
      await this.#claim();
      await this.#disk.remove(join(this.path, 'hold.json'));
      return;
    }
    await this.#prepare();
    await this.#disk.replace(join(this.path, 'hold.json'), writeHold(hold));
  }

  /** Entries from here are served: no other user may be able to write them. */
  async #claim(): Promise<void> {
    const wrong = await this.#disk.claim(this.path);
    if (wrong !== '') throw new HistoryError(`${this.path} ${wrong}`);
  }

  async #prepare(): Promise<void> {
    await this.#disk.makeDirectory(this.path);
    await this.#claim();
    for (const folder of ['entries', 'blobs']) await this.#disk.makeDirectory(join(this.path, folder));
  }

  async #readText(path: string): Promise<string | null> {
    return (await this.#disk.read(join(this.path, path)))?.toString('utf8') ?? null;
  }

  /** Checks a text that exists already: it may be damaged, and is then repaired. */
  async #writeTexts({ texts }: ConfigTexts, now: number): Promise<StoredText[]> {
    const sources: StoredText[] = [];
    for (const [path, text] of texts) {
      if (text === null) throw new HistoryError(`${path} could not be read`);
      const blob = sha256(text);
      const place = join(this.path, 'blobs', blob);
      const there = await this.#disk.read(place);
      if (there !== null && sha256(there.toString('utf8')) === blob) await this.#disk.touch(place, now);
      else await this.#disk.replace(place, text);
      sources.push({ path, blob });
    }
    return sources;
  }

  async #create(entry: Omit<Entry, 'number'>, from: number): Promise<Entry> {
    for (let number = from; number < from + MOST_TRIES; number++) {
      const numbered = { number, ...entry };
      if (await this.#disk.create(join(this.path, 'entries', nameOf(number)), writeEntry(numbered))) return numbered;
    }
    throw new HistoryError('others write faster');
  }

  /** `entries`: newest first. `guarded`: entries of another version exist, which may name any text. */
  async #prune(entries: readonly Entry[], guarded: boolean, keep: number, now: number): Promise<void> {
    const kept = entries.slice(0, keep);
    // Remove only entries older than the oldest kept one: other writers may have added newer entries meanwhile.
    const oldest = kept.length < keep ? 0 : kept.at(-1)!.number;
    for (const name of await this.#disk.list(join(this.path, 'entries'))) {
      const number = numberIn(name);
      if (number === null ? await this.#abandoned('entries', name, now) : number < oldest)
        await this.#disk.remove(join(this.path, 'entries', name));
    }
    if (guarded) return;
    const named = new Set(kept.flatMap(({ sources }) => sources.map(({ blob }) => blob)));
    for (const name of await this.#disk.list(join(this.path, 'blobs')))
      if (!named.has(name) && (await this.#abandoned('blobs', name, now)))
        await this.#disk.remove(join(this.path, 'blobs', name));
  }

  async #abandoned(folder: string, name: string, now: number): Promise<boolean> {
    const written = await this.#disk.written(join(this.path, folder, name));
    return written !== null && written < now - GRACE;
  }
}

function nameOf(number: number): string {
  return `${String(number).padStart(8, '0')}.json`;
}

function numberIn(name: string): number | null {
  const digits = /^(\d{8,15})\.json$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}
