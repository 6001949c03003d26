/**
 * Reads files of CA certificates: those that pools name for their endpoints. Cold.
 *
 * Like the files of `certificates`, they count in the config's digest, and the watcher follows them.
 */
import { createHash } from 'node:crypto';
import type { CaBundle } from '../kit/ca-bundle.ts';
import { oneLine } from '../kit/certificate.ts';
import { CERTIFICATE_BLOCK } from '../kit/client-authorities.ts';
import type { CertificateCheck } from './certificates.ts';
import { damagedCertificate, parseCertificates, PemError, pemPath, pemText } from './pem.ts';
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

const BEGIN = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/g;

/** `value`: the path of a PEM file, or PEM text. Returns the problem if it is no such thing. */
export function readCaBundle(value: string, pointer: string, { reader, locate }: CertificateCheck): CaBundle | Problem {
  try {
    const text = pemText(value, pemPath(value, locate(pointer).file), reader);
    const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
    const begun = text.match(BEGIN)?.length ?? 0;
    if (begun > 0 && blocks.length === 0) throw damagedCertificate(1);
    const certificates = parseCertificates(blocks);
    if (blocks.length < begun) throw damagedCertificate(blocks.length + 1);
    const chain = certificates.map((one) => one.toString()).join('');
    return {
      chain,
      digest: createHash('sha256').update(chain).digest('hex'),
      subjects: certificates.map(({ subject }) => oneLine(subject)),
    };
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    return errorAt(locate(pointer), pointer, error.message, error.hint);
  }
}
