/** The gateway as the table's subject, with a clock that can be put on. */
import { systemClock } from '../../../src/kit/clock.ts';
import { testGateway } from '../../support/gateway.ts';
import { cacheConfig } from '../cache-suite/config.ts';
import { LeapingClock } from './leaping-clock.ts';
import type { Subject } from './run.ts';

export async function gatewaySubject(originPort: number): Promise<Subject> {
  const clock = new LeapingClock(systemClock);
  const gateway = await testGateway(cacheConfig(originPort), { clock });
  return {
    port: gateway.port(),
    advance: (seconds) => clock.leap(1000 * seconds),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
