/** Serves by a file until told to stop, and says how it ended. Cold; called by commands/run.ts. */
import { type RunningGateway, startGateway } from '../admin/start.ts';
import { ConfigError } from '../config/problem.ts';
import { OpenError } from '../runtime/snapshot/open-error.ts';
import { EXIT } from './exit-codes.ts';

export interface ServeOptions {
  readonly reusePort: boolean;
  readonly lastGood: boolean;
  readonly stateDir?: string;
  /** The file was written from flags: its places mean nothing to the user. */
  readonly fromFlags?: boolean;
  /** How problems of the config are told if not as those of a file, and the exit code then. */
  readonly problems?: (error: ConfigError) => { readonly report: string; readonly code: number };
}

/** Resolves with the exit code when the gateway has ended. */
export async function serve(file: string, { problems, ...options }: ServeOptions): Promise<number> {
  let running: RunningGateway | null = null;
  // Before there is a gateway there is no log to open anew, and its config is being read.
  process.on('SIGUSR1', () => running?.gateway.reopenLogs());
  process.on('SIGHUP', () => {
    running?.gateway.reopenLogs();
    running?.reloader.force('sighup');
  });
  // The launcher passes on signals from now on.
  process.send?.('signals');
  try {
    running = await startGateway(file, { env: process.env, ...options });
  } catch (error) {
    if (error instanceof ConfigError) {
      const { report, code } = problems?.(error) ?? { report: error.report, code: EXIT.problems };
      process.stderr.write(`${report}\n`);
      return code;
    }
    if (error instanceof OpenError) {
      process.stderr.write(`${options.fromFlags === true ? error.message : error.report}\n`);
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

/** How long a stop goes on accepting where the config does not say it, so that load balancers notice (ms). */
const DELAY = 5000;

/** Nothing asks `/ready` where there is none, and a person at a terminal does not want to wait. */
function delayOf({ current }: RunningGateway['gateway']): number {
  const plan = current?.plan;
  if (plan === undefined) return 0;
  const asked = plan.admin !== null && !process.stdin.isTTY && !process.stderr.isTTY;
  return plan.reload.drain.delay ?? (asked ? DELAY : 0);
}

/** Signals that stop it, and the exit code when one comes for the second time: 128 and its number. */
const STOPS = { SIGTERM: 143, SIGINT: 130, SIGQUIT: 131, SIGUSR2: 140 } as const;

function untilStopped(running: RunningGateway): Promise<number> {
  const { gateway } = running;
  return new Promise((resolve) => {
    let stoppingSince = 0;
    const stop = (signal: string, code: number): void => {
      const now = gateway.clock.now();
      if (stoppingSince > 0 && now - stoppingSince < ECHO) return;
      if (stoppingSince > 0) {
        gateway.log.warn('stopping at once', { signal });
        resolve(code);
        return;
      }
      stoppingSince = now;
      const delay = delayOf(gateway);
      gateway.log.info('stopping: finishing what runs', { signal, ...(delay > 0 && { delay }) });
      running.close(undefined, delay).then(
        () => resolve(EXIT.ok),
        () => resolve(EXIT.internal),
      );
    };
    for (const [signal, code] of Object.entries(STOPS)) process.on(signal, () => stop(signal, code));
  });
}
