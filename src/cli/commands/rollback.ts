/** `prozy rollback N`: rolls back to a config of the history, until the file changes. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, adminOption } from './command.ts';

interface RollbackFlags {
  readonly admin: string;
  readonly lift?: boolean;
}

/** The fields of the response that the command uses; the admin page has more. */
interface Done {
  readonly generation: number;
  readonly result: string;
  readonly held: boolean;
  readonly persisted: boolean;
  readonly problem: string;
}

export const rollbackCommand: AddCommand = (program, exit) => {
  program
    .command('rollback')
    .description('go back to a config of the history, and stay there until the file says something else')
    .argument('[entry]', 'its number, as `prozy history` shows it')
    .option('--lift', 'follow the file again')
    .addOption(adminOption())
    .addHelpText('after', '\nExit codes: 0 it is in effect, 1 it could not be, 2 wrong usage.')
    .action(async (entry: string | undefined, flags: RollbackFlags) => exit(await rollback(entry, flags)));
};

async function rollback(entry: string | undefined, { admin, lift = false }: RollbackFlags): Promise<number> {
  if (lift === (entry !== undefined) || (entry !== undefined && !/^\d{1,15}$/.test(entry))) {
    process.stderr.write('prozy: rollback: takes the number of an entry, or --lift\n');
    return EXIT.usage;
  }
  const answer = lift
    ? await ask(admin, '/hold', { method: 'DELETE' })
    : await ask(admin, `/history/${entry}/rollback`, { method: 'POST' });
  if (answer === null) return EXIT.problems;
  // The admin page defines this form; tests keep the two in step.
  const { detail, ...done } = (answer.body ?? {}) as Done & { detail?: string };
  if (answer.status !== 200) {
    process.stderr.write(`${detail ?? `${admin} answered with ${answer.status}`}\n`);
    return EXIT.problems;
  }
  const held = done.held ? ', and held until the file changes' : ', as in the file';
  const what = lift ? 'the gateway follows the file again' : `entry ${entry} is in effect${held}`;
  process.stdout.write(`${what}; generation ${done.generation}\n`);
  if (!done.persisted) process.stderr.write(`a restart would not know of it: ${done.problem}\n`);
  return EXIT.ok;
}
