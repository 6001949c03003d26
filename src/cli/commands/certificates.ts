/** `prozy certificates list|renew|revoke`: the certificates of a running gateway. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';
import { type AddCommand, adminOption, type Format, formatOption } from './command.ts';

/** The fields of the page that the command uses; the admin page defines its form, and tests keep the two in step. */
interface Certificate {
  readonly name: string;
  readonly source: string;
  readonly names: readonly string[];
  readonly state: string;
  readonly issuer: string;
  readonly not_after: string;
  readonly days_left: number;
  readonly used_by: readonly string[];
  readonly renewal: { readonly next_attempt: string; readonly problem: Problem | null } | null;
}

interface Problem {
  readonly issuer: string;
  readonly code: string;
  readonly detail: string;
}

interface Flags {
  readonly admin: string;
  readonly format: Format;
}

interface RevokeFlags extends Flags {
  readonly reason?: string;
}

export const certificatesCommand: AddCommand = (program, exit) => {
  const command = program.command('certificates').description('the TLS certificates of a running gateway');
  const codes = '\nExit codes: 0 done, 1 no answer or no such certificate, 2 wrong usage.';
  command
    .command('list')
    .description('show them: where they come from, until when they are valid, and what is wrong')
    .addOption(adminOption())
    .addOption(formatOption())
    .action(async (flags: Flags) => exit(await list(flags)));
  command
    .command('renew')
    .description('obtain a new one now, whatever there is')
    .argument('<name>', 'its name, as `list` shows it')
    .addOption(adminOption())
    .addHelpText('after', codes)
    .action(async (name: string, { admin }: Flags) =>
      exit(
        await tell(admin, `/certificates/${encodeURIComponent(name)}/renew`, `${name}: a new one is being obtained`),
      ),
    );
  command
    .command('revoke')
    .description('tell its authority that it must not be trusted any more, and obtain another')
    .argument('<name>', 'its name, as `list` shows it')
    .option('--reason <reason>', 'unspecified, key_compromise, affiliation_changed, superseded, cessation_of_operation')
    .addOption(adminOption())
    .addHelpText('after', codes)
    .action(async (name: string, { admin, reason }: RevokeFlags) => {
      const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
      exit(await tell(admin, `/certificates/${encodeURIComponent(name)}/revoke${query}`, `${name}: revoked`));
    });
};

async function list({ admin, format }: Flags): Promise<number> {
  const answer = await ask(admin, '/certificates');
  if (answer === null) return EXIT.problems;
  if (answer.status !== 200) return refused(admin, answer);
  if (format === 'json') process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`);
  else process.stdout.write(textOf(answer.body as readonly Certificate[]));
  return EXIT.ok;
}

function textOf(all: readonly Certificate[]): string {
  if (all.length === 0) return 'there are no certificates\n';
  const rows = all.map(
    ({ name, source, state, issuer, not_after: until, days_left: days, used_by: users, renewal }) => [
      name,
      source,
      state,
      issuer === '' ? '-' : issuer,
      minute(until),
      String(days),
      users.length === 0 ? '-' : users.join(', '),
      renewal === null ? '-' : minute(renewal.next_attempt),
    ],
  );
  const problems = all.flatMap(({ name, renewal }) => {
    const problem = renewal?.problem ?? null;
    return problem === null ? [] : [`\n${name}: ${problem.issuer}: ${problem.code}: ${problem.detail}\n`];
  });
  return `${table([['CERTIFICATE', 'SOURCE', 'STATE', 'ISSUER', 'UNTIL', 'DAYS', 'LISTENERS', 'NEXT ATTEMPT'], ...rows])}\n${problems.join('')}`;
}

/** `2026-11-29 10:00`. */
function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

async function tell(admin: string, path: string, done: string): Promise<number> {
  const answer = await ask(admin, path, { method: 'POST' });
  if (answer === null) return EXIT.problems;
  if (answer.status >= 300) return refused(admin, answer);
  process.stdout.write(`${done}\n`);
  return EXIT.ok;
}

function refused(admin: string, { status, body }: { readonly status: number; readonly body: unknown }): number {
  const { detail = `${admin} answered with ${status}` } = (body ?? {}) as { detail?: string };
  process.stderr.write(`prozy: ${detail}\n`);
  return status === 400 ? EXIT.usage : EXIT.problems;
}
