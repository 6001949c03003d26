/**
 * One order, from its names to the certificate (RFC 8555 §7.1.6, §7.4). Cold.
 *
 *     newOrder ─▶ authorizations ─▶ challenges: present, say so, poll ─▶ ready ─▶ finalize ─▶ poll ─▶ valid ─▶ download
 *                                            └─ invalid: the error of the challenge
 *
 * Whatever was presented is withdrawn at the end, however it ends.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readChain, signingRequest } from '../x509/certificates.ts';
import type { Account } from './account.ts';
import { base64url } from './account-key.ts';
import { AcmeError, asRecord, problemError, textOf } from './acme-error.ts';
import { type Answer, linksOf, locationOf, required } from './authority.ts';
import { baseName, covers, type Identifier, identifierOf } from './identifiers.ts';
import { poll } from './patience.ts';

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

export interface Challenge {
  /** Without the `*.` of a wildcard. */
  readonly identifier: Identifier;
  readonly token: string;
  /** RFC 8555 §8.1. */
  readonly keyAuthorization: string;
}

/** Shows an authority that we control a name. */
export interface Solver {
  readonly type: ChallengeType;
  /** Resolves when the authority may look, with what takes it back. */
  present(challenge: Challenge, stop: AbortSignal): Promise<() => Promise<void>>;
}

export interface OrderRequest {
  readonly names: readonly string[];
  readonly key: KeyObject;
  /** draft-aaron-acme-profiles; null: that of the authority. */
  readonly profile: string | null;
  /** RFC 9773 §5: the renewal id of the certificate that this one succeeds. */
  readonly replaces: string | null;
  /** The common name of the root of the chain to take, if the authority offers several. */
  readonly preferredChain: string | null;
  /** In the order of preference. */
  readonly solvers: readonly Solver[];
}

/** Other chains that are looked at. */
const MOST_ALTERNATES = 5;

interface Step {
  readonly account: Account;
  readonly request: OrderRequest;
  readonly stop: AbortSignal;
}

/** Returns the chain as PEM, the certificate first. Rejects with an AcmeError. */
export async function order(account: Account, request: OrderRequest, stop: AbortSignal): Promise<string> {
  const step: Step = { account, request, stop };
  const made = await newOrder(step);
  const url = locationOf(made);
  await authorize(step, authorizationsOf(made));
  const ready = await pollOrder(step, url, ['ready', 'processing', 'valid']);
  const { authority, signer } = account;
  if (statusOf(ready) === 'ready')
    await authority.post(signer, required(ready, 'finalize'), {
      csr: base64url(signingRequest(request.names, request.key)),
    });
  const valid = await pollOrder(step, url, ['valid']);
  return download(step, required(valid, 'certificate'));
}

async function newOrder({ account, request }: Step): Promise<Answer> {
  const { authority, signer } = account;
  const { newOrder: url, profiles, renewalInfo } = await authority.directory();
  const { names, profile, replaces } = request;
  if (profile !== null && !profiles.includes(profile)) {
    const known = profiles.length === 0 ? 'it has none' : `it has ${profiles.map(textOf).join(', ')}`;
    throw new AcmeError('profile_unsupported', `${authority.url} has no profile ${JSON.stringify(profile)}; ${known}`);
  }
  const wanted = {
    identifiers: names.map(identifierOf),
    ...(profile === null ? {} : { profile }),
  };
  if (replaces === null || renewalInfo === null) return authority.post(signer, url, wanted);
  try {
    return await authority.post(signer, url, { ...wanted, replaces });
  } catch (error) {
    // RFC 9773 §5: another order replaces it already, or the authority does not know it (any more).
    const aside = error instanceof AcmeError && (error.code === 'already_replaced' || error.code === 'malformed');
    if (!aside) throw error;
    return authority.post(signer, url, wanted);
  }
}

function authorizationsOf({ json }: Answer): string[] {
  const list = json['authorizations'];
  if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list;
  throw new AcmeError('bad_response', 'an order has no authorizations');
}

async function authorize(step: Step, urls: readonly string[]): Promise<void> {
  if (urls.length > step.request.names.length * 2)
    throw new AcmeError('bad_response', 'an order has more authorizations than names');
  const pending: Pending[] = [];
  for (const url of urls) {
    const one = await pendingOne(step, url);
    if (one !== null) pending.push(one);
  }
  // All are presented before the authority looks at the first: two values of one DNS name are seen together.
  const presented = await Promise.allSettled(
    pending.map(({ solver, challenge }) => solver.present(challenge, step.stop)),
  );
  try {
    const failed = presented.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    const { authority, signer } = step.account;
    for (const { url } of pending) await authority.post(signer, url, {});
    for (const one of pending) await validated(step, one);
  } finally {
    // A solver reports itself what it can't withdraw.
    await Promise.allSettled(presented.flatMap((one) => (one.status === 'fulfilled' ? [one.value()] : [])));
  }
}

interface Pending {
  readonly authorization: string;
  readonly name: string;
  readonly solver: Solver;
  readonly challenge: Challenge;
  /** Of the challenge. */
  readonly url: string;
}

