/** A gateway that follows a file, with its admin pages. The command and the library start it. Cold. */
import { resolve } from 'node:path';
import type { ConfigSource } from '../config/config-source.ts';
import { FileSource } from '../config/file-source.ts';
import { systemClock } from '../kit/clock.ts';
import { Gateway, type GatewayOptions } from '../runtime/gateway.ts';
import { Reloader } from '../runtime/reload/reloader.ts';
import { adminPages } from './server.ts';

export interface RunningGateway {
  readonly gateway: Gateway;
  readonly reloader: Reloader;
  /** Stops watching and serving; see Gateway.close. */
  close(drain?: number, delay?: number): Promise<void>;
}

export interface StartOptions extends GatewayOptions {
  /** The values for `${env:NAME}`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** If the file can't take effect at the start, serve the last good config (default true). */
  readonly lastGood?: boolean;
}

/** Serves a config, by default a file's, and follows its changes. Throws a ConfigError or an OpenError. */
export async function startGateway(from: string | ConfigSource, options: StartOptions = {}): Promise<RunningGateway> {
  // The gateway is created before its reloader; the reloader exists before the first request.
  let reloader: Reloader | null = null;
  const { env = {}, clock = systemClock, lastGood = true } = options;
  const stateDir = options.stateDir === undefined ? null : resolve(options.stateDir);
  const gateway = new Gateway({
    ...options,
    ...(stateDir === null ? {} : { stateDir }),
    adminPages: adminPages(() => reloader),
  });
  const history = { stateDir, lastGood };
  const source = typeof from === 'string' ? new FileSource(resolve(from)) : from;
  reloader = new Reloader(gateway, source, env, clock, history);
  try {
    await reloader.start();
  } catch (error) {
    await reloader.close();
    await gateway.close(0);
    throw error;
  }
  const running = reloader;
  return {
    gateway,
    reloader: running,
    close: async (drain, delay = 0) => {
      if (delay > 0) gateway.announceStop();
      await running.close();
      await gateway.close(drain, delay);
    },
  };
}
