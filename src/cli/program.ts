/** The command line: names, flags and help; what they do is in one file each. Cold. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { EXIT } from './exit-codes.ts';
import type { GatewayFlags } from './flags-config.ts';

interface RunFlags extends GatewayFlags {
  readonly config?: string;
  readonly reuseAddr?: boolean;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function withRunFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the config file: .yaml, .yml, .json or .json5')
    .option('--listen <host>', 'without a file: where to listen (127.0.0.1)')
    .option('--port <port>', 'without a file: the port (8080)')
    .option('--backend <address...>', 'without a file: host:port of a backend; may be given again')
    .option('--http', 'without a file: speak HTTP rather than pass bytes on')
    .option('--max-conn <count>', 'without a file: client connections at a time')
    .option('--timeout <duration>', 'without a file: for connecting to a backend; a bare number is seconds')
    .option('--reuse-addr', 'let other processes listen on the same ports (SO_REUSEPORT)')
    .option('--verbose', 'without a file: log debug events, and every connection or request');
}

/** Runs what `argv` (without node and script) asks for; resolves with the exit code. */
export async function program(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const root = withRunFlags(new Command('prozy'))
    .description('A gateway configured by one file and reloaded without losing a request.')
    .version(version())
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 problems in the config, 2 wrong usage, 3 cannot listen, 70 a defect of prozy.',
    )
    .exitOverride()
    .action(async (flags: RunFlags) => {
      code = await runWith(flags);
    });
  withRunFlags(root.command('run').description('serve (the same as no command)')).action(
    async (_own: RunFlags, command: Command) => {
      code = await runWith(command.optsWithGlobals<RunFlags>());
    },
  );
  root
    .command('check')
    .description('show every problem of config files')
    .argument('<files...>')
    .addOption(new Option('--format <format>', 'how to show them').choices(['text', 'json']).default('text'))
    .action(async (files: string[], { format }: { format: 'text' | 'json' }) => {
      const { check } = await import('./check.ts');
      code = check(files, format);
    });
  root
    .command('backends')
    .description('show the backends of a running gateway')
    .requiredOption('--admin <address>', 'its admin listener: host:port or a URL')
    .addOption(new Option('--format <format>', 'how to show them').choices(['text', 'json']).default('text'))
    .action(async ({ admin, format }: { admin: string; format: 'text' | 'json' }) => {
      const { backends } = await import('./backends.ts');
      code = await backends(admin, format);
    });
  const duties = {
    drain: 'give an endpoint nothing new, but for clients that a sticky cookie sends there',
    disable: 'give an endpoint nothing new, and close its idle connections',
    enable: 'let an endpoint take requests again',
  } as const;
  for (const [word, description] of Object.entries(duties) as [keyof typeof duties, string][]) {
    root
      .command(word)
      .description(description)
      .argument('<pool>')
      .argument('<endpoint>', 'its address, as the config has it')
      .requiredOption('--admin <address>', 'the admin listener of the gateway: host:port or a URL')
      .action(async (pool: string, endpoint: string, { admin }: { admin: string }) => {
        const { setDuty } = await import('./backends.ts');
        code = await setDuty(word, pool, endpoint, admin);
      });
  }
  root
    .command('schema')
    .description('print the JSON Schema of config files, for editors')
    .action(async () => {
      const { editorSchema } = await import('../config/editor-schema.ts');
      const { schema } = await import('../config/schema.gen.ts');
      process.stdout.write(`${JSON.stringify(editorSchema(schema), null, 2)}\n`);
    });
  try {
    await root.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

/** Flags that stand for what a file would say. */
const INSTEAD_OF_A_FILE: Readonly<Record<keyof GatewayFlags, string>> = {
  listen: '--listen',
  port: '--port',
  backend: '--backend',
  http: '--http',
  maxConn: '--max-conn',
  timeout: '--timeout',
  verbose: '--verbose',
};

async function runWith(flags: RunFlags): Promise<number> {
  const { run } = await import('./run.ts');
  const options = { reusePort: flags.reuseAddr === true };
  const idle = Object.entries(INSTEAD_OF_A_FILE).find(([name]) => Object.hasOwn(flags, name));
  if (flags.config !== undefined && idle !== undefined) {
    process.stderr.write(`prozy: ${idle[1]} has no effect beside --config: the file says it\n`);
    return EXIT.usage;
  }
  if (flags.config !== undefined) return run(flags.config, options);
  if (flags.backend === undefined) {
    process.stderr.write('prozy needs --config FILE, or --backend HOST:PORT; see prozy --help\n');
    return EXIT.usage;
  }
  const { documentOf, writeDocument } = await import('./flags-config.ts');
  const written = writeDocument(documentOf(flags));
  try {
    return await run(written.file, options);
  } finally {
    written.remove();
  }
}
