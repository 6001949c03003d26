/** The command's entry: hands the arguments to the cli, and ends the process with its code. */
import { EXIT } from './cli/exit-codes.ts';
import { program } from './cli/program.ts';

// A defect must not leave a gateway half alive: it says what happened and ends, and whoever runs it starts it again.
process.on('uncaughtException', (error) => {
  process.stderr.write(`prozy: ${error.stack ?? String(error)}\n`);
  process.exit(EXIT.internal);
});

process.exit(await program(process.argv.slice(2)));
