/**
 * Reads the authorities that issue client certificates, and their revocation lists. Cold.
 *
 * The files count in the config's digest and the watcher follows them: see certificates.ts.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import { type AuthorityBundle, CERTIFICATE_BLOCK, CRL_BLOCK } from '../kit/client-authorities.ts';
import { distinguishedName } from '../kit/client-certificate.ts';
import { namesInDer, readRevocationList } from '../kit/revocation-list.ts';
import type { ConfigReader } from './config-reader.ts';
import type { Locate } from './merge.ts';
import { parseCertificates, PemError, pemPath, pemText } from './pem.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface AuthorityCheck {
  readonly reader: ConfigReader;
  readonly locate: Locate;
  /** Unix ms. */
  readonly now: number;
}

export interface CheckedCertificates {
  readonly problems: readonly Problem[];
  /** The texts, by the pointer of their test. */
  readonly testCertificates: ReadonlyMap<string, string>;
}

/** Reads the client certificates of the config's tests. */
export function checkTestCertificates(
  document: Record<string, unknown>,
  { reader, locate }: Pick<AuthorityCheck, 'reader' | 'locate'>,
): CheckedCertificates {
  const problems: Problem[] = [];
  const testCertificates = new Map<string, string>();
  const tests = Array.isArray(document['tests']) ? (document['tests'] as unknown[]) : [];
  for (const [i, test] of tests.entries()) {
    const request = isRecord(test) ? test['request'] : undefined;
    const written = isRecord(request) ? request['client_certificate'] : undefined;
    if (typeof written !== 'string') continue;
    const at = `/tests/${i}/request/client_certificate`;
    try {
      const text = textOf(written, locate(at).file, reader);
      certificatesIn(text);
      testCertificates.set(`/tests/${i}`, text);
    } catch (error) {
      if (!(error instanceof PemError)) throw error;
      problems.push(errorAt(locate(at), at, error.message, error.hint));
    }
  }
  return { problems, testCertificates };
}

/** `file`: that which has the value. */
function textOf(value: string, file: string, reader: ConfigReader): string {
  return pemText(value, pemPath(value, file), reader);
}

export interface CheckedAuthorities {
  readonly problems: readonly Problem[];
  /** Those without an error, by the pointer of their `client_auth`. */
  readonly authorities: ReadonlyMap<string, AuthorityBundle>;
}

export function checkAuthorities(
  document: Record<string, unknown>,
  { reader, locate, now }: AuthorityCheck,
): CheckedAuthorities {
  const problems: Problem[] = [];
  const authorities = new Map<string, AuthorityBundle>();
  for (const [pointer, { ca, crl }] of clientAuths(document)) {
    if (typeof ca !== 'string') continue;
    let failed = false;
    const trying = <T>(at: string, read: () => T): T | null => {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof PemError)) throw error;
        problems.push(errorAt(locate(at), at, error.message, error.hint));
        failed = true;
        return null;
      }
    };
    const caAt = `${pointer}/ca`;
    const certificates = trying(caAt, () => certificatesIn(textOf(ca, locate(caAt).file, reader)));
    // A list of one may be written as a single value; both pointers lead to the same line.
    const files =
      typeof crl === 'string' ? [crl] : Array.isArray(crl) ? crl.filter((one) => typeof one === 'string') : [];
    const lists = files.flatMap((file, i) => {
      const at = `${pointer}/crl${Array.isArray(crl) ? `/${i}` : ''}`;
      return trying(at, () => listsIn(textOf(file, locate(at).file, reader))) ?? [];
    });
    if (certificates === null || failed) continue;
    if (files.length > 0) {
      const at = `${pointer}/crl`;
      trying(at, () => everyIssuerHasList(certificates, lists));
      const late = lists.find(({ nextUpdate }) => nextUpdate < now);
      if (late !== undefined)
        problems.push({
          ...errorAt(
            locate(at),
            at,
            `a revocation list should have been replaced at ${new Date(late.nextUpdate).toISOString()}`,
            'until it is, every certificate of its authority is refused',
          ),
          level: 'warning',
        });
    }
    if (!failed) authorities.set(pointer, bundleOf(certificates, lists));
  }
  return { problems, authorities };
}

/** Every `client_auth` of the listeners, by its pointer. */
function* clientAuths({ listeners }: Record<string, unknown>): Generator<readonly [string, Record<string, unknown>]> {
  if (!isRecord(listeners)) return;
  for (const [listener, settings] of Object.entries(listeners)) {
    const tls = isRecord(settings) ? settings['tls'] : undefined;
    if (!isRecord(tls)) continue;
    const pointer = `/listeners/${segment(listener)}/tls`;
    const { client_auth: own, names } = tls;
    if (isRecord(own)) yield [`${pointer}/client_auth`, own];
    if (!isRecord(names)) continue;
    for (const [name, one] of Object.entries(names)) {
      const auth = isRecord(one) ? one['client_auth'] : undefined;
      if (isRecord(auth)) yield [`${pointer}/names/${segment(name)}/client_auth`, auth];
    }
  }
}

function certificatesIn(text: string): X509Certificate[] {
  return parseCertificates(text.match(CERTIFICATE_BLOCK) ?? []);
}

interface WrittenList {
  readonly pem: string;
  /** As in kit/revocation-list.ts. */
  readonly issuer: string;
  readonly nextUpdate: number;
}

function listsIn(text: string): WrittenList[] {
  const lists = (text.match(CRL_BLOCK) ?? []).map((pem, i) => {
    try {
      const { issuer, nextUpdate } = readRevocationList(pem);
      return { pem, issuer, nextUpdate };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new PemError(`revocation list ${i + 1} of the file is damaged, or only half of it is written`);
    }
  });
  if (lists.length === 0)
    throw new PemError(
      'there is no revocation list in it',
      'it must be PEM: openssl crl -inform DER -in LIST -out LIST.pem',
    );
  return lists;
}

/** OpenSSL refuses every certificate of an authority without a list, and those of an authority whose issuer has none. */
function everyIssuerHasList(certificates: readonly X509Certificate[], lists: readonly WrittenList[]): void {
  const issuers = new Set(lists.map(({ issuer }) => issuer));
  for (const one of certificates) {
    const { subject, issuer } = namesInDer(one);
    const lacking = !issuers.has(subject) ? one.subject : !issuers.has(issuer) ? one.issuer : null;
    if (lacking !== null)
      throw new PemError(
        `there is no revocation list of ${distinguishedName(lacking)}`,
        'without it, every certificate below that authority would be refused',
      );
  }
}

function bundleOf(certificates: readonly X509Certificate[], lists: readonly WrittenList[]): AuthorityBundle {
  const ca = `${certificates.map((one) => one.toString().trim()).join('\n')}\n`;
  const crl = lists.map(({ pem }) => `${pem.trim()}\n`).join('');
  return {
    digest: createHash('sha256').update(`${ca.length}\0${ca}\0${crl}`).digest('hex'),
    ca,
    crl,
    subjects: certificates.map(({ subject }) => distinguishedName(subject)),
  };
}
