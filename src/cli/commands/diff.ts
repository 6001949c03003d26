/** `prozy diff A B`: the differences between two configs of the history. Cold. */
import type { Command } from 'commander';
import { HistoryError } from '../../history/store.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type Format, formatOption } from './command.ts';
import { historyOptions, type HistoryFlags } from './history.ts';
import { ownUsageCode, tellPlan } from './plan.ts';

interface DiffFlags extends HistoryFlags {
  readonly format: Format;
  /** false for --no-color. */
  readonly color: boolean;
}

export const diffCommand: AddCommand = (program, exit) => {
  const command = historyOptions(program.command('diff'))
    .description('show what is different between two configs of the history')
    .argument('<from>', 'the number of an entry, `running` for the config in effect, or a file')
    .argument('<to>', 'the same')
    .addOption(formatOption())
    .option('--no-color', 'without colours; so does the environment variable NO_COLOR')
    .addHelpText('after', '\nExit codes: 0 nothing is, 2 something is, 1 problems, 64 wrong usage.')
    .action(async (from: string, to: string, _own: object, own: Command) =>
      exit(await diff(from, to, own.optsWithGlobals<DiffFlags>())),
    );
  ownUsageCode(command);
};

async function diff(from: string, to: string, flags: DiffFlags): Promise<number> {
  const at = await placeOf(flags);
  if (at === null) return EXIT.planUsage;
  const { compareHistory } = await import('../compare-history.ts');
  const told = await compareHistory(from, to, at, process.env).catch((error: unknown) => {
    if (error instanceof HistoryError) return error.message;
    throw error;
  });
  return tellPlan(told, flags);
}

/** Returns null after it has printed an error. */
async function placeOf({
  admin,
  stateDir,
  config,
}: HistoryFlags): Promise<import('../compare-history.ts').HistoryAt | null> {
  if (admin !== undefined) return admin;
  const { findHistory } = await import('../find-history.ts');
  const store = await findHistory({ stateDir, config }, process.env);
  if (typeof store !== 'string') return store;
  process.stderr.write(`prozy: diff: ${store}\n`);
  return null;
}
