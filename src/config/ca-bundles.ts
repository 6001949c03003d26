/**
 * Reads files of CA certificates: those that pools name for their endpoints. Cold.
 *
 * Like the files of `certificates`, they count in the config's digest, and the watcher follows them.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { CaBundle } from '../kit/ca-bundle.ts';
import type { CertificateCheck } from './certificates.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface CheckedCaBundles {
  readonly problems: readonly Problem[];
  /** Those without a problem, by the pool's name. */
  readonly caBundles: ReadonlyMap<string, CaBundle>;
}

export function checkCaBundles(document: Record<string, unknown>, check: CertificateCheck): CheckedCaBundles {
  const problems: Problem[] = [];
  const caBundles = new Map<string, CaBundle>();
  const pools = document['pools'];
  if (!isRecord(pools)) return { problems, caBundles };
  for (const [name, pool] of Object.entries(pools)) {
    const tls = isRecord(pool) ? pool['tls'] : undefined;
    const ca = isRecord(tls) ? tls['ca'] : undefined;
    // The schema reports other types.
    if (typeof ca !== 'string') continue;
    const bundle = readCaBundle(ca, `/pools/${segment(name)}/tls/ca`, check);
    if ('chain' in bundle) caBundles.set(name, bundle);
    else problems.push(bundle);
  }
  return { problems, caBundles };
}

const BLOCK = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;
const BEGIN = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/g;

/** `value`: the path of a PEM file, or PEM text. Returns the problem if it is no such thing. */
export function readCaBundle(value: string, pointer: string, check: CertificateCheck): CaBundle | Problem {
  const { reader, locate } = check;
  const problem = (message: string, hint?: string): Problem => errorAt(locate(pointer), pointer, message, hint);
  const path = resolve(dirname(locate(pointer).file), value);
  const text = value.includes('-----BEGIN ') ? value : reader.look(path);
  if (typeof text !== 'string') return problem(`cannot read ${path}: ${text.reason}`);
  const begun = text.match(BEGIN)?.length ?? 0;
  if (begun === 0) return problem('there is no certificate in it', 'it must be PEM: -----BEGIN CERTIFICATE-----');
  const certificates = (text.match(BLOCK) ?? []).map(parse);
  const damaged = certificates.indexOf(null);
  if (damaged >= 0 || certificates.length < begun)
    return problem(
      `certificate ${(damaged < 0 ? certificates.length : damaged) + 1} of the file is damaged, or only half of it is written`,
    );
  const chain = certificates.map((one) => one!.toString()).join('');
  return {
    chain,
    digest: createHash('sha256').update(chain).digest('hex'),
    subjects: certificates.map((one) => (one!.subject ?? '').split('\n').join(', ')),
  };
}

function parse(block: string): X509Certificate | null {
  try {
    return new X509Certificate(block);
  } catch {
    return null;
  }
}
