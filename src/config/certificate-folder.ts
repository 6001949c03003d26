/**
 * Finds the pairs of certificate and key in a folder, by the names that certbot, Kubernetes and others give them. Cold.
 *
 *     NAME/fullchain.pem + NAME/privkey.pem      certbot
 *     NAME/tls.crt + NAME/tls.key                Kubernetes: one mounted Secret for each name
 *     NAME.crt or NAME.pem + NAME.key            also a mounted Secret itself: tls.crt, tls.key
 *     NAME.pem                                   with both
 */
import { basename, join } from 'node:path';
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

const IN_FOLDERS = [
  ['fullchain.pem', 'privkey.pem'],
  ['tls.crt', 'tls.key'],
] as const;

/** `folder`: absolute path. The first form found for a name counts. */
export function pairsIn(folder: string, reader: ConfigReader): FoundPairs {
  const keys = new Set(reader.glob(join(folder, '*.key')));
  const pairs = new Map<string, FoundPair>();
  const strangers: string[] = [];
  const add = (name: string, cert: string, key: string): void => {
    if (!pairs.has(name)) pairs.set(name, { name, cert, key });
  };
  for (const path of reader.glob(join(folder, '*/'))) {
    const inside = IN_FOLDERS.find(([cert]) => !isAbsent(join(path, cert), reader));
    if (inside !== undefined) add(basename(path), join(path, inside[0]), join(path, inside[1]));
  }
  for (const extension of ['.crt', '.pem'])
    for (const path of reader.glob(join(folder, `*${extension}`))) {
      const name = basename(path, extension);
      const key = join(folder, `${name}.key`);
      if (keys.has(key)) add(name, path, key);
      else if (hasKey(reader.read(path) ?? '')) add(name, path, path);
      else if (reader.read(path) !== null) strangers.push(path);
    }
  return { pairs: [...pairs.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), strangers };
}

/** It counts in the digest: when the file appears, the config is another. */
function isAbsent(path: string, reader: ConfigReader): boolean {
  const text = reader.look(path);
  return typeof text !== 'string' && /^(?:ENOENT|ENOTDIR)\b/.test(text.reason);
}

function hasKey(text: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);
}
