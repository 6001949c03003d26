/** The whole table. */
import { freshness } from '../../corpora/cache/freshness.ts';
import { invalidation } from '../../corpora/cache/invalidation.ts';
import { keyChapter } from '../../corpora/cache/keys.ts';
import { partial } from '../../corpora/cache/partial.ts';
import { requests } from '../../corpora/cache/requests.ts';
import { authorization, cacheStatus, interim, targeted } from '../../corpora/cache/shared.ts';
import { staleIfError, staleWhileRevalidate } from '../../corpora/cache/stale.ts';
import { storing } from '../../corpora/cache/storing.ts';
import { validation } from '../../corpora/cache/validation.ts';
import type { Chapter } from './case.ts';

export const TABLE: readonly Chapter[] = [
  storing,
  freshness,
  validation,
  requests,
  staleWhileRevalidate,
  staleIfError,
  keyChapter,
  invalidation,
  partial,
  authorization,
  targeted,
  interim,
  cacheStatus,
];
