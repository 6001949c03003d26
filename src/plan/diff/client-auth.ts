/** Finds which clients a change of `client_auth`, or of an ACL's certificates, lets in or keeps out. Cold. */
import type { AccessRules, CertificateRule } from '../../kit/access-list.ts';
import type { ClientAuthPlan, ListenerTlsPlan, TlsNamePlan } from '../types/tls.ts';

/** Takes the sentences. */
interface Notes {
  loosen(how: string): void;
  tighten(how: string): void;
}

/** null: the listener has no TLS, so that it asks no client for a certificate. */
export function clientAuthAccess(before: ListenerTlsPlan | null, after: ListenerTlsPlan | null, notes: Notes): void {
  authAccess(before?.clientAuth ?? null, after?.clientAuth ?? null, '', notes);
  const names = new Set([...(before?.names ?? []), ...(after?.names ?? [])].map(({ name }) => name));
  for (const name of names) {
    const [old, now] = [authFor(before, name), authFor(after, name)];
    const same = old === (before?.clientAuth ?? null) && now === (after?.clientAuth ?? null);
    // Names without settings of their own change with their listener.
    if (!same) authAccess(old, now, ` for ${name}`, notes);
  }
}

/** The settings of a name that has none are those of its longest wildcard, else the listener's. */
function authFor(tls: ListenerTlsPlan | null, name: string): ClientAuthPlan | null {
  if (tls === null) return null;
  const bare = name.replace(/^\*/, '');
  const covers = ({ name: other }: TlsNamePlan): boolean => other.startsWith('*.') && bare.endsWith(other.slice(1));
  const [wildcard] = tls.names.filter(covers).toSorted((a, b) => b.name.length - a.name.length);
  return (tls.names.find((one) => one.name === name) ?? wildcard ?? tls).clientAuth;
}

const STRICTNESS = { none: 0, optional: 1, required: 2 } as const;
const SAYS = [
  'clients are not asked for a certificate',
  'clients may present a certificate',
  'clients need a certificate',
] as const;

function authAccess(before: ClientAuthPlan | null, after: ClientAuthPlan | null, where: string, notes: Notes): void {
  const [old, now] = [STRICTNESS[before?.mode ?? 'none'], STRICTNESS[after?.mode ?? 'none']];
  if (now < old) notes.loosen(`${SAYS[now]}${where}`);
  if (now > old) notes.tighten(`${SAYS[now]}${where}`);
  if (before === null || after === null) return;
  const { subjects, crl } = before.authorities;
  const added = after.authorities.subjects.filter((one) => !subjects.includes(one));
  const removed = subjects.filter((one) => !after.authorities.subjects.includes(one));
  if (added.length > 0) notes.loosen(`newly trusted to issue client certificates${where}: ${added.join('; ')}`);
  if (removed.length > 0)
    notes.tighten(`no longer trusted to issue client certificates${where}: ${removed.join('; ')}`);
  const [checked, checks] = [crl !== '', after.authorities.crl !== ''];
  if (checked && !checks) notes.loosen(`revoked client certificates pass${where}`);
  if (!checked && checks) notes.tighten(`revoked client certificates no longer pass${where}`);
  if (after.depth > before.depth) notes.loosen(`longer chains of client certificates pass${where}`);
  if (after.depth < before.depth) notes.tighten(`longer chains of client certificates no longer pass${where}`);
}

/** The conditions that an ACL sets for certificates. */
export function certificateAccess(before: AccessRules, after: AccessRules, notes: Notes): void {
  const [old, now] = [before.certificates.map(ruleText), after.certificates.map(ruleText)];
  if (old.length === 0 && now.length > 0) notes.tighten('clients need a certificate');
  else if (old.length > 0 && now.length === 0) notes.loosen('clients need no certificate');
  else {
    const [more, fewer] = [now.filter((one) => !old.includes(one)), old.filter((one) => !now.includes(one))];
    if (more.length > 0) notes.loosen(`newly allowed certificates: ${more.join('; ')}`);
    if (fewer.length > 0) notes.tighten(`no longer allowed certificates: ${fewer.join('; ')}`);
  }
}

function ruleText(rule: CertificateRule): string {
  return Object.entries(rule)
    .map(([key, value]) => `${key} ${value}`)
    .toSorted()
    .join(' and ');
}
