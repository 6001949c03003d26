/** Reads PEM that a config names, by the path of a file or as a text (RFC 7468). Cold. */
import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { ConfigReader } from './config-reader.ts';

/** What is wrong with a value, for a problem at its place. */
export class PemError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The absolute path of the file; '': the value is the text itself. `file`: that which has the value. */
export function pemPath(value: string, file: string): string {
  return value.includes('-----BEGIN ') ? '' : resolve(dirname(file), value);
}

/** Throws a PemError. `path`: as by `pemPath`. */
export function pemText(value: string, path: string, reader: ConfigReader): string {
  if (path === '') return value;
  const text = reader.look(path);
  if (typeof text !== 'string') throw new PemError(`cannot read ${path}: ${text.reason}`);
  return text;
}

/** Throws a PemError if there is none, or one is damaged. */
export function parseCertificates(blocks: readonly string[]): X509Certificate[] {
  if (blocks.length === 0)
    throw new PemError('there is no certificate in it', 'it must be PEM: -----BEGIN CERTIFICATE-----');
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw damagedCertificate(i + 1);
    }
  });
}

/** `number`: from 1. */
export function damagedCertificate(number: number): PemError {
  return new PemError(`certificate ${number} of the file is damaged, or only half of it is written`);
}
