/**
 * Certificates for tests, valid for a hundred years: `site`, `renewed` and `site-rsa` are for the same names (localhost,
 * site.example, 127.0.0.1), `wildcard` is for *.example.com and example.com, `shop` for shop.example.com. An
 * intermediate certificate has issued each of them; `ca` has issued that. `expired` and `future` are like `site`, valid in
 * 2020 and in 2100. The keys protect nothing.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../../src/plan/types.ts';
import type { FileCertificatePlan } from '../../src/plan/types/tls.ts';

export function certificatePath(file: string): string {
  return fileURLToPath(new URL(`certificates/${file}`, import.meta.url));
}

export function pem(file: string): string {
  return readFileSync(certificatePath(file), 'utf8');
}

/** The settings of a certificate in a config. */
export function pair(name: string): { cert: string; key: string } {
  return { cert: certificatePath(`${name}.pem`), key: certificatePath(`${name}.key`) };
}

/** Those of a plan that come from files. */
export function filesOf({ certificates }: Plan): FileCertificatePlan[] {
  return certificates.filter((one) => one.type === 'file');
}
