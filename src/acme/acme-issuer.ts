/** An authority with ACME: one account, whose key is in the store. Cold. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  type Account,
  register,
  type Registration,
  renewalId,
  type RenewalInfo,
  renewalInfo,
  revoke,
} from './client/account.ts';
import { AccountKey } from './client/account-key.ts';
import { AcmeError } from './client/acme-error.ts';
import type { Authority } from './client/authority.ts';
import { order, type Solver } from './client/order.ts';
import type { IssuedPair, Issuer, IssueRequest } from './issuer.ts';
import { type CertificateStore, digestOf } from './store.ts';
import { generateKey, privateKeyPem } from './x509/keys.ts';

export interface AcmeIssuerParts {
  readonly name: string;
  readonly authority: Authority;
  readonly registration: Registration;
  /** null: the authority's own. */
  readonly profile: string | null;
  readonly preferredChain: string | null;
  /** In the order of preference. */
  readonly solvers: readonly Solver[];
  readonly store: CertificateStore;
}

export class AcmeIssuer implements Issuer {
  readonly name: string;
  readonly identity: string;
  readonly #parts: AcmeIssuerParts;
  readonly #accountId: string;
  #account: Promise<Account> | null = null;

  constructor(parts: AcmeIssuerParts) {
    const { name, authority, registration } = parts;
    this.name = name;
    this.identity = authority.url;
    this.#parts = parts;
    this.#accountId = digestOf(authority.url, registration.external?.keyId ?? '', ...registration.contact.toSorted());
  }

  async issue({ names, keyType, previous, failures, stop }: IssueRequest): Promise<IssuedPair> {
    const { profile, preferredChain, solvers } = this.#parts;
    const key = await generateKey(keyType);
    const replaces = previous === null ? null : renewalId(new X509Certificate(previous.cert));
    // After a failure, the next kind of challenge comes first.
    const first = solvers.length === 0 ? 0 : failures % solvers.length;
    const rotated = [...solvers.slice(first), ...solvers.slice(0, first)];
    const request = { names, key, profile, replaces, preferredChain, solvers: rotated };
    const cert = await this.#withAccount((account) => order(account, request, stop));
    return { cert, key: privateKeyPem(key) };
  }

  async advice(certificate: X509Certificate): Promise<RenewalInfo | null> {
    const id = renewalId(certificate);
    return id === null ? null : renewalInfo(this.#parts.authority, id);
  }

  revoke(certificate: X509Certificate, reason: number): Promise<void> {
    return this.#withAccount((account) => revoke(account, certificate, reason));
  }

  /** An authority may have lost the account: then its key is registered once more. */
  async #withAccount<T>(act: (account: Account) => Promise<T>): Promise<T> {
    try {
      return await act(await this.#open());
    } catch (error) {
      if (!(error instanceof AcmeError) || error.code !== 'account_does_not_exist') throw error;
      this.#account = this.#shared(this.#register(true));
      return act(await this.#account);
    }
  }

  #open(): Promise<Account> {
    this.#account ??= this.#shared(this.#register(false));
    return this.#account;
  }

  /** A failure is not kept. */
  #shared(opening: Promise<Account>): Promise<Account> {
    opening.catch(() => {
      if (this.#account === opening) this.#account = null;
    });
    return opening;
  }

  /** The key is on disk before the authority knows it. `anew`: even if it seems to be registered. */
  async #register(anew: boolean): Promise<Account> {
    const { store, authority, registration } = this.#parts;
    const id = this.#accountId;
    const made = async () => ({ directory: authority.url, key: privateKeyPem(await generateKey('p256')), url: '' });
    const stored = (await store.account(id)) ?? (await store.createAccount(id, await made()));
    const key = new AccountKey(createPrivateKey(stored.key));
    if (!anew && stored.url !== '') return { authority, signer: { key, kid: stored.url } };
    const url = await register(authority, key, registration);
    await store.replaceAccount(id, { ...stored, url });
    return { authority, signer: { key, kid: url } };
  }
}
