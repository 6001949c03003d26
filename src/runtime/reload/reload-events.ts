/** Reports a reload in the log, the metrics and the event stream. Cold; called by reloads.ts. */
import type { Gateway } from '../gateway.ts';
import { freshWarnings, type KnownWarnings } from './fresh-warnings.ts';
import type { ReachedPhase, Reload } from './reload.ts';

export function tellPhase({ metrics, events }: Gateway, reload: Reload, { phase, at, ms }: ReachedPhase): void {
  metrics.reload.phases[phase].observe(ms);
  const { id, trigger, digest, generation } = reload;
  events.emit({ time: at, type: 'reload_phase', id, trigger, phase, ms, digest, generation });
}

/**
 * Reports a reload that is in effect or refused. Returns the warnings in effect. `known`: those that were last logged.
 */
export function tellEnd(
  { log, metrics, events, clock }: Gateway,
  file: string,
  reload: Reload,
  known: KnownWarnings,
): KnownWarnings {
  const { id, trigger, digest, generation, result, reason, duration_ms, phases, problem, warning, changes, forgets } =
    reload.view;
  if (result === 'pending') return known;
  const now = clock.wall();
  const time = new Date(now).toISOString();
  events.emit({ time, type: 'reload', id, trigger, result, reason, digest, generation, problem });
  const told = { file, reload: id, trigger, digest };
  const ms = Object.fromEntries(phases.map((one) => [one.phase, one.ms]));
  metrics.reload.results[result]++;
  if (reason !== '') metrics.reload.failures[reason]++;
  // A refused push leaves the file unchanged and in effect.
  if (result !== 'failed' || trigger !== 'push') metrics.reload.lastSuccessful = result !== 'failed';
  if (result === 'failed') {
    metrics.reload.lastFailureAt = now;
    log.error('config refused; the old one keeps serving', { ...told, reason, duration_ms, ms, problem });
    return known;
  }
  metrics.reload.duration.observe(reload.duration);
  metrics.reload.lastSuccessAt = now;
  log.info(result === 'applied' ? 'config in effect' : 'config unchanged in effect', {
    ...told,
    generation,
    duration_ms,
    ms,
    ...(changes === '' ? {} : { changes }),
  });
  for (const one of forgets) {
    log.warn('the reload forgets the admin state of an endpoint', { ...told, ...one });
    events.emit({ time, type: 'forgets', id, ...one });
  }
  const { fresh, all } = freshWarnings(warning, known);
  if (fresh !== '') log.warn('config has warnings', { ...told, warning: fresh });
  return all;
}
