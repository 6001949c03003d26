/** Reads the certificates that are to be trusted at authorities. Cold. */
import { readCaBundle } from './ca-bundles.ts';
import type { CertificateCheck } from './certificates.ts';
import { type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface ReadTrust {
  readonly problems: readonly Problem[];
  /** PEM, by the name of the authority. */
  readonly trust: ReadonlyMap<string, string>;
}

export function readTrust(document: Record<string, unknown>, check: CertificateCheck): ReadTrust {
  const problems: Problem[] = [];
  const trust = new Map<string, string>();
  const written = document['acme'];
  if (!isRecord(written)) return { problems, trust };
  for (const [name, one] of Object.entries(written)) {
    const ca = isRecord(one) ? one['ca'] : undefined;
    if (typeof ca !== 'string') continue;
    const pointer = `/acme/${segment(name)}/ca`;
    const bundle = readCaBundle(ca, pointer, check);
    if ('chain' in bundle) trust.set(name, bundle.chain);
    else problems.push(bundle);
  }
  return { problems, trust };
}
