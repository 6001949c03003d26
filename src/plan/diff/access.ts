/**
 * Finds the access that a change grants or withdraws: address sets, guards, limits, and the reach of a listener. Cold.
 */
import type { PathRules } from '../../http/path.ts';
import { Networks } from '../../kit/networks.ts';
import { requiresCertificates } from '../handshake.ts';
import { ANY } from '../listeners.ts';
import type { AclPlan, ListenerPlan, RoutePlan } from '../types.ts';
import type { AddressPlan } from '../types/address.ts';
import type { AdminPlan } from '../types/admin.ts';
import type { IdentityPlan } from '../types/identity.ts';
import { certificateAccess, clientAuthAccess } from './client-auth.ts';
import type { AccessChange, SettingChange } from './changes.ts';

/** The policies besides ACLs that reject or throttle clients. */
const GUARDS = new Set(['auth', 'forward_auth', 'rate_limit', 'connection_limit']);

/** The most sentences of each kind; further ones are counted. */
const MOST_NOTES = 10;

/** Collects the notes of a change. */
export class AccessNotes {
  readonly #loosened: string[] = [];
  readonly #tightened: string[] = [];

  loosen(how: string): void {
    this.#loosened.push(how);
  }

  tighten(how: string): void {
    this.#tightened.push(how);
  }

  compare(before: Networks, after: Networks, where: string): void {
    const more = after.without(before);
    const fewer = before.without(after);
    if (!more.empty) this.loosen(`newly allowed${where}: ${more.toString()}`);
    if (!fewer.empty) this.tighten(`no longer allowed${where}: ${fewer.toString()}`);
  }

