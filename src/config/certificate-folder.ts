/**
 * Finds the pairs of certificate and key in a folder, by the names that certbot, Kubernetes and others give them. Cold.
 *
 *     NAME/fullchain.pem + NAME/privkey.pem      certbot
 *     NAME/tls.crt + NAME/tls.key                Kubernetes: one mounted Secret for each name
 *     NAME.crt or NAME.pem + NAME.key            also a mounted Secret itself: tls.crt, tls.key
 *     NAME.pem                                   with both
 */
import { basename, dirname, join } from 'node:path';
import type { ConfigReader } from './config-reader.ts';

export interface FoundPair {
  readonly name: string;
  /** Absolute paths; both may be the same. */
  readonly cert: string;
  readonly key: string;
}

export interface FoundPairs {
  /** In the order of their names. */
  readonly pairs: readonly FoundPair[];
  /** PEM files that have no key, such as the certificate of an authority. */
  readonly strangers: readonly string[];
}

const FOLDERS = [
  ['fullchain.pem', 'privkey.pem'],
  ['tls.crt', 'tls.key'],
] as const;

/** `folder`: absolute path. The first form found for a name counts. */
export function pairsIn(folder: string, reader: ConfigReader): FoundPairs {
  const pairs = new Map<string, FoundPair>();
  const strangers: string[] = [];
  const add = (name: string, cert: string, key: string): void => {
    if (!pairs.has(name)) pairs.set(name, { name, cert, key });
  };
  for (const [cert, key] of FOLDERS)
    for (const path of reader.glob(join(folder, '*', cert)))
      add(basename(dirname(path)), path, join(dirname(path), key));
  const keys = new Set(reader.glob(join(folder, '*.key')));
  for (const path of reader.glob(join(folder, '*.crt'))) {
    const key = path.replace(/crt$/, 'key');
    if (keys.has(key)) add(basename(path, '.crt'), path, key);
    else strangers.push(path);
  }
  for (const path of reader.glob(join(folder, '*.pem'))) {
    const key = path.replace(/pem$/, 'key');
    if (keys.has(key)) add(basename(path, '.pem'), path, key);
    else if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(reader.read(path) ?? ''))
      add(basename(path, '.pem'), path, path);
    else strangers.push(path);
  }
  return { pairs: [...pairs.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), strangers };
}
