/** `GET /certificates`, and what an operator may do with one that the gateway obtains: renew it, or revoke it. Cold. */
import { certificateViews } from '../../runtime/views/certificates.ts';
import { type AdminContext, type Answer, type Page, problem } from '../page.ts';

/** RFC 5280 §5.3.1: those that an operator may give. */
const REASONS: Readonly<Record<string, number>> = {
  unspecified: 0,
  key_compromise: 1,
  affiliation_changed: 3,
  superseded: 4,
  cessation_of_operation: 5,
};

function keyOf({ gateway }: AdminContext, name: string): string | Answer {
  const found = certificateViews(gateway).find((one) => one.name === name);
  if (found === undefined) return problem(404, 'Not Found', `there is no certificate ${name}`);
  if (found.key === null)
    return problem(409, 'Conflict', `the certificate ${name} comes from files, which the gateway does not renew`);
  return found.key;
}

export const certificates: readonly Page[] = [
  {
    path: '/certificates',
    GET: ({ gateway }) => ({ status: 200, body: certificateViews(gateway) }),
  },
  {
    path: '/certificates/:name/renew',
    POST: (context, { params: { name = '' } }) => {
      const key = keyOf(context, name);
      if (typeof key !== 'string') return key;
      context.gateway.certificates.renew(key);
      return { status: 202, body: { name, renewing: true } };
    },
  },
  {
    path: '/certificates/:name/revoke',
    POST: async (context, { params: { name = '' }, query }) => {
      const key = keyOf(context, name);
      if (typeof key !== 'string') return key;
      const word = query.get('reason') ?? 'unspecified';
      const reason = Object.hasOwn(REASONS, word) ? REASONS[word]! : null;
      if (reason === null)
        return problem(400, 'Bad Request', `the reason must be one of ${Object.keys(REASONS).join(', ')}`);
      const wrong = await context.gateway.certificates.revoke(key, reason);
      return wrong === '' ? { status: 200, body: { name, revoked: true } } : problem(502, 'Bad Gateway', wrong);
    },
  },
  {
    path: '/root-certificate',
    GET: async ({ gateway }) => {
      const root = await gateway.certificates.root();
      return root === null
        ? problem(404, 'Not Found', 'no certificate comes from the internal issuer')
        : { status: 200, body: root };
    },
  },
];
