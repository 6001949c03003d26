/** The Host that a pool's endpoints receive, in requests and in checks. Cold. */
import type { ActiveCheckConfig } from '../config/schema.gen.ts';
import type { AddressPlan } from './types/address.ts';
import type { HostPlan } from './types/host.ts';

const OWN_HOSTS: ReadonlySet<string> = new Set(['preserve', 'endpoint']);

export function planHost(host: string): HostPlan {
  return OWN_HOSTS.has(host) ? { type: host === 'endpoint' ? 'endpoint' : 'preserve' } : { type: 'fixed', host };
}

/** A check without a host of its own uses its pool's. */
export function checked(active: ActiveCheckConfig, host: string): ActiveCheckConfig {
  return active.host !== undefined || OWN_HOSTS.has(host) ? active : { ...active, host };
}

/** A Unix socket has no host name. `tls`: connections to the endpoint are encrypted. */
export function hostOf({ text, path }: AddressPlan, tls: boolean): string {
  return path === null ? withoutDefaultPort(text, tls) : 'localhost';
}

/** The scheme's default port is equivalent to none (RFC 9110 §4.2.3). */
export function withoutDefaultPort(authority: string, tls: boolean): string {
  return authority.replace(tls ? /:443$/ : /:80$/, '');
}
