/**
 * Accounts and certificates on disk, where several gateways may share them. Cold.
 *
 *     state_dir/acme/                        0700
 *       accounts/<id>.json                   the key of an account, and its URL once it is registered
 *       authorities/<name>.json              the root of an internal issuer
 *       certificates/<id>/<sha256>.json      a certificate with its key, named by its digest: never changed
 *       certificates/<id>/current            the digest of the one to use
 *       locks/<id>                           see lock.ts
 *       challenges/, gateways/               see shared-challenges.ts
 *       changed                              touched after each change
 *
 * A pair is complete and on disk before `current` names it. Damaged files count as absent.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Disk, UNFINISHED } from '../kit/disk.ts';
import { asRecord } from './client/acme-error.ts';
import type { KeyType } from './x509/keys.ts';

/** The version of the format. */
const VERSION = 1;
/** Pairs that stay of one certificate: the current one and those before it, which may have to be revoked. */
const KEPT = 3;

export interface StoredCertificate {
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** The identity of its issuer. */
  readonly issuer: string;
  /** PEM: the certificate, then the chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** ISO time. */
  readonly obtained: string;
}

export interface StoredAccount {
  readonly directory: string;
  /** PEM. */
  readonly key: string;
  /** '' until it is registered. */
  readonly url: string;
}

export interface StoredAuthority {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** The state directory can't be used. */
class StoreError extends Error {}

export function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** The id of the certificates for a set of names, of one issuer and key type. */
export function certificateId(names: readonly string[], keyType: KeyType, issuer: string): string {
  return digestOf(keyType, issuer, ...names.toSorted());
}

export class CertificateStore {
  readonly path: string;
  readonly disk: Disk;
  /** Directories that exist and are private. */
  #prepared = new Set<string>();

  /** `path`: `acme` in the state directory. */
  constructor(path: string, disk: Disk) {
    this.path = path;
    this.disk = disk;
  }

  /** The certificate to use; null: there is none that can be read. */
  async load(id: string): Promise<StoredCertificate | null> {
    const digest = (await this.#read(join('certificates', id, 'current')))?.trim() ?? '';
    if (!/^[0-9a-f]{64}$/.test(digest)) return null;
    const text = await this.#read(join('certificates', id, `${digest}.json`));
    return text === null || sha256(text) !== digest ? null : readCertificate(text);
  }

  async save(id: string, certificate: StoredCertificate): Promise<void> {
    const folder = join('certificates', id);
    const text = `${JSON.stringify({ version: VERSION, ...certificate }, null, 2)}\n`;
    const digest = sha256(text);
    await this.#replace(join(folder, `${digest}.json`), text);
    await this.#replace(join(folder, 'current'), `${digest}\n`);
    await this.#prune(folder, digest);
    await this.#replace('changed', `${digest}\n`);
  }

  /** Forgets the certificate to use, such as a revoked one. */
  async forget(id: string): Promise<void> {
    await this.disk.remove(join(this.path, 'certificates', id, 'current'));
    await this.#replace('changed', `${id}\n`);
  }

  /** The time of the last change by any gateway (ms since 1970); 0: there was none. */
  async changed(): Promise<number> {
    return (await this.disk.written(join(this.path, 'changed'))) ?? 0;
  }

  async account(id: string): Promise<StoredAccount | null> {
    const { directory, key, url } = parse(await this.#read(join('accounts', `${id}.json`)));
    const complete = typeof directory === 'string' && typeof key === 'string' && typeof url === 'string';
    return complete ? { directory, key, url } : null;
  }

  /** Returns the account that is stored: one that another gateway has made stays. */
  async createAccount(id: string, account: StoredAccount): Promise<StoredAccount> {
    const created = await this.#create(join('accounts', `${id}.json`), account);
    return created ? account : ((await this.account(id)) ?? (await this.replaceAccount(id, account)));
  }

  async replaceAccount(id: string, account: StoredAccount): Promise<StoredAccount> {
    await this.#replace(join('accounts', `${id}.json`), writeJson(account));
    return account;
  }

  async authority(name: string): Promise<StoredAuthority | null> {
    const { cert, key } = parse(await this.#read(authorityPath(name)));
    return typeof cert === 'string' && typeof key === 'string' ? { cert, key } : null;
  }

  /** `fresh`: replaces one that exists. Returns the authority that is stored. */
  async saveAuthority(name: string, authority: StoredAuthority, fresh: boolean): Promise<StoredAuthority> {
    const path = authorityPath(name);
    if (!fresh && !(await this.#create(path, authority))) {
      const other = await this.authority(name);
      if (other !== null) return other;
    }
    await this.#replace(path, writeJson(authority));
    return authority;
  }

  /** Creates a directory below the store, and returns its path. Throws a StoreError where others could read it. */
  async prepare(folder: string): Promise<string> {
    const path = join(this.path, folder);
    if (this.#prepared.has(path)) return path;
    await this.disk.makeDirectory(path);
    for (const one of [this.path, path]) {
      const wrong = await this.disk.claim(one);
      if (wrong !== '') throw new StoreError(`${one} ${wrong}`);
    }
    this.#prepared.add(path);
    return path;
  }

  async #read(path: string): Promise<string | null> {
    return (await this.disk.read(join(this.path, path)))?.toString('utf8') ?? null;
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.prepare(join(path, '..'));
    await this.disk.replace(join(this.path, path), text);
  }

  async #create(path: string, value: object): Promise<boolean> {
    await this.prepare(join(path, '..'));
    return this.disk.create(join(this.path, path), writeJson(value));
  }

  async #prune(folder: string, current: string): Promise<void> {
    const directory = join(this.path, folder);
    const names = (await this.disk.list(directory)).filter(
      (name) => name.endsWith('.json') && !name.startsWith(UNFINISHED),
    );
    const aged = await Promise.all(
      names.map(async (name) => ({ name, written: (await this.disk.written(join(directory, name))) ?? 0 })),
    );
    const others = aged.filter(({ name }) => name !== `${current}.json`).toSorted((a, b) => b.written - a.written);
    for (const { name } of others.slice(KEPT - 1)) await this.disk.remove(join(directory, name));
  }
}

/** Any name of the config becomes one of a file. */
function authorityPath(name: string): string {
  return join('authorities', `${encodeURIComponent(name)}.json`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function writeJson(value: object): string {
  return `${JSON.stringify({ version: VERSION, ...value }, null, 2)}\n`;
}

/** Empty: damaged, or written by another version. */
function parse(text: string | null): Record<string, unknown> {
  try {
    const value = asRecord(JSON.parse(text ?? ''));
    return value['version'] === VERSION ? value : {};
  } catch {
    return {};
  }
}

function readCertificate(text: string): StoredCertificate | null {
  const { names, keyType, issuer, cert, key, obtained } = parse(text) as Partial<StoredCertificate>;
  if (!Array.isArray(names) || keyType === undefined || issuer === undefined || obtained === undefined) return null;
  if (typeof cert !== 'string' || typeof key !== 'string') return null;
  return { names, keyType, issuer, cert, key, obtained };
}
