/** `prozy explain FILE|ADMIN METHOD URL`: explains how a config, or a running gateway, would handle a request. Cold. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { isFile } from '../where.ts';
import { type AddCommand, type Format, formatOption } from './command.ts';

/** The printed data; explain/explanation.ts documents it. */
type Told = import('../../explain/explanation.ts').Explanation;

interface ExplainFlags {
  readonly header: readonly string[];
  readonly client?: string;
  readonly serverName?: string;
  readonly clientCertificate?: string;
  readonly alpn?: string;
  readonly listener?: string;
  readonly generation?: string;
  readonly entry?: string;
  readonly stateDir?: string;
  readonly format: Format;
}

export const explainCommand: AddCommand = (program, exit) => {
  program
    .command('explain')
    .description('show which route takes a request and why the others do not, and where it would be sent')
    .argument('<where>', 'a config file, or the admin listener of a running gateway: host:port or a URL')
    .argument('<method>', 'such as GET; or tls://server-name for a TLS connection, without a URL')
    .argument('[url]', 'absolute: http://host/path')
    .option(
      "-H, --header <'name: value'>",
      'a header field; may be given again',
      (line: string, all: readonly string[]) => [...all, line],
      [],
    )
    .option('--alpn <protocols>', 'what the client of a TLS connection offers: h2,http/1.1')
    .option('--client <address>', 'where the connection comes from (192.0.2.1, a documentation address)')
    .option('--server-name <name>', 'the server name of the TLS handshake, or empty (the host of the URL)')
    .option('--client-certificate <file>', "the client's certificate, in PEM")
    .option('--listener <name>', "the listener that it comes to (the one on the URL's port, else the only one)")
    .option('--generation <number>', 'of a running gateway: a generation that is still alive (the current one)')
    .option('--entry <number>', 'an entry of the history, as `prozy history` shows it, instead of the current config')
    .option('--state-dir <directory>', 'of a file: where its history is (what the file says)')
    .addOption(formatOption())
    .addHelpText('after', '\nExit codes: 0 a route takes it, 1 none does or there are problems, 2 wrong usage.')
    .action(async (where: string, method: string, url: string | undefined, _own: object, command: Command) => {
      const flags = command.optsWithGlobals<ExplainFlags>();
      const connection = /^tls:\/\//i.test(method);
      if (connection === (url === undefined))
        return exit(await explain(where, connection ? 'GET' : method, url ?? method, flags));
      return exit(usage(connection ? 'a TLS connection has no second URL' : 'needs a URL: http://host/path'));
    });
};

function usage(text: string): number {
  process.stderr.write(`prozy: explain: ${text}\n`);
  return EXIT.usage;
}

async function explain(where: string, method: string, url: string, flags: ExplainFlags): Promise<number> {
  const { client, generation, entry, header, clientCertificate } = flags;
  if (client !== undefined && isIP(client) === 0) return usage('--client must be an IP address');
  if (generation !== undefined && !/^\d{1,15}$/.test(generation)) return usage('--generation must be a number');
  if (entry !== undefined && !/^\d{1,15}$/.test(entry)) return usage('--entry must be a number');
  if (entry !== undefined && generation !== undefined)
    return usage('--entry and --generation are two different things');
  if (header.some((line) => line.indexOf(':') <= 0)) return usage("a header is given as 'name: value'");
  let certificate: string | null = null;
  if (clientCertificate !== undefined) {
    try {
      certificate = readFileSync(clientCertificate, 'utf8');
    } catch {
      return usage(`cannot read ${clientCertificate}`);
    }
  }
  const file = isFile(where);
  if (file && generation !== undefined) return usage('--generation is of a running gateway, not of a file');
  const told = file
    ? await askFile(where, method, url, flags, certificate)
    : await askGateway(where, method, url, flags, certificate);
  if (typeof told === 'number') return told;
  if (flags.format === 'json') process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else {
    const { explanationText } = await import('../explanation-text.ts');
    process.stdout.write(`${explanationText(told)}\n`);
  }
  return told.route === null && told.outcome.by !== 'pool' && told.outcome.by !== 'tls' ? EXIT.problems : EXIT.ok;
}

function protocolsIn(alpn = ''): string[] {
  return alpn.split(',').filter((one) => one !== '');
}

/** Returns the exit code after it has printed an error. */
async function askFile(
  file: string,
  method: string,
  url: string,
  flags: ExplainFlags,
  certificate: string | null,
): Promise<Told | number> {
  const { explainFile } = await import('../explain-file.ts');
  const { STRANGER } = await import('../../explain/request.ts');
  const headers = flags.header.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const { serverName } = flags;
  const asked = {
    method,
    url,
    client: flags.client ?? STRANGER,
    headers,
    alpn: protocolsIn(flags.alpn),
    ...(serverName === undefined ? {} : { serverName: serverName.toLowerCase() }),
    ...(certificate === null ? {} : { certificate }),
  };
  const given = flags.entry === undefined ? null : await storedTexts(Number(flags.entry), file, flags);
  if (typeof given === 'number') return given;
  const all = flags.format === 'json';
  const told = await explainFile(resolve(file), process.env, asked, flags.listener ?? null, all, given);
  if ('unclear' in told) return usage(told.unclear);
  if (!('report' in told)) return told;
  process.stderr.write(`${told.report}\n`);
  return EXIT.problems;
}

/** Returns the exit code after it has printed an error. */
async function storedTexts(
  number: number,
  config: string,
  { stateDir }: ExplainFlags,
): Promise<import('../../config/config-reader.ts').ConfigTexts | number> {
  const { findHistory } = await import('../find-history.ts');
  const { HistoryError } = await import('../../history/store.ts');
  const store = await findHistory({ stateDir, config }, process.env);
  if (typeof store === 'string') return usage(store);
  const entry = await store.find(number);
  if (entry === null) return usage(`there is no entry ${number} in ${store.path}`);
  try {
    return await store.read(entry);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.problems;
  }
}

async function askGateway(
  admin: string,
  method: string,
  url: string,
  flags: ExplainFlags,
  certificate: string | null,
): Promise<Told | number> {
  const { client, listener, generation, entry, header, serverName, alpn } = flags;
  const query = new URLSearchParams({ method, url, routes: flags.format === 'json' ? 'all' : 'nearest' });
  for (const line of header) query.append('header', line);
  for (const protocol of protocolsIn(alpn)) query.append('alpn', protocol);
  for (const [name, value] of Object.entries({
    client,
    listener,
    generation,
    entry,
    server_name: serverName,
    client_certificate: certificate ?? undefined,
  }))
    if (value !== undefined) query.set(name, value);
  const answer = await ask(admin, `/explain?${query.toString()}`);
  if (answer === null) return EXIT.problems;
  // The admin page defines this form; tests keep the two in step.
  if (answer.status === 200) return answer.body as Told;
  const { detail = `answered with ${answer.status}` } = (answer.body ?? {}) as { detail?: string };
  if (answer.status === 400) return usage(detail);
  process.stderr.write(`${admin}: ${detail}\n`);
  return EXIT.problems;
}
