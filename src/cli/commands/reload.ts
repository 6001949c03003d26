/** `prozy reload`: makes a running gateway read its config again, waits, and reports the result. Cold. */
import type { Command } from 'commander';
import type { ReloadView } from '../../runtime/reload/reload.ts';
import { systemClock } from '../../kit/clock.ts';
import { forgottenText } from '../../plan/diff/forgotten.ts';
import { parseDuration } from '../../kit/units.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';
import { withUnit } from '../value-text.ts';
import { type AddCommand, adminOption, type Format, formatOption } from './command.ts';

interface ReloadFlags {
  readonly admin: string;
  readonly wait: 'active' | 'drained';
  readonly timeout: string;
  readonly detailedExitCode?: boolean;
  readonly format: Format;
}

/** Milliseconds that one request to the gateway may wait; more requests follow. */
const ONE_WAIT = 20_000;
/** Milliseconds allowed for a response without waiting. */
const ANSWER = 5000;

export const reloadCommand: AddCommand = (program, exit) => {
  program
    .command('reload')
    .description('have a running gateway read its config again, and report the outcome')
    .addOption(adminOption())
    .addOption(
      program
        .createOption('--wait <phase>', 'until it is in effect, or until nothing runs on an older config')
        .choices(['active', 'drained'])
        .default('active'),
    )
    .option('--timeout <duration>', 'how long to wait', '30s')
    .option('--detailed-exit-code', 'end with 7 if nothing has changed')
    .addOption(formatOption())
    .addOption(program.createOption('--json', 'the same as --format json').implies({ format: 'json' }))
    .addHelpText(
      'after',
      '\nExit codes: 0 in effect, 1 refused, 2 wrong usage, 4 the gateway does not answer, 5 not in effect in time,\n6 in effect, but not drained in time, 7 unchanged (with --detailed-exit-code; otherwise 0).',
    )
    // The program itself also has `--timeout` and takes its value, hence optsWithGlobals.
    .action(async (_own: ReloadFlags, command: Command) => exit(await reload(command.optsWithGlobals<ReloadFlags>())));
};

async function reload({ admin, wait, timeout, detailedExitCode, format }: ReloadFlags): Promise<number> {
  const time = parseDuration(timeout);
  if (time === null) {
    process.stderr.write('prozy: reload: --timeout must be a duration, such as 30s\n');
    return EXIT.usage;
  }
  const view = await follow(admin, wait, systemClock.now() + time);
  if (view === null) return EXIT.unreachable;
  if (format === 'json') process.stdout.write(`${JSON.stringify(view, null, 2)}\n`);
  else process.stdout.write(`${textOf(view)}\n`);
  if (format === 'text' && view.warning !== '') process.stderr.write(`${view.warning}\n`);
  if (view.result === 'failed') {
    if (format === 'text') process.stderr.write(`${view.problem}\n`);
    return EXIT.problems;
  }
  if (view.result === 'pending') {
    process.stderr.write(`not in effect after ${withUnit(time, 'ms')}\n`);
    return EXIT.timedOut;
  }
  if (wait === 'drained' && !isDrained(view)) {
    process.stderr.write(`not drained after ${withUnit(time, 'ms')}; prozy generations shows what is left\n`);
    return EXIT.undrained;
  }
  return view.result === 'unchanged' && detailedExitCode === true ? EXIT.unchanged : EXIT.ok;
}

/** Returns the reload when it has reached the phase or the time is over; null after it has printed an error. */
async function follow(admin: string, wait: ReloadFlags['wait'], deadline: number): Promise<ReloadView | null> {
  const asked = await question(admin, '/reloads?by=cli', ANSWER, 'POST');
  if (asked === null) return null;
  for (let view = asked; ; ) {
    const left = Math.floor(deadline - systemClock.now());
    const done = view.result === 'failed' || (wait === 'active' ? view.result !== 'pending' : isDrained(view));
    if (done || left <= 0) return view;
    const time = Math.min(left, ONE_WAIT);
    const path = `/reloads/${encodeURIComponent(view.id)}?wait=${wait}&timeout=${time}ms`;
    const next = await question(admin, path, time + ANSWER);
    if (next === null) return null;
    view = next;
  }
}

async function question(admin: string, path: string, time: number, method = 'GET'): Promise<ReloadView | null> {
  const answer = await ask(admin, path, { method, signal: AbortSignal.timeout(time) });
  if (answer === null) return null;
  // The admin page defines this form; tests keep the two in step.
  if (answer.status === 200 || answer.status === 202) return answer.body as ReloadView;
  const { detail = `answered with ${answer.status}` } = (answer.body ?? {}) as { detail?: string };
  process.stderr.write(`${admin}: ${detail}\n`);
  return null;
}

function isDrained({ phases }: ReloadView): boolean {
  return phases.at(-1)?.phase === 'drained';
}

const RESULTS: Readonly<Record<ReloadView['result'], string>> = {
  pending: 'under way',
  applied: 'in effect',
  unchanged: 'nothing has changed',
  failed: 'refused',
};

function textOf({ id, result, reason, generation, duration_ms: ms, changes, forgets, phases }: ReloadView): string {
  const goes = result === 'failed' ? `, by ${reason}; generation ${generation} goes on` : `: generation ${generation}`;
  const head = `reload ${id}: ${RESULTS[result]}${result === 'pending' ? '' : `${goes}, after ${ms} ms`}`;
  const rows = phases.map((one) => ['   ', one.phase, `${one.ms} ms`]);
  const forgotten = forgets.map((one) => `    ${forgottenText(one)}`);
  return [head, ...(changes === '' ? [] : [`    ${changes}`]), ...forgotten, table(rows)].join('\n');
}
