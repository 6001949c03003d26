/** `prozy plan FILE --against ADMIN|FILE`: shows what a config would change. Cold. */
import { CommanderError, type Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { isFile } from '../where.ts';
import { type AddCommand, type Format, formatOption } from './command.ts';

interface PlanFlags {
  readonly against?: string;
  readonly format: Format;
  /** false for --no-color. */
  readonly color: boolean;
}

export const planCommand: AddCommand = (program, exit) => {
  const command = program
    .command('plan')
    .description('show what a config file would change')
    .argument('<file>', 'the config that is to take effect')
    .option('--against <where>', 'the config in effect: the admin listener of a running gateway, or a file (nothing)')
    .addOption(formatOption())
    .option('--no-color', 'without colours; so does the environment variable NO_COLOR')
    .addHelpText('after', '\nExit codes: 0 nothing would change, 2 something would, 1 problems, 64 wrong usage.')
    .action(async (file: string, flags: PlanFlags) => exit(await plan(file, flags)));
  ownUsageCode(command);
};

/** Exit code 2 means changes here, so wrong usage has another code. */
export function ownUsageCode(command: Command): void {
  command.exitOverride((error) => {
    throw error.exitCode === 0 ? error : new CommanderError(EXIT.planUsage, error.code, error.message);
  });
}

async function plan(file: string, flags: PlanFlags): Promise<number> {
  const { against } = flags;
  const { compareFile, compareGateway } = await import('../plan-against.ts');
  const told =
    against === undefined || isFile(against)
      ? compareFile(file, against ?? null, process.env)
      : await compareGateway(file, against, process.env);
  return tellPlan(told, flags);
}

/** `told` is the report or an error text. Returns the exit code. */
export async function tellPlan(
  told: import('../plan-against.ts').PlanReport | string,
  { format, color }: Pick<PlanFlags, 'format' | 'color'>,
): Promise<number> {
  if (typeof told === 'string') {
    process.stderr.write(told === '' ? '' : `${told}\n`);
    return EXIT.problems;
  }
  if (format === 'json') process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else {
    const { planText } = await import('../plan-text.ts');
    process.stdout.write(`${planText(told, color && wantsColour())}\n`);
  }
  return told.summary === '' ? EXIT.ok : EXIT.changes;
}

/** https://no-color.org: any value counts unless it is empty. */
function wantsColour(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
}
