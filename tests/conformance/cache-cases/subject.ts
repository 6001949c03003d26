/** The gateway as the table's subject, with a clock that can be put on. */
import { type Clock, systemClock } from '../../../src/kit/clock.ts';
import { testGateway } from '../../support/gateway.ts';
import { cacheConfig } from '../cache-suite/config.ts';
import type { Subject } from './run.ts';

export async function gatewaySubject(originPort: number): Promise<Subject> {
  let ahead = 0;
  // What is under way is timed as ever: only the time of day and the age of things are put on.
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    wall: () => systemClock.wall() + ahead,
  };
  const gateway = await testGateway(cacheConfig(originPort), { clock });
  return {
    port: gateway.port(),
    advance: (seconds) => (ahead += 1000 * seconds),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
