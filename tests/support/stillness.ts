/** When bytes have stopped moving between parties of this process, however slow the machine is. */
import { until } from './gateway.ts';

/** Longer than the kernel holds back acknowledgements and window updates on loopback. */
const QUIET_MS = 300;
/** Turns of this loop: a machine that gives this process no time lets none pass. */
const QUIET_TURNS = 50;

/** Lets so much time pass, and enough turns of this loop for all that can happen in it. */
export async function calm(ms: number): Promise<void> {
  for (let turn = 0; turn < 15; turn++) await new Promise((resolve) => setTimeout(resolve, ms / 15));
}

/** Resolves when what `progress` counts has begun and goes no further. */
export async function stillness(progress: () => number): Promise<void> {
  let [last, since, turns] = [progress(), performance.now(), 0];
  await until(() => {
    const now = progress();
    if (now !== last) [last, since, turns] = [now, performance.now(), 0];
    return ++turns > QUIET_TURNS && last > 0 && performance.now() - since > QUIET_MS;
  }, 'nothing moves any more');
}
