/** The command's entry point: passes the arguments to cli/ and exits with its code. */
import { EXIT } from './cli/exit-codes.ts';
import { program } from './cli/program.ts';

// A defect must not leave a gateway half alive: the process reports the error and exits, and its supervisor restarts
// it.
process.on('uncaughtException', (error) => {
  process.stderr.write(`prozy: ${error.stack ?? String(error)}\n`);
  process.exit(EXIT.internal);
});

// Node would open a debugger on this signal if it was started without the flag that prevents this.
process.on('SIGUSR1', () => {});

// The launcher was killed, so the gateway must end too.
if (process.channel !== undefined) {
  process.on('disconnect', () => process.exit(EXIT.killed));
  process.channel?.unref();
}

const code = await program(process.argv.slice(2));
// Output may still be on its way through a pipe and would be truncated.
process.stdout.write('', () => process.exit(code));