/** null: we are authorized already. */
async function pendingOne({ account, request }: Step, authorization: string): Promise<Pending | null> {
  const { authority, signer } = account;
  const answer = await authority.fetch(signer, authorization);
  const status = statusOf(answer);
  const identifier = identifierIn(answer, request.names);
  const wildcard = answer.json['wildcard'] === true;
  const name = `${wildcard ? '*.' : ''}${identifier.value}`;
  if (status === 'valid') return null;
  const offered = challengesOf(answer);
  if (status !== 'pending') throw failureOf(offered, name, status);
  const types = offered.map((one) => textOf(one['type']));
  const solver = request.solvers.find(({ type }) => types.includes(type) && suits(type, identifier, wildcard));
  if (solver === undefined)
    throw new AcmeError(
      'no_challenge',
      `${name}: the config allows no challenge that the authority offers (${types.join(', ')})`,
    );
  const { token, url } = offered[types.indexOf(solver.type)]!;
  // It becomes a part of paths and records: RFC 8555 §8.3 allows nothing else.
  if (typeof token !== 'string' || !/^[A-Za-z0-9_-]{1,256}$/.test(token) || typeof url !== 'string')
    throw new AcmeError('bad_response', `${name}: a challenge without a proper token`);
  const challenge = { identifier, token, keyAuthorization: signer.key.authorize(token) };
  return { authorization, name, solver, challenge, url };
}

/** RFC 8555 §7.1.3: a wildcard needs DNS. RFC 8738 §7: an address has none. */
function suits(type: ChallengeType, { type: kind }: Identifier, wildcard: boolean): boolean {
  if (wildcard) return type === 'dns-01';
  return kind === 'dns' || type !== 'dns-01';
}

/** The authority can't make us show anything for a name that we did not ask for. */
function identifierIn({ json }: Answer, names: readonly string[]): Identifier {
  const { type, value } = asRecord(json['identifier']);
  const text = textOf(value).toLowerCase();
  const name = names.find((one) => baseName(one) === text && identifierOf(baseName(one)).type === type);
  if (name !== undefined) return identifierOf(baseName(name));
  throw new AcmeError('bad_response', `an authorization for ${JSON.stringify(text)}, which is not in the order`);
}

function challengesOf({ json }: Answer): Record<string, unknown>[] {
  const list = json['challenges'];
  return Array.isArray(list) ? (list as unknown[]).slice(0, 20).map(asRecord) : [];
}

function validated({ account, stop }: Step, { authorization, name }: Pending): Promise<true> {
  const { authority, signer } = account;
  const ask = (): Promise<Answer> => authority.fetch(signer, authorization);
  const done = (answer: Answer): true | null => {
    const status = statusOf(answer);
    if (status === 'valid') return true;
    if (status === 'pending' || status === 'processing') return null;
    throw failureOf(challengesOf(answer), name, status);
  };
  return poll(ask, done, `the authorization of ${name}`, authority.clock, stop);
}

/** Why an authorization is not valid: the error of one of its challenges (§8). */
function failureOf(challenges: readonly Record<string, unknown>[], name: string, status: string): AcmeError {
  const failed = challenges.find((one) => one['error'] !== undefined);
  if (failed === undefined) return new AcmeError('order_invalid', `${name}: the authorization is ${status}`);
  const { code, message, subproblems } = problemError(failed['error'], 0, null, 'order_invalid');
  return new AcmeError(code, `${name} (${textOf(failed['type'])}): ${message}`, { subproblems });
}

function pollOrder({ account, stop }: Step, url: string, wanted: readonly string[]): Promise<Answer> {
  const { authority, signer } = account;
  const done = (answer: Answer): Answer | null => {
    const status = statusOf(answer);
    if (wanted.includes(status)) return answer;
    if (status === 'invalid') throw problemError(answer.json['error'], 0, null, 'order_invalid');
    return null;
  };
  return poll(() => authority.fetch(signer, url), done, 'the order', authority.clock, stop);
}

function statusOf(answer: Answer): string {
  return required(answer, 'status');
}

async function download({ account, request }: Step, url: string): Promise<string> {
  const { authority, signer } = account;
  const type = 'application/pem-certificate-chain';
  const first = await authority.fetch(signer, url, type);
  const now = authority.clock.wall();
  checkIssued(first.body, request, now);
  if (request.preferredChain === null || endsAt(first.body, request.preferredChain)) return first.body;
  for (const alternate of linksOf(first, 'alternate', url).slice(0, MOST_ALTERNATES)) {
    const { body } = await authority.fetch(signer, alternate, type);
    checkIssued(body, request, now);
    if (endsAt(body, request.preferredChain)) return body;
  }
  return first.body;
}

/** What we are given must be what we asked for. */
function checkIssued(pem: string, { names, key }: OrderRequest, now: number): void {
  let leaf: X509Certificate;
  try {
    [leaf] = readChain(pem) as [X509Certificate];
  } catch (error) {
    throw new AcmeError('bad_certificate', `the authority sent no certificate: ${(error as Error).message}`);
  }
  const missing = names.find((name) => !covers(leaf, name));
  if (missing !== undefined) throw new AcmeError('bad_certificate', `the certificate is not for ${missing}`);
  if (!leaf.checkPrivateKey(key)) throw new AcmeError('bad_certificate', 'the certificate is not for our key');
  if (leaf.validToDate.getTime() <= now) throw new AcmeError('bad_certificate', 'the certificate has expired');
}

/** Whether the last certificate of a chain was issued by that common name (§7.4.2). */
function endsAt(pem: string, commonName: string): boolean {
  return readChain(pem).at(-1)!.issuer.split('\n').includes(`CN=${commonName}`);
}
