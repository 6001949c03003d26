/** A listener with its routes as the traffic meets them, of a running gateway or of a plan that nobody serves. Cold. */
import type { HttpLimits } from '../http/server-stream.ts';
import { AddressAcl, AddressSet } from '../kit/address-set.ts';
import type { ListenerPlan, RoutePlan } from '../plan/types.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import { largestBody } from '../proxy/route-overrides.ts';
import { Router } from '../proxy/router.ts';
import { splitUrl } from './request.ts';

/** A bound HttpListener is one. */
export interface Site {
  readonly plan: ListenerPlan;
  readonly limits: HttpLimits;
  readonly acl: AddressAcl | null;
  readonly trusted: AddressSet;
  readonly identity: IdentityPlan;
  readonly router: Router<{ readonly name: string }>;
}

/** The same as runtime/snapshot/bind.ts makes of a listener, as far as a request is concerned before it is sent anywhere. */
export function siteOf(plan: ListenerPlan): Site {
  const router = new Router<RoutePlan>();
  for (const route of plan.routes) router.add(route.match, route);
  return {
    plan,
    // The route's own limit is judged when it is known.
    limits: { ...plan.limits, bodySize: largestBody(plan) },
    acl: plan.acl === null ? null : new AddressAcl(plan.acl),
    trusted: new AddressSet(plan.trustedProxies),
    identity: plan.identity,
    router,
  };
}

export interface ListenerChoice {
  readonly listener: ListenerPlan | null;
  /** Why it is that one, or why it is none. */
  readonly why: string;
}

/**
 * The http listener that a request for this URL comes to: the one that is named, else the one with the URL's port, else the
 * only one. `portOf`: where it listens.
 */
export function chooseListener(
  listeners: readonly ListenerPlan[],
  url: string,
  named: string | null,
  portOf: (listener: ListenerPlan) => number = ({ address }) => address.port,
): ListenerChoice {
  if (named !== null) {
    const found = listeners.find(({ name }) => name === named);
    if (found === undefined) return { listener: null, why: `there is no listener ${named}` };
    if (found.protocol === 'tcp') return { listener: null, why: `${named} is a tcp listener: it takes no requests` };
    return { listener: found, why: 'named' };
  }
  const http = listeners.filter(({ protocol }) => protocol === 'http');
  if (http.length === 0) return { listener: null, why: 'there is no http listener' };
  if (http.length === 1) return { listener: http[0]!, why: 'the only one' };
  const parts = splitUrl(url);
  const port = parts === null ? -1 : parts.port >= 0 ? parts.port : parts.secure ? 443 : 80;
  const at = http.filter((listener) => listener.address.path === null && portOf(listener) === port);
  if (at.length === 1) return { listener: at[0]!, why: `on port ${port}` };
  return { listener: null, why: `it could come to any of ${http.map(({ name }) => name).join(', ')}` };
}
