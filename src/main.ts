/** The command's entry: hands the arguments to the cli, and ends the process with its code. */
import { EXIT } from './cli/exit-codes.ts';
import { program } from './cli/program.ts';

// A defect must not leave a gateway half alive: it says what happened and ends, and whoever runs it starts it again.
process.on('uncaughtException', (error) => {
  process.stderr.write(`prozy: ${error.stack ?? String(error)}\n`);
  process.exit(EXIT.internal);
});

// Started without the engine's own flag for it, Node would open a debugger on this signal, whatever the command.
process.on('SIGUSR1', () => {});

// The launcher was killed, and with it, whoever did it thinks, the gateway.
if (process.channel !== undefined) {
  process.on('disconnect', () => process.exit(EXIT.killed));
  process.channel?.unref();
}

const code = await program(process.argv.slice(2));
// What was printed may still be on its way through a pipe, and would be cut off.
process.stdout.write('', () => process.exit(code));
