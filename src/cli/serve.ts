/** Serves by a file until told to stop, and says how it ended. Cold; called by commands/run.ts. */
import { type RunningGateway, startGateway } from '../admin/start.ts';
import { ConfigError } from '../config/problem.ts';
import { OpenError } from '../runtime/open-error.ts';
import { EXIT } from './exit-codes.ts';

export interface ServeOptions {
  readonly reusePort: boolean;
  readonly lastGood: boolean;
  readonly stateDir?: string;
}

/** Resolves with the exit code when the gateway has ended. */
export async function serve(file: string, options: ServeOptions): Promise<number> {
  let running: RunningGateway;
  try {
    running = await startGateway(file, { env: process.env, ...options });
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.report}\n`);
      return EXIT.problems;
    }
    if (error instanceof OpenError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.listen;
    }
    throw error;
  }
  return untilStopped(running);
}

/**
 * A terminal, and systemd, tell every process of a group, and the launcher passes it on as well: what comes that soon is
 * the same signal told twice (ms).
 */
const ECHO = 500;

function untilStopped(running: RunningGateway): Promise<number> {
  const { gateway, reloader } = running;
  process.on('SIGHUP', () => {
    gateway.reopenLogs();
    reloader.force('sighup');
  });
  return new Promise((resolve) => {
    let stoppingSince = 0;
    const stop = (signal: 'SIGTERM' | 'SIGINT', code: number): void => {
      const now = gateway.clock.now();
      if (stoppingSince > 0 && now - stoppingSince < ECHO) return;
      if (stoppingSince > 0) {
        gateway.log.warn('stopping at once', { signal });
        resolve(code);
        return;
      }
      stoppingSince = now;
      gateway.log.info('stopping: finishing what runs', { signal });
      running.close().then(
        () => resolve(EXIT.ok),
        () => resolve(EXIT.internal),
      );
    };
    process.on('SIGTERM', () => stop('SIGTERM', 143));
    process.on('SIGINT', () => stop('SIGINT', 130));
  });
}
