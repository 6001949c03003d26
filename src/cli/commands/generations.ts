/** `prozy generations`: a running gateway's generations, their remaining work and its causes. Cold. */
import { type Problem, render } from '../../config/problem.ts';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { table } from '../table.ts';
import { type AddCommand, adminOption, type Format, formatOption } from './command.ts';

type Counts = Readonly<Record<string, number>>;

/** The fields of a generation that the command shows; the admin page has more. */
interface Generation {
  readonly generation: number;
  readonly state: string;
  readonly age_s: number;
  readonly leases: number;
  readonly by_kind: Counts;
  readonly by_listener: Counts;
  readonly by_route: Counts;
  readonly by_endpoint: Counts;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly pinned_by: Counts;
  readonly ends_in_s: number | null;
  readonly oldest: {
    readonly kind: string;
    readonly client: string;
    readonly route: string;
    readonly endpoint: string;
    readonly age_s: number;
    readonly pinned_by: string;
  } | null;
}

const HEAD = [
  'GENERATION',
  'STATE',
  'AGE',
  'LEASES',
  'EXCHANGES',
  'TUNNELS',
  'TCP',
  'IN',
  'OUT',
  'ENDS IN',
  'PINNED BY',
];

/** The limit on names shown of each kind; the JSON has all. */
const MOST = 5;

export const generationsCommand: AddCommand = (program, exit) => {
  program
    .command('generations')
    .description('show what still runs on which config of a running gateway, and why')
    .addOption(adminOption())
    .addOption(formatOption())
    .action(async ({ admin, format }: { admin: string; format: Format }) => exit(await generations(admin, format)));
};

async function generations(admin: string, format: Format): Promise<number> {
  const answer = await ask(admin, '/generations');
  if (answer === null || answer.status !== 200) return EXIT.problems;
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`);
    return EXIT.ok;
  }
  // The admin page defines this form; tests keep the two in step.
  const { generations: all, warnings } = answer.body as { generations: Generation[]; warnings: Problem[] };
  process.stdout.write(`${table([HEAD, ...all.map(rowOf)])}\n`);
  for (const one of all) if (one.leases > 0) process.stdout.write(`\n${detailsOf(one)}\n`);
  if (warnings.length > 0) process.stdout.write(`\n${render(warnings, new Map())}\n`);
  return EXIT.ok;
}

function rowOf(one: Generation): string[] {
  const { by_kind: kinds } = one;
  return [
    String(one.generation),
    one.state,
    time(one.age_s),
    String(one.leases),
    String(kinds['exchange'] ?? 0),
    String(kinds['tunnel'] ?? 0),
    String(kinds['tcp'] ?? 0),
    String(one.bytes_in),
    String(one.bytes_out),
    one.state === 'active' || one.leases === 0 ? '' : one.ends_in_s === null ? 'never' : time(one.ends_in_s),
    named(one.pinned_by),
  ];
}

function detailsOf({ generation, by_listener, by_route, by_endpoint, oldest }: Generation): string {
  const lines = [`generation ${generation}`];
  for (const [what, counts] of [
    ['listeners', by_listener],
    ['routes', by_route],
    ['endpoints', by_endpoint],
  ] as const)
    if (Object.keys(counts).length > 0) lines.push(`  ${what.padEnd(10)} ${named(counts)}`);
  if (oldest !== null) {
    const { kind, client, route, endpoint, age_s, pinned_by } = oldest;
    const why = pinned_by === '' ? '' : `, pinned by ${pinned_by}`;
    const by = route === '' ? '' : ` by route ${route}`;
    lines.push(`  ${'oldest'.padEnd(10)} ${kind} of ${client}${by} to ${endpoint}, ${time(age_s)}${why}`);
  }
  return lines.join('\n');
}

function named(counts: Counts): string {
  const all = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  const shown = all.slice(0, MOST).map(([name, count]) => `${name} ${count}`);
  if (all.length > MOST) shown.push(`and ${all.length - MOST} more`);
  return shown.join(', ');
}

function time(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
