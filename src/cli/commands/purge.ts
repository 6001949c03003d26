/** `prozy purge CACHE`: removes stored responses of a running gateway. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, adminOption, type Format, formatOption } from './command.ts';

const WAYS = ['url', 'prefix', 'host', 'tag', 'all'] as const;
type Way = (typeof WAYS)[number];

interface PurgeFlags {
  readonly url?: readonly string[];
  readonly prefix?: readonly string[];
  readonly host?: readonly string[];
  readonly tag?: readonly string[];
  readonly all?: true;
  readonly soft?: true;
  readonly admin: string;
  readonly format: Format;
}

/** The admin page defines this form; tests keep the two in step. */
interface Purged {
  readonly cache: string;
  readonly by: Way;
  readonly soft: boolean;
  readonly responses: number;
  readonly fetches: number;
}

/** A query length, in characters, that every admin listener accepts. */
const LONGEST_QUERY = 8000;

export const purgeCommand: AddCommand = (program, exit) => {
  program
    .command('purge')
    .description('take stored responses of a running gateway back')
    .argument('<cache>', 'its name')
    .option('--url <url...>', 'by URL: http://host/path?query, or //host/path for http and https')
    .option('--prefix <prefix...>', 'by the beginning of the path, in whole segments: /path or http://host/path')
    .option('--host <host...>', 'by host: example.com, or example.com:8080 for that port alone')
    .option('--tag <tag...>', 'by a word of Surrogate-Key or Cache-Tag')
    .option('--all', 'everything')
    .option('--soft', 'only make stored responses stale, so that they are revalidated')
    .addOption(adminOption())
    .addOption(formatOption())
    .addHelpText('after', '\nExit codes: 0 done, 1 no answer or no such cache, 2 wrong usage.')
    .action(async (cache: string, flags: PurgeFlags) => exit(await purge(cache, flags)));
};

function usage(text: string): number {
  process.stderr.write(`prozy: purge: ${text}\n`);
  return EXIT.usage;
}

async function purge(cache: string, flags: PurgeFlags): Promise<number> {
  const given = WAYS.filter((way) => flags[way] !== undefined);
  const [by] = given;
  if (by === undefined) return usage(`needs one of ${WAYS.map((way) => `--${way}`).join(', ')}`);
  if (given.length > 1) return usage(`takes one of ${given.map((way) => `--${way}`).join(' and ')}, not several`);
  const total: Record<'responses' | 'fetches', number> = { responses: 0, fetches: 0 };
  let purged: Purged | null = null;
  for (const query of queriesOf(by, by === 'all' ? [''] : flags[by]!, flags.soft === true)) {
    const answer = await ask(flags.admin, `/caches/${encodeURIComponent(cache)}?${query}`, { method: 'DELETE' });
    if (answer === null) return EXIT.problems;
    if (answer.status !== 200) return refused(flags.admin, answer.status, answer.body);
    purged = answer.body as Purged;
    total.responses += purged.responses;
    total.fetches += purged.fetches;
  }
  tell({ ...purged!, ...total }, flags.format);
  return EXIT.ok;
}

/** As few queries as their length allows. */
function queriesOf(by: Way, values: readonly string[], soft: boolean): string[] {
  const end = soft ? '&soft' : '';
  const queries: string[] = [];
  for (const value of values) {
    const one = `${by}=${encodeURIComponent(value)}`;
    const last = queries.at(-1);
    if (last !== undefined && last.length + one.length < LONGEST_QUERY) queries[queries.length - 1] = `${last}&${one}`;
    else queries.push(one);
  }
  return queries.map((query) => query + end);
}

function refused(admin: string, status: number, body: unknown): number {
  const { detail = `${admin} answered with ${status}` } = (body ?? {}) as { detail?: string };
  if (status === 400) return usage(detail);
  process.stderr.write(`${detail}\n`);
  return EXIT.problems;
}

function tell(purged: Purged, format: Format): void {
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(purged, null, 2)}\n`);
    return;
  }
  const { cache, soft, responses, fetches } = purged;
  const counted = `${responses} response${responses === 1 ? '' : 's'} ${soft ? 'made stale' : 'purged'}`;
  const coming = fetches === 0 ? '' : `, ${fetches} on the way not to be stored`;
  process.stdout.write(`${cache}: ${counted}${coming}\n`);
}
