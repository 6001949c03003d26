/** Metrics of configs, reloads and the history as Prometheus text. Cold; called by exposition.ts. */
import type { Page } from './exposition-page.ts';
import type { Metrics } from './metrics.ts';

interface Generations {
  readonly generation: number;
  /** Leases by live generation. */
  readonly leases: readonly { readonly generation: number; readonly leases: number }[];
}

export function writeConfig(page: Page, metrics: Metrics, { generation, leases }: Generations): void {
  const { reload } = metrics;
  page.family('prozy_config_reloads_total', 'counter', 'Config loads, by result.');
  for (const [result, count] of Object.entries(reload.results))
    page.sample('prozy_config_reloads_total', { result }, count);
  page.family(
    'prozy_config_reload_duration_seconds',
    'histogram',
    'From reading the files to the new generation in effect.',
  );
  page.histogram('prozy_config_reload_duration_seconds', {}, reload.duration);
  page.family('prozy_config_reload_failures_total', 'counter', 'Configs refused, by reason.');
  for (const [reason, count] of Object.entries(reload.failures))
    page.sample('prozy_config_reload_failures_total', { reason }, count);
  page.family(
    'prozy_config_reload_phase_duration_seconds',
    'histogram',
    'From each phase of a reload to the next, by the one that was reached.',
  );
  for (const [phase, duration] of Object.entries(reload.phases))
    page.histogram('prozy_config_reload_phase_duration_seconds', { phase }, duration);
  page.family('prozy_config_last_reload_successful', 'gauge', 'Whether the newest config is in effect.');
  page.sample('prozy_config_last_reload_successful', {}, reload.lastSuccessful ? 1 : 0);
  page.family('prozy_config_last_reload_success_timestamp_seconds', 'gauge', 'When a config last took effect.');
  page.sample('prozy_config_last_reload_success_timestamp_seconds', {}, reload.lastSuccessAt / 1000);
  page.family(
    'prozy_config_last_reload_failure_timestamp_seconds',
    'gauge',
    'When a config was last refused; 0: never.',
  );
  page.sample('prozy_config_last_reload_failure_timestamp_seconds', {}, reload.lastFailureAt / 1000);
  page.family('prozy_config_generation', 'gauge', 'Number of the generation in effect.');
  page.sample('prozy_config_generation', {}, generation);
  page.family('prozy_generations_live', 'gauge', 'Generations that something still runs on, the current one included.');
  page.sample('prozy_generations_live', {}, leases.length);
  page.family('prozy_leases', 'gauge', 'Running exchanges and tunnels, by generation.');
  for (const one of leases) page.sample('prozy_leases', { generation: one.generation }, one.leases);
  const { migrated, ended, tightened } = metrics.drain;
  page.family('prozy_leases_migrated_total', 'counter', 'Leases that migrated to the next generation.');
  page.sample('prozy_leases_migrated_total', {}, migrated);
  page.family(
    'prozy_leases_ended_total',
    'counter',
    'Exchanges and tunnels of old generations that were ended, by why.',
  );
  for (const [reason, count] of Object.entries(ended)) page.sample('prozy_leases_ended_total', { reason }, count);
  page.family(
    'prozy_leases_tightened_total',
    'counter',
    'Exchanges and tunnels that a newer config would have refused, by action.',
  );
  for (const [action, count] of Object.entries(tightened))
    page.sample('prozy_leases_tightened_total', { action }, count);
  writeHistory(page, metrics);
}

function writeHistory(page: Page, { history }: Metrics): void {
  page.family('prozy_history_writes_total', 'counter', 'Writes of the history, by result.');
  page.sample('prozy_history_writes_total', { result: 'written' }, history.written);
  page.sample('prozy_history_writes_total', { result: 'failed' }, history.failed);
  page.family('prozy_history_last_write_successful', 'gauge', 'Whether the history on disk is up to date.');
  page.sample('prozy_history_last_write_successful', {}, history.lastSuccessful ? 1 : 0);
  page.family('prozy_history_damaged_entries', 'gauge', 'Damaged history entries, which the gateway skips.');
  page.sample('prozy_history_damaged_entries', {}, history.damaged);
  page.family(
    'prozy_config_history_fallback',
    'gauge',
    'Whether a history entry serves instead of the file, by reason.',
  );
  for (const why of ['held', 'last_good'] as const)
    page.sample('prozy_config_history_fallback', { why }, history.fallback === why ? 1 : 0);
}
