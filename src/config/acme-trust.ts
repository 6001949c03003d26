/** Reads the certificates that are to be trusted at authorities. Cold. */
import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CertificateCheck } from './certificates.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface ReadTrust {
  readonly problems: readonly Problem[];
  /** PEM, by the name of the authority. */
  readonly trust: ReadonlyMap<string, string>;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export function readTrust(document: Record<string, unknown>, { reader, locate }: CertificateCheck): ReadTrust {
  const problems: Problem[] = [];
  const trust = new Map<string, string>();
  const written = document['acme'];
  if (!isRecord(written)) return { problems, trust };
  for (const [name, one] of Object.entries(written)) {
    const ca = isRecord(one) ? one['ca'] : undefined;
    if (typeof ca !== 'string') continue;
    const pointer = `/acme/${segment(name)}/ca`;
    const problem = (message: string): void => void problems.push(errorAt(locate(pointer), pointer, message));
    const path = resolve(dirname(locate(pointer).file), ca);
    const text = ca.includes('-----BEGIN ') ? ca : reader.look(path);
    if (typeof text !== 'string') problem(`cannot read ${path}: ${text.reason}`);
    else {
      const blocks = text.match(BLOCK) ?? [];
      const damaged = blocks.findIndex((block) => !isCertificate(block));
      if (blocks.length === 0) problem('there is no certificate in it');
      else if (damaged >= 0)
        problem(`certificate ${damaged + 1} of the file is damaged, or only half of it is written`);
      else trust.set(name, `${blocks.join('\n')}\n`);
    }
  }
  return { problems, trust };
}

function isCertificate(block: string): boolean {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}
