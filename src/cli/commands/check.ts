/** `prozy check FILE...`: reports every problem of every file, and sets an exit code. Cold. */
import { resolve } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type Format, formatOption } from './command.ts';

export const checkCommand: AddCommand = (program, exit) => {
  program
    .command('check')
    .description('show every problem of config files')
    .argument('<files...>')
    .option('--strict', 'warnings are errors')
    .addOption(formatOption())
    .addHelpText('after', '\nExit codes: 0 fine, with or without warnings, 1 problems, 2 wrong usage.')
    .action(async (files: string[], flags: CheckFlags) => exit(await check(files, flags)));
};

interface CheckFlags {
  readonly strict?: boolean;
  readonly format: Format;
}

async function check(files: readonly string[], { strict = false, format }: CheckFlags): Promise<number> {
  const { compileOnce } = await import('../../runtime/compile/compile.ts');
  const results = files.map((file) => {
    const compiled = compileOnce(resolve(file), process.env);
    return { file, compiled, ok: compiled.plan !== null && !(strict && compiled.problems.length > 0) };
  });
  if (format === 'json') {
    const report = results.map(({ file, compiled, ok }) => ({ file, ok, problems: compiled.problems }));
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    for (const { file, compiled, ok } of results) {
      if (compiled.report !== '') process.stdout.write(`${compiled.report}\n\n`);
      if (compiled.plan !== null) process.stdout.write(`${file}: ${verdict(ok, compiled.problems.length)}\n`);
    }
  }
  return results.every(({ ok }) => ok) ? EXIT.ok : EXIT.problems;
}

function verdict(ok: boolean, warnings: number): string {
  if (warnings === 0) return 'fine';
  const counted = `${warnings} warning${warnings === 1 ? '' : 's'}`;
  return ok ? `fine, with ${counted}` : `${counted}, which --strict makes errors`;
}
