/** A gateway without a file: converts flags to the document that a config file would contain. Cold. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isError, type Problem } from '../config/problem.ts';

export interface GatewayFlags {
  readonly listen?: string;
  readonly port?: string;
  readonly backend?: readonly string[];
  readonly maxConn?: string;
  readonly timeout?: string;
  readonly verbose?: boolean;
  readonly http?: boolean;
}

/** Returns the document for these flags. */
export function documentOf(flags: GatewayFlags): object {
  const host = flags.listen ?? '127.0.0.1';
  const address = `${host.includes(':') ? `[${host}]` : host}:${flags.port ?? '8080'}`;
  // Values that are not numbers stay text, and validation reports them.
  const number = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text);
  const limits = flags.maxConn === undefined ? {} : { limits: { connections: number(flags.maxConn) } };
  const http = flags.http === true;
  const connect =
    flags.timeout === undefined
      ? {}
      : { timeouts: { connect: /^\d+$/.test(flags.timeout) ? `${flags.timeout}s` : flags.timeout } };
  return {
    version: 1,
    logging: {
      level: flags.verbose === true ? 'debug' : 'info',
      ...(flags.verbose === true ? { access: { path: 'stdout' } } : {}),
    },
    pools: { backend: { endpoints: flags.backend ?? [], ...connect } },
    listeners: {
      main: { address, ...(http ? { protocol: 'http' } : { protocol: 'tcp', pool: 'backend' }), ...limits },
    },
    routes: http ? [{ name: 'all', match: {}, pool: 'backend' }] : [],
  };
}

/** Formats the problems of such a document in terms of the flags. */
export function flagProblems(problems: readonly Problem[], flags: GatewayFlags): string {
  return problems
    .filter(isError)
    .map(({ pointer, message, hint }) => {
      const { flag, says } = flagOf(pointer, flags);
      return `prozy: ${flag}: ${says ?? message}${hint === undefined || says !== undefined ? '' : ` (${hint})`}`;
    })
    .join('\n');
}

/** Returns the flag for a location in the document. `says` replaces the message if a setting combines two flags. */
function flagOf(pointer: string, flags: GatewayFlags): { readonly flag: string; readonly says?: string } {
  const { listen = '', port = '8080', backend = [], timeout = '', maxConn = '' } = flags;
  const endpoint = /^\/pools\/backend\/endpoints\/(\d+)/.exec(pointer);
  if (endpoint !== null) return { flag: `--backend ${backend[Number(endpoint[1])]}` };
  if (pointer.startsWith('/pools/backend/endpoints')) return { flag: '--backend' };
  if (pointer.startsWith('/pools/backend/timeouts')) return { flag: `--timeout ${timeout}` };
  if (pointer.startsWith('/listeners/main/limits')) return { flag: `--max-conn ${maxConn}` };
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    return { flag: `--port ${port}`, says: 'must be a port from 0 to 65535' };
  return { flag: `--listen ${listen}`, says: 'must be a host name or an IP address' };
}

/** Writes the document to a temporary file; `remove` deletes it. */
export function writeDocument(document: object): { file: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'prozy-'));
  const file = join(directory, 'flags.json');
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return { file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
