/** The command line and its list of commands; each has a file of its own. Cold. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { backendsCommand } from './commands/backends.ts';
import { certificatesCommand } from './commands/certificates.ts';
import { checkCommand } from './commands/check.ts';
import type { AddCommand } from './commands/command.ts';
import { diffCommand } from './commands/diff.ts';
import { adminStateCommands } from './commands/admin-states.ts';
import { explainCommand } from './commands/explain.ts';
import { generationsCommand } from './commands/generations.ts';
import { historyCommand } from './commands/history.ts';
import { planCommand } from './commands/plan.ts';
import { purgeCommand } from './commands/purge.ts';
import { reloadCommand } from './commands/reload.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { trustCommand } from './commands/trust.ts';
import { suggest } from '../kit/suggest.ts';
import { EXIT } from './exit-codes.ts';

/** In the order in which help lists them. */
const COMMANDS: readonly AddCommand[] = [
  runCommand,
  checkCommand,
  explainCommand,
  planCommand,
  reloadCommand,
  backendsCommand,
  adminStateCommands,
  generationsCommand,
  purgeCommand,
  certificatesCommand,
  trustCommand,
  historyCommand,
  diffCommand,
  rollbackCommand,
  schemaCommand,
];

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs the command in `argv` (without node and script). Resolves with the exit code. */
export async function program(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const root = new Command('prozy')
    .description('A gateway configured by one file and reloaded without losing a request.')
    .version(version())
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 problems in the config, 2 wrong usage, 3 cannot listen, 70 a defect of prozy.',
    )
    .helpCommand(true)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'prozy: ')) })
    .exitOverride();
  for (const add of COMMANDS) add(root, (told) => (code = told));
  const unknown = unknownCommand(argv[0], root);
  if (unknown !== null) {
    process.stderr.write(`prozy: ${unknown}\n`);
    return EXIT.usage;
  }
  try {
    await root.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    return error.exitCode === EXIT.planUsage ? EXIT.planUsage : EXIT.usage;
  }
  return code;
}

/** Returns the error if the first argument is neither a command nor an option of `run`; null if it is valid. */
function unknownCommand(first: string | undefined, { commands }: Command): string | null {
  if (first === undefined || first.startsWith('-')) return null;
  const names = [...commands.map((command) => command.name()), 'help'];
  if (names.includes(first)) return null;
  if (/\.(ya?ml|json5?)$/.test(first))
    return `unknown command ${first}; to serve by that file: prozy --config ${first}`;
  const near = suggest(first, names);
  return `unknown command ${first}${near === undefined ? '; see prozy --help' : `; did you mean ${near}?`}`;
}
