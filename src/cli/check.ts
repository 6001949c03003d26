/** `prozy check FILE...`: every problem of every file, and an exit code. Cold. */
import { resolve } from 'node:path';
import { compileOnce } from '../runtime/compile.ts';
import { EXIT } from './exit-codes.ts';

export function check(files: readonly string[], format: 'text' | 'json'): number {
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
