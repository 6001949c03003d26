/** Serves a file until a signal stops it, and returns the exit code. Cold; called by commands/run.ts. */
import { type RunningGateway, startGateway } from '../admin/start.ts';
import { ConfigError } from '../config/problem.ts';
import { OpenError } from '../runtime/snapshot/open-error.ts';
import { EXIT } from './exit-codes.ts';

export interface ServeOptions {
  readonly reusePort: boolean;
  readonly lastGood: boolean;
  readonly stateDir?: string;
  /** The file was generated from flags, so its locations mean nothing to the user. */
  readonly fromFlags?: boolean;
  /** Formats config problems and chooses the exit code, in place of the format for files. */
  readonly problems?: (error: ConfigError) => { readonly report: string; readonly code: number };
}

/** Resolves with the exit code when the gateway has ended. */
export async function serve(file: string, { problems, ...options }: ServeOptions): Promise<number> {
  let running: RunningGateway | null = null;
  // Without a gateway there is no log to reopen, and its config is just being read.
  process.on('SIGUSR1', () => running?.gateway.reopenLogs());
  process.on('SIGHUP', () => {
    running?.gateway.reopenLogs();
    running?.reloader.force('sighup');
  });
  // The launcher forwards signals from now on.
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
 * A terminal and systemd signal every process of a group, and the launcher forwards the signal too: a second signal
 * within this time (ms) is a duplicate.
 */
const ECHO = 500;

/** How long a stopping gateway keeps accepting, unless the config sets it, so that load balancers notice (ms). */
const DELAY = 5000;

/** Without an admin listener nothing polls `/ready`, and a person at a terminal does not want to wait. */
function delayOf({ current }: RunningGateway['gateway']): number {
  const plan = current?.plan;
  if (plan === undefined) return 0;
  const asked = plan.admin !== null && !process.stdin.isTTY && !process.stderr.isTTY;
  return plan.reload.drain.delay ?? (asked ? DELAY : 0);
}

/** The signals that stop the gateway. A second one ends the process with this exit code: 128 plus its number. */
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
      gateway.log.info('stopping: running exchanges and tunnels may finish', { signal, ...(delay > 0 && { delay }) });
      running.close(undefined, delay).then(
        () => resolve(EXIT.ok),
        () => resolve(EXIT.internal),
      );
    };
    for (const [signal, code] of Object.entries(STOPS)) process.on(signal, () => stop(signal, code));
  });
}
