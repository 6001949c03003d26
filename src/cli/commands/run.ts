/** `prozy --config FILE`, `prozy run`, and a gateway configured by flags without a file. Cold. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import type { GatewayFlags } from '../flags-config.ts';
import type { AddCommand } from './command.ts';

interface RunFlags extends GatewayFlags {
  readonly config?: string;
  readonly stateDir?: string;
  /** false for --no-last-good. */
  readonly lastGood: boolean;
  readonly reuseAddr?: boolean;
}

/** Adds the flags and the action to the program itself and to `run`. */
export const runCommand: AddCommand = (program, exit) => {
  withRunFlags(program).action(async (flags: RunFlags) => exit(await runWith(flags)));
  withRunFlags(program.command('run').description('serve (the same as no command)')).action(
    async (_own: RunFlags, command: Command) => exit(await runWith(command.optsWithGlobals<RunFlags>())),
  );
};

function withRunFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the config file: .yaml, .yml, .json or .json5')
    .option(
      '--state-dir <directory>',
      'where the configs that were in effect, and the keys of obtained certificates, are kept (what the file says)',
    )
    .option('--no-last-good', 'do not start with the last config in effect if the file has problems')
    .option('--listen <host>', 'without a file: where to listen (127.0.0.1)')
    .option('--port <port>', 'without a file: the port (8080)')
    .option('--backend <address...>', 'without a file: host:port of a backend; may be given again')
    .option('--http', 'without a file: speak HTTP rather than pass bytes on')
    .option('--max-conn <count>', 'without a file: client connections at a time')
    .option('--timeout <duration>', 'without a file: for connecting to a backend; a bare number is seconds')
    .option('--reuse-addr', 'let other processes listen on the same ports (SO_REUSEPORT)')
    .option('--verbose', 'without a file: log debug events, and every connection or request');
}

/**
 * Where the keys of obtained certificates are kept if nothing says so: the directory that systemd makes for the service
 * (StateDirectory=), else that of the XDG base directory specification.
 */
function defaultStateDir(env: NodeJS.ProcessEnv): { readonly defaultStateDir?: string } {
  const [ofService] = (env['STATE_DIRECTORY'] ?? '').split(':');
  if (ofService !== undefined && ofService !== '') return { defaultStateDir: ofService };
  const home = env['HOME'] || env['LOCALAPPDATA'];
  const base = env['XDG_STATE_HOME'] || (home === undefined ? undefined : join(home, '.local', 'state'));
  return base === undefined ? {} : { defaultStateDir: join(base, 'prozy') };
}

/** Flags that replace settings of a file. */
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
  const { serve } = await import('../serve.ts');
  const stateDir = flags.stateDir ?? (process.env['PROZY_STATE_DIR'] || undefined);
  const options = {
    reusePort: flags.reuseAddr === true,
    lastGood: flags.lastGood,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...defaultStateDir(process.env),
  };
  const idle = Object.entries(INSTEAD_OF_A_FILE).find(([name]) => Object.hasOwn(flags, name));
  if (flags.config !== undefined && idle !== undefined) {
    process.stderr.write(`prozy: ${idle[1]} has no effect beside --config: the file says it\n`);
    return EXIT.usage;
  }
  if (flags.config !== undefined) return serve(flags.config, options);
  if (flags.backend === undefined) {
    process.stderr.write('prozy: needs --config FILE, or --backend HOST:PORT; see prozy --help\n');
    return EXIT.usage;
  }
  if (flags.stateDir !== undefined) {
    process.stderr.write('prozy: --state-dir has no effect without --config: there is no file to have a history\n');
    return EXIT.usage;
  }
  const { documentOf, flagProblems, writeDocument } = await import('../flags-config.ts');
  const written = writeDocument(documentOf(flags));
  try {
    return await serve(written.file, {
      reusePort: options.reusePort,
      lastGood: false,
      fromFlags: true,
      problems: ({ problems }) => ({ report: flagProblems(problems, flags), code: EXIT.usage }),
    });
  } finally {
    written.remove();
  }
}
