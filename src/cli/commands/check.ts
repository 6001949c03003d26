/** `prozy check FILE...`: every problem of every file, and an exit code. Cold. */
import { resolve } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type Format, formatOption } from './command.ts';

export const checkCommand: AddCommand = (program, exit) => {
  program
    .command('check')
    .description('show every problem of config files')
    .argument('<files...>')
    .addOption(formatOption())
    .action(async (files: string[], { format }: { format: Format }) => exit(await check(files, format)));
};

async function check(files: readonly string[], format: Format): Promise<number> {
  const { compileOnce } = await import('../../runtime/compile.ts');
  const results = files.map((file) => ({ file, compiled: compileOnce(resolve(file), process.env) }));
  const bad = results.some(({ compiled }) => compiled.plan === null);
  if (format === 'json') {
    const report = results.map(({ file, compiled }) => ({
      file,
      ok: compiled.plan !== null,
      problems: compiled.problems,
    }));
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    for (const { file, compiled } of results) {
      process.stdout.write(compiled.plan === null ? `${compiled.report}\n\n` : `${file}: fine\n`);
    }
  }
  return bad ? EXIT.problems : EXIT.ok;
}
