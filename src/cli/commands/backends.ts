/** `prozy backends`: the endpoints of a running gateway. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';
import { type AddCommand, adminOption, type Format, formatOption } from './command.ts';

/** The fields of a backend that the command shows; the admin page has more. */
interface Backend {
  readonly pool: string;
  readonly endpoint: string;
  readonly state: string;
  readonly active: number;
  readonly latency_ms: number;
  readonly last_error: string;
  readonly last_error_detail: string;
  readonly since: string;
}

export const backendsCommand: AddCommand = (program, exit) => {
  program
    .command('backends')
    .description('show the backends of a running gateway')
    .addOption(adminOption())
    .addOption(formatOption())
    .action(async ({ admin, format }: { admin: string; format: Format }) => exit(await backends(admin, format)));
};

async function backends(admin: string, format: Format): Promise<number> {
  const answer = await ask(admin, '/backends');
  if (answer === null || answer.status !== 200) return EXIT.problems;
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`);
    return EXIT.ok;
  }
  // The admin page defines this form; tests keep the two in step.
  const rows = (answer.body as Backend[]).map((one) => [
    one.pool,
    one.endpoint,
    one.state,
    String(one.active),
    `${one.latency_ms} ms`,
    one.since,
    one.last_error_detail === '' ? one.last_error : `${one.last_error} (${one.last_error_detail})`,
  ]);
  process.stdout.write(
    `${table([['POOL', 'ENDPOINT', 'STATE', 'ACTIVE', 'LATENCY', 'SINCE', 'LAST ERROR'], ...rows])}\n`,
  );
  return EXIT.ok;
}