  get change(): AccessChange | null {
    const [loosened, tightened] = [few(this.#loosened), few(this.#tightened)];
    if (loosened.length === 0 && tightened.length === 0) return null;
    const effect = tightened.length === 0 ? 'loosened' : loosened.length === 0 ? 'tightened' : 'both';
    return { effect, loosened, tightened };
  }
}

function few(notes: readonly string[]): readonly string[] {
  return notes.length <= MOST_NOTES ? notes : [...notes.slice(0, MOST_NOTES), `and ${notes.length - MOST_NOTES} more`];
}

const known = new WeakMap<AclPlan, Networks>();

function allowedBy(acl: AclPlan): Networks {
  let allowed = known.get(acl);
  if (allowed === undefined) known.set(acl, (allowed = Networks.allowedBy(acl)));
  return allowed;
}

/** A listener or a route. */
type Guarded = Pick<RoutePlan, 'policies'> & Partial<Pick<ListenerPlan, 'acl'>>;

/** A listener's own ACL, and those of the policies. */
function aclsOf({ acl, policies }: Guarded): AclPlan[] {
  const own = acl === undefined || acl === null ? [] : [acl];
  return [...own, ...policies.flatMap((policy) => (policy.type === 'acl' ? [policy.acl] : []))];
}

/** The clients that pass all of its ACLs. */
function allowedAt(one: Guarded): Networks {
  return aclsOf(one).reduce((allowed, acl) => allowed.and(allowedBy(acl)), Networks.ALL);
}

function guardsOf({ policies }: Guarded): Set<string> {
  return new Set(policies.map(({ type }): string => type).filter((type) => GUARDS.has(type)));
}

export function aclAccess(before: AclPlan, after: AclPlan): AccessChange | null {
  const notes = new AccessNotes();
  notes.compare(allowedBy(before), allowedBy(after), '');
  certificateAccess(before, after, notes);
  return notes.change;
}

/** An ACL's own change is reported once, with the ACL: here only the set of ACLs and guards is compared. */
export function guardedAccess(before: Guarded, after: Guarded, notes: AccessNotes): void {
  const names = (one: Guarded): string => JSON.stringify(aclsOf(one).map(({ name }) => name));
  if (names(before) !== names(after)) {
    notes.compare(allowedAt(before), allowedAt(after), '');
    certified(before, after, '', notes);
  }
  guards(before, after, '', notes);
}

/** Compares access for requests that moved from route `before` to route `after`. */
export function handedOver(before: RoutePlan, after: RoutePlan, notes: AccessNotes): void {
  const where = ` (${before.name}'s requests at ${after.name})`;
  notes.compare(allowedAt(before), allowedAt(after), where);
  certified(before, after, where, notes);
  guards(before, after, where, notes);
}

/** Whether clients need a certificate of certain names. */
function certified(before: Guarded, after: Guarded, where: string, notes: AccessNotes): void {
  const [old, now] = [wantsCertificate(before), wantsCertificate(after)];
  if (old && !now) notes.loosen(`clients need no certificate${where}`);
  if (!old && now) notes.tighten(`clients need a certificate${where}`);
}

function wantsCertificate(one: Guarded): boolean {
  return aclsOf(one).some(({ certificates }) => certificates.length > 0);
}

function guards(before: Guarded, after: Guarded, where: string, notes: AccessNotes): void {
  const [old, now] = [guardsOf(before), guardsOf(after)];
  for (const type of old) if (!now.has(type)) notes.loosen(`no ${type} any more${where}`);
  for (const type of now) if (!old.has(type)) notes.tighten(`now with ${type}${where}`);
}

/** 0: only this machine can connect, 1: some networks, 2: all. */
function reachOf({ host, path }: AddressPlan): 0 | 1 | 2 {
  if (path !== null || host === 'localhost' || host === '::1' || host.startsWith('127.')) return 0;
  return host === '' || ANY.has(host) ? 2 : 1;
}

const REACH = ['this machine alone', 'one of its addresses', 'all of its addresses'] as const;

function reachAccess(before: AddressPlan | null, after: AddressPlan, notes: AccessNotes): void {
  const [old, now] = [before === null ? 0 : reachOf(before), reachOf(after)];
  if (now > old) notes.loosen(`can be reached at ${REACH[now]}${before === null ? '' : `, not ${REACH[old]}`}`);
  if (now < old) notes.tighten(`can be reached at ${REACH[now]}, not ${REACH[old]}`);
}

export function adminAccess(before: AdminPlan | null, after: AdminPlan): AccessChange | null {
  const notes = new AccessNotes();
  reachAccess(before?.address ?? null, after.address, notes);
  const [old, now] = [before?.push ?? null, after.push];
  if (old === null && now !== null) notes.loosen('clients with the token may push a config');
  if (old !== null && now === null) notes.tighten('clients may no longer push a config');
  const [needed, needs] = [(before?.token ?? null) !== null, after.token !== null];
  if (needed && !needs) notes.loosen('actions no longer need a token');
  if (before !== null && !needed && needs) notes.tighten('actions need a token');
  return notes.change;
}

/** Reports a new listener if other machines can reach it and neither an ACL nor authentication restricts it. */
export function openedAccess(listener: ListenerPlan): AccessChange | null {
  const open = (one: Guarded): boolean => allowedAt(one).all && !guardsOf(one).has('auth') && !wantsCertificate(one);
  if (requiresCertificates(listener.tls)) return null;
  if (reachOf(listener.address) === 0 || !open(listener)) return null;
  const relays = listener.protocol === 'tcp' || listener.tlsRoutes.some(({ mode }) => mode === 'passthrough');
  if (!relays && !listener.routes.some(open)) return null;
  const notes = new AccessNotes();
  notes.loosen('open to every client that can reach it: no ACL');
  return notes.change;
}

export function listenerAccess(
  before: ListenerPlan,
  after: ListenerPlan,
  settings: readonly SettingChange[],
): AccessChange | null {
  const notes = new AccessNotes();
  reachAccess(before.address, after.address, notes);
  guardedAccess(before, after, notes);
  clientAuthAccess(before.tls, after.tls, notes);
  const [old, now] = [Networks.of(before.trustedProxies), Networks.of(after.trustedProxies)];
  const believed = 'trusted to report the client address';
  if (!now.without(old).empty) notes.loosen(`newly ${believed}: ${now.without(old).toString()}`);
  if (!old.without(now).empty) notes.tighten(`no longer ${believed}: ${old.without(now).toString()}`);
  identity(before.identity, after.identity, notes);
  paths(before.paths, after.paths, notes);
  limits(settings, notes);
  return notes.change;
}

/** The identity fields that untrusted clients can send to backends. */
function identity(before: IdentityPlan, after: IdentityPlan, notes: AccessNotes): void {
  const compare = (loose: boolean, was: boolean, what: string): void => {
    if (loose && !was) notes.loosen(`${what} pass`);
    if (!loose && was) notes.tighten(`${what} no longer pass`);
  };
  compare(after.untrusted === 'pass', before.untrusted === 'pass', 'identity fields of untrusted peers');
  compare(after.underscores === 'pass', before.underscores === 'pass', 'header names with underscores');
}

const READ_AS = [
  ['encodedSlash', 'encoded slashes'],
  ['repeatedSlashes', 'repeated slashes'],
  ['parameters', 'parameters in paths'],
  ['controlCharacters', 'encoded control characters in paths'],
  ['rawUtf8', 'raw UTF-8 in targets'],
] as const;

/**
 * Paths that were refused and now pass, and differences between the path that rules see and the one that backends see.
 */
function paths(before: PathRules, after: PathRules, notes: AccessNotes): void {
  for (const [key, what] of READ_AS) {
    const [old, now] = [strictness(before[key]), strictness(after[key])];
    const how = `${what}: ${after[key].replaceAll('_', ' ')}, not ${before[key].replaceAll('_', ' ')}`;
    if (now < old) notes.loosen(how);
    if (now > old) notes.tighten(how);
  }
}

function strictness(value: string): number {
  return value === 'refuse' ? 2 : value === 'keep' ? 0 : 1;
}

/** 0 is no limit. */
function limits(settings: readonly SettingChange[], notes: AccessNotes): void {
  for (const { setting, before, after } of settings) {
    if (!/^(limits\.)?[a-z_]+$/.test(setting) || typeof before !== 'number' || typeof after !== 'number') continue;
    const bound = (value: number): number => (value === 0 ? Number.POSITIVE_INFINITY : value);
    const name = setting.replace('limits.', '').replaceAll('_', ' ');
    if (after === 0) notes.loosen(`no limit: ${name}`);
    else if (bound(after) > bound(before)) notes.loosen(`higher limit: ${name}`);
    else notes.tighten(`lower limit: ${name}`);
  }
}

export function limitsAccess(settings: readonly SettingChange[]): AccessChange | null {
  const notes = new AccessNotes();
  limits(settings, notes);
  return notes.change;
}
