/** The admin pages, in the order in which `/` lists them. Cold. */
import type { Page } from '../page.ts';
import { backends } from './backends.ts';
import { cache, caches } from './caches.ts';
import { certificates } from './certificates.ts';
import { config } from './config.ts';
import { adminStates } from './admin-states.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { generations } from './generations.ts';
import { health, ready } from './health.ts';
import { history, historyPlan, hold, rollback } from './history.ts';
import { metrics } from './metrics.ts';
import { names } from './names.ts';
import { plan } from './plan.ts';
import { reloads } from './reloads.ts';
import { routes } from './routes.ts';

const named: readonly Page[] = [
  health,
  ready,
  metrics,
  backends,
  ...adminStates,
  names,
  routes,
  caches,
  cache,
  ...certificates,
  explain,
  plan,
  generations,
  ...reloads,
  history,
  historyPlan,
  rollback,
  hold,
  config,
  events,
];

const front: Page = {
  path: '/',
  GET: () => ({
    status: 200,
    body: { name: 'prozy', pages: named.map(({ path }) => path).filter((path) => !path.includes(':')) },
  }),
};

export const pages: readonly Page[] = [front, ...named];
