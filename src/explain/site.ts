/** A listener with its routes as traffic meets them, in a running gateway or in a plan that is not in effect. Cold. */
import { AccessList } from '../kit/access-list.ts';
import type { HttpLimits } from '../http/server-stream.ts';
import { AddressSet } from '../kit/address-set.ts';
import { ServerPolicies } from '../net/tls/server-policies.ts';
import type { ListenerPlan, RoutePlan } from '../plan/types.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import { Router } from '../proxy/router.ts';
import { splitUrl } from './request.ts';

/** A bound HttpListener satisfies it. */
export interface Site {
  readonly plan: ListenerPlan;
  readonly limits: HttpLimits;
  readonly acl: AccessList | null;
  readonly trusted: AddressSet;
  /** null: every connection may carry every request. */
  readonly tlsPolicies: ServerPolicies | null;
  readonly identity: IdentityPlan;
  readonly router: Router<{ readonly name: string }>;
}

/**
 * Builds from a plan what runtime/snapshot/bind.ts builds for a listener, as far as needed before a request is
 * forwarded.
 */
export function siteOf(plan: ListenerPlan): Site {
  const router = new Router<RoutePlan>();
  for (const route of plan.routes) router.add(route.match, route);
  return {
    plan,
    limits: plan.limits,
    acl: plan.acl === null ? null : new AccessList(plan.acl),
    trusted: new AddressSet(plan.trustedProxies),
    tlsPolicies: bindingPolicies(plan),
    identity: plan.identity,
    router,
  };
}

function bindingPolicies({ tls }: ListenerPlan): ServerPolicies | null {
  const policies = tls === null ? null : new ServerPolicies(tls, tls.names);
  return policies?.binding === true ? policies : null;
}

export interface ListenerChoice {
  readonly listener: ListenerPlan | null;
  /** The reason for the choice, or why there is none. */
  readonly why: string;
}

/**
 * The listener that receives a request for this URL, or a TLS connection: the named one, else the one with the URL's port, else the
 * only one. `portOf`: returns a listener's actual port.
 */
export function chooseListener(
  listeners: readonly ListenerPlan[],
  url: string,
  named: string | null,
  portOf: (listener: ListenerPlan) => number = ({ address }) => address.port,
): ListenerChoice {
  const parts = splitUrl(url);
  const stream = parts?.scheme === 'tls';
  if (named !== null) {
    const found = listeners.find(({ name }) => name === named);
    if (found === undefined) return { listener: null, why: `there is no listener ${named}` };
    if (found.protocol === 'tcp' && !stream)
      return { listener: null, why: `${named} is a tcp listener: it takes no requests` };
    return { listener: found, why: 'named' };
  }
  const able = listeners.filter(stream ? readsTls : ({ protocol }) => protocol === 'http');
  if (able.length === 0)
    return { listener: null, why: `there is no ${stream ? 'listener with tls or tls_routes' : 'http listener'}` };
  if (able.length === 1) return { listener: able[0]!, why: 'the only one' };
  const port = parts === null ? -1 : parts.port >= 0 ? parts.port : parts.scheme === 'http' ? 80 : 443;
  const at = able.filter((listener) => listener.address.path === null && portOf(listener) === port);
  if (at.length === 1) return { listener: at[0]!, why: `on port ${port}` };
  return {
    listener: null,
    why: `it could come to any of ${able.map(({ name }) => name).join(', ')}; name one (--listener NAME), or its port in the URL`,
  };
}

function readsTls({ tls, tlsRoutes }: ListenerPlan): boolean {
  return tls !== null || tlsRoutes.length > 0;
}
