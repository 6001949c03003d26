/** The gateway as the table's subject, with a clock that can be put on. */
import { testGateway } from '../../support/gateway.ts';
import { ShiftedClock } from '../../support/shifted-clock.ts';
import { cacheConfig } from '../cache-suite/config.ts';
import type { Subject } from './run.ts';

/** An origin that fails in many cases in a row is not taken out for it. */
const POOL = { health: { passive: { failures: 0 }, panic: 100 } };

export async function gatewaySubject(originPort: number): Promise<Subject> {
  const clock = new ShiftedClock();
  const gateway = await testGateway(cacheConfig(originPort, POOL), { clock });
  return {
    port: gateway.port(),
    advance: (seconds) => clock.shift(1000 * seconds),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
