/** `prozy history`: the configs that were in effect, from a running gateway or from disk. Cold. */
import type { Command } from 'commander';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';
import { type AddCommand, type Format, formatOption, optionalAdminOption } from './command.ts';

export interface HistoryFlags {
  readonly admin?: string;
  readonly stateDir?: string;
  readonly config?: string;
}

interface ShownFlags extends HistoryFlags {
  readonly format: Format;
}

/** The fields of an entry that the command shows. */
interface Entry {
  readonly number: number;
  readonly at: string;
  readonly trigger: string;
  readonly generation: number;
  readonly content: string;
  readonly changes: string;
  /** Whether the entry is currently in effect; absent without a gateway. */
  readonly serves?: boolean;
}

interface Fallback {
  readonly why: string;
  readonly since: string;
  readonly entry: number;
}

interface History {
  readonly path: string | null;
  readonly entries: readonly Entry[];
  readonly damaged: readonly string[];
  readonly fallback: Fallback | null;
  /** An error in writing or reading the history; '' for none. */
  readonly problem: string;
}

/** Options that locate the history. */
export function historyOptions(command: Command): Command {
  return command
    .addOption(optionalAdminOption())
    .option('--state-dir <directory>', 'without a gateway: where the history is (PROZY_STATE_DIR)')
    .option('--config <file>', 'without a gateway: the file whose history it is');
}

const HEAD = ['', 'ENTRY', 'SINCE', 'TRIGGER', 'GENERATION', 'CONTENT', 'CHANGES'];

export const historyCommand: AddCommand = (program, exit) => {
  historyOptions(program.command('history'))
    .description('show the configs that were in effect')
    .addOption(formatOption())
    .action(async (_own: object, command: Command) => exit(await history(command.optsWithGlobals<ShownFlags>())));
};

async function history(flags: ShownFlags): Promise<number> {
  const told = flags.admin === undefined ? await read(flags) : await askHistory(flags.admin);
  if (typeof told === 'number') return told;
  if (flags.format === 'json') process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else process.stdout.write(`${textOf(told)}\n`);
  return EXIT.ok;
}

/** Returns the exit code after it has printed an error. */
async function askHistory(admin: string): Promise<History | number> {
  const answer = await ask(admin, '/history');
  if (answer === null || answer.status !== 200) return EXIT.problems;
  // The admin page defines this form; tests keep the two in step.
  return answer.body as History;
}

async function read({ stateDir, config }: HistoryFlags): Promise<History | number> {
  const { findHistory } = await import('../find-history.ts');
  const store = await findHistory({ stateDir, config }, process.env);
  if (typeof store === 'string') {
    process.stderr.write(`prozy: history: ${store}\n`);
    return EXIT.usage;
  }
  try {
    const [{ entries, damaged }, hold] = [await store.list(), await store.hold()];
    const fallback = hold === null ? null : { why: 'held', since: hold.since, entry: hold.entry };
    return { path: store.path, entries, damaged, fallback, problem: '' };
  } catch (error) {
    process.stderr.write(`${store.path}: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.problems;
  }
}

function textOf({ path, entries, damaged, fallback, problem }: History): string {
  if (path === null) return 'No history is kept: the config says no reload.state_dir.';
  const parts = [entries.length === 0 ? `Nothing is in ${path} yet.` : table([HEAD, ...entries.map(rowOf)])];
  if (fallback !== null) parts.push(fallbackText(fallback));
  if (damaged.length > 0) parts.push(`Damaged, skipped: ${damaged.join(', ')}`);
  if (problem !== '') parts.push(`Trouble: ${problem}`);
  return parts.join('\n\n');
}

function fallbackText({ why, entry, since }: Fallback): string {
  return why === 'held'
    ? `Entry ${entry} is held since ${since}, until the file says something else that can take effect (or: prozy rollback --lift).`
    : `Entry ${entry} serves since ${since}, because the file could not take effect.`;
}

function rowOf({ number, at, trigger, generation, content, changes, serves }: Entry): string[] {
  const since = at.replace(/\.\d+Z$/, 'Z');
  return [
    serves === true ? '*' : '',
    String(number),
    since,
    trigger,
    String(generation),
    content.slice(0, 12),
    changes,
  ];
}
