/**
 * Plans sticky cookies: computes each endpoint's identifier once, so that neither traffic nor the plan holds the
 * secret. Cold.
 */
import { createHash, createHmac } from 'node:crypto';
import type { EndpointConfig, StickyConfig } from '../config/schema.gen.ts';
import type { PlanScope } from './scope.ts';
import type { StickyPlan } from './types/sticky.ts';

/** 128 bits: infeasible to guess, and no two endpoints share one. */
const ID_BYTES = 16;

export function planSticky(
  config: StickyConfig,
  endpoints: readonly EndpointConfig[],
  pointer: string,
  scope: PlanScope,
): StickyPlan {
  check(config, pointer, scope);
  return {
    cookie: config.cookie,
    attributes: attributesOf(config),
    ids: endpoints.flatMap(({ address }) => (address === undefined ? [] : stickyId(address, config.secret ?? ''))),
    addressKey:
      config.secret !== undefined && endpoints.some(({ dns }) => dns !== undefined)
        ? createHmac('sha256', config.secret).update('addresses that are found by name').digest('base64url')
        : '',
  };
}

/**
 * Depends only on the address and the secret, so that it stays valid after a reload, a restart and on other gateways.
 */
export function stickyId(address: string, secret: string): string {
  const hash = secret === '' ? createHash('sha256') : createHmac('sha256', secret);
  return hash.update(address).digest().subarray(0, ID_BYTES).toString('base64url');
}

/** RFC 6265 §4.1. */
function attributesOf({ path, ttl, secure, http_only: httpOnly, same_site: sameSite }: StickyConfig): string {
  const parts = [`Path=${path}`];
  if (ttl !== undefined) parts.push(`Max-Age=${Math.floor(ttl / 1000)}`);
  if (secure) parts.push('Secure');
  if (httpOnly) parts.push('HttpOnly');
  parts.push(`SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`);
  return `; ${parts.join('; ')}`;
}

/** Reports cookies that browsers would reject. */
function check(
  { cookie, path, ttl, secure, same_site: sameSite }: StickyConfig,
  pointer: string,
  scope: PlanScope,
): void {
  if (ttl !== undefined && ttl < 1000) scope.problem(`${pointer}/ttl`, 'must be at least 1s');
  if (sameSite === 'none' && !secure)
    scope.problem(`${pointer}/same_site`, 'none needs secure: browsers refuse the cookie without it');
  if (/^__(secure|host)-/i.test(cookie) && !secure)
    scope.problem(`${pointer}/cookie`, 'a name that begins so needs secure: browsers refuse the cookie without it');
  if (/^__host-/i.test(cookie) && path !== '/')
    scope.problem(`${pointer}/path`, 'must be / for a cookie whose name begins so');
}
