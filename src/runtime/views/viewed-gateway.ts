/** The parts of a running gateway that its views read, so that the gateway may import views and not the reverse. Cold. */
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Certificates } from '../certificates/certificates.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { StateRegistry } from '../snapshot/state-registry.ts';

export interface ViewedGateway {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly registry: StateRegistry;
  readonly current: Snapshot | null;
  /** The current snapshot and the older ones that still hold leases, newest first. */
  readonly snapshots: readonly Snapshot[];
  /** The certificates that the gateway obtains. */
  readonly certificates: Certificates;
  /** The bytes of request bodies that buffer policies hold. */
  readonly bufferedBytes: number;
}
