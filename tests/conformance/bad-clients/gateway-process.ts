/** A gateway for the bad clients as a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../support/ports.ts';
import { type GatewayProcess, startProcess } from '../gateway-process.ts';
import { badClientsConfig } from './config.ts';
import { KINDS } from './kinds.ts';

export interface BadClientsProcess extends GatewayProcess {
  readonly ports: ReadonlyMap<string, number>;
  readonly logFile: string;
}

export async function startGatewayProcess(originPort: number): Promise<BadClientsProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-bad-clients-'));
  const logFile = join(folder, 'access.log');
  const configFile = join(folder, 'gateway.json');
  const [adminPort = 0, ...rest] = await freePorts(KINDS.length + 1);
  const ports = new Map(KINDS.map(({ name }, i) => [name, rest[i]!]));
  const config = badClientsConfig({
    listener: (name) => `127.0.0.1:${ports.get(name)}`,
    admin: `127.0.0.1:${adminPort}`,
    origin: originPort,
    log: logFile,
  });
  writeFileSync(configFile, JSON.stringify(config));
  const started = await startProcess(configFile, adminPort);
  return {
    ...started,
    ports,
    logFile,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
