/** A gateway without a file: flags become the same document that a file would hold. Cold. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GatewayFlags {
  readonly listen?: string;
  readonly port?: string;
  readonly backend?: readonly string[];
  readonly maxConn?: string;
  readonly timeout?: string;
  readonly verbose?: boolean;
  readonly http?: boolean;
}

/** The document that these flags stand for. */
export function documentOf(flags: GatewayFlags): object {
  const host = flags.listen ?? '127.0.0.1';
  const address = `${host.includes(':') ? `[${host}]` : host}:${flags.port ?? '8080'}`;
  // What is not a number stays text, for validation to say so.
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

/** Puts the document where a config file is read from; `remove` takes it away again. */
export function writeDocument(document: object): { file: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'prozy-'));
  const file = join(directory, 'flags.json');
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return { file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
