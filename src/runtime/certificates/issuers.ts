/** Makes the issuers of a plan. Cold. */
import { AcmeIssuer } from '../../acme/acme-issuer.ts';
import type { PendingChallenges } from '../../acme/challenges/responder.ts';
import { type DnsHook, dnsSolver } from '../../acme/challenges/dns01.ts';
import { execHook } from '../../acme/challenges/exec-hook.ts';
import { updateHook } from '../../acme/challenges/update-hook.ts';
import { webhook } from '../../acme/challenges/webhook.ts';
import { Authority } from '../../acme/client/authority.ts';
import { AUTHORITY_LIMITS, type HttpClient, httpClient, type HttpLimits } from '../../acme/client/http-client.ts';
import type { Solver } from '../../acme/client/order.ts';
import { InternalIssuer } from '../../acme/internal-issuer.ts';
import type { Issuer } from '../../acme/issuer.ts';
import type { SharedChallenges } from '../../acme/shared-challenges.ts';
import type { CertificateStore } from '../../acme/store.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { AcmeIssuerPlan, DnsHookPlan, IssuerPlan } from '../../plan/types/acme.ts';

/** How long certificates of the internal issuer last (ms): short, since they can't be revoked. */
const INTERNAL_LIFETIME = 7 * 86_400_000;

/** RFC 8555 §6.1: clients name themselves. */
const USER_AGENT = 'prozy';

export interface IssuerContext {
  readonly store: CertificateStore;
  readonly challenges: PendingChallenges;
  readonly shared: SharedChallenges;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends all requests. */
  readonly stop: AbortSignal;
}

export function makeIssuer(plan: IssuerPlan, context: IssuerContext): Issuer {
  const { store, clock } = context;
  if (plan.type === 'internal') return new InternalIssuer(plan.name, INTERNAL_LIFETIME, store, clock);
  const { name, directory, ca, email, eab, profile, preferredChain } = plan;
  return new AcmeIssuer({
    name,
    authority: new Authority(directory, clientWith({ ...AUTHORITY_LIMITS, trust: ca }, context), clock),
    registration: {
      contact: email === null ? [] : [`mailto:${email}`],
      external: eab === null ? null : { keyId: eab.kid, hmacKey: eab.hmacKey },
    },
    profile,
    preferredChain,
    solvers: solversOf(plan, context),
    store,
  });
}

/** A client for an endpoint of the operator, which may be without TLS. `timeout`: ms. */
export function operatorClient(timeout: number, context: IssuerContext): HttpClient {
  return clientWith({ ...AUTHORITY_LIMITS, plain: true, timeout }, context);
}

function clientWith(limits: HttpLimits, { clock, stop }: IssuerContext): HttpClient {
  return httpClient(limits, clock, USER_AGENT, stop);
}

function solversOf({ challenges, dns }: AcmeIssuerPlan, context: IssuerContext): Solver[] {
  const { httpSolver, tlsSolver } = context.challenges;
  const { shared } = context;
  return challenges.flatMap((type) => {
    if (type === 'http-01') return [shared.share(httpSolver)];
    if (type === 'tls-alpn-01') return [shared.share(tlsSolver)];
    return dns === null ? [] : [dnsSolverOf(dns, context)];
  });
}

function dnsSolverOf(plan: DnsHookPlan, context: IssuerContext): Solver {
  const { clock, log } = context;
  return dnsSolver({
    hook: hookOf(plan, context),
    wait: plan.wait,
    clock,
    leftover: ({ name }, reason) => log.warn('the record of a challenge could not be removed', { name, reason }),
  });
}

function hookOf({ hook, timeout }: DnsHookPlan, context: IssuerContext): DnsHook {
  if (hook.type === 'exec') return execHook(hook.command, timeout, context.clock);
  if (hook.type === 'webhook') return webhook(hook.url, hook.authorization, operatorClient(timeout, context));
  const { host, port, zone, key } = hook;
  const secret = key === null ? null : { ...key, secret: Buffer.from(key.secret, 'base64') };
  return updateHook({ host, port, zone, key: secret }, context.clock);
}
