/** What is read of client certificates, and which of them authorities accept. */
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { ClientAuthorities } from '../../src/kit/client-authorities.ts';
import { ClientCertificate } from '../../src/kit/client-certificate.ts';
import { readRevocationList } from '../../src/kit/revocation-list.ts';
import { pem } from '../support/certificates.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function client(name: string, count = 9): ClientCertificate {
  const [leaf, ...issuers] = pem(`${name}.pem`)
    .match(BLOCK)!
    .slice(0, count)
    .map((one) => new X509Certificate(one));
  return new ClientCertificate(leaf!, issuers);
}

/** A certificate of which only the text of its names counts. */
function named(subjectAltName: string): ClientCertificate {
  return new ClientCertificate({ subjectAltName, validToDate: new Date() } as unknown as X509Certificate, []);
}

test('subject, issuer, fingerprint, serial number and names', () => {
  const one = client('revoked');
  expect({ ...one.names }).toEqual({
    dns: [],
    uri: ['spiffe://example.org/revoked'],
    email: ['revoked@example.org'],
    ip: [],
  });
  expect(one).toMatchObject({
    subject: 'CN=revoked,OU=clients,O=Test',
    issuer: 'CN=Test Intermediate,O=Test',
    serial: '2f0705a899d8c04edd6f0661e9416d231f70ec79',
    spiffe: 'spiffe://example.org/revoked',
  });
  expect(one.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(client('server-only').spiffe).toBe('');
});

test('a value with separators is one name, not two (CVE-2021-44532)', () => {
  expect(named('DNS:A.example, URI:"spiffe://a/x, DNS:evil.example", IP Address:10.0.0.1').names).toEqual({
    dns: ['a.example'],
    uri: ['spiffe://a/x, DNS:evil.example'],
    email: [],
    ip: ['10.0.0.1'],
  });
  expect(named('othername:<unsupported>, DNS:b.example').names.dns).toEqual(['b.example']);
  // A text of another form ends the reading.
  expect(named('DNS:"a", b.example", DNS:c.example').names.dns).toEqual(['a']);
  // Two URIs are no SPIFFE ID.
  expect(named('URI:spiffe://a/x, URI:spiffe://a/y').spiffe).toBe('');
});

const NOW = Date.UTC(2027, 0, 1);

test('authorities judge as OpenSSL does', () => {
  const judge = (name: string, crl: string, depth = 4, now = NOW, count = 9): string =>
    new ClientAuthorities({ ca: pem('ca.pem'), crl: crl === '' ? '' : pem(crl) }).refusal(
      client(name, count),
      depth,
      now,
    );
  expect(judge('client', '')).toBe('');
  expect(judge('direct', '')).toBe('');
  expect(judge('client', '', 0)).toBe('cert_chain_too_long');
  expect(judge('direct', '', 0)).toBe('');
  expect(judge('client', '', 4, NOW, 1)).toBe('unable_to_get_issuer_cert_locally');
  expect(judge('stranger', '')).toBe('unable_to_get_issuer_cert_locally');
  expect(judge('expired-client', '')).toBe('cert_has_expired');
  expect(judge('client', '', 4, Date.UTC(2020, 0, 1))).toBe('cert_not_yet_valid');
  expect(judge('server-only', '')).toBe('invalid_purpose');
  expect(judge('revoked', 'clients.crl.pem')).toBe('');
  expect(judge('revoked', 'clients-revoked.crl.pem')).toBe('cert_revoked');
  expect(judge('client', 'clients-revoked.crl.pem')).toBe('');
  expect(judge('client', 'expired.crl.pem')).toBe('crl_has_expired');
});

test('an issuer of the same name with another key does not count', () => {
  // The client itself, with the name of an authority, would have to be one.
  const impostor = client('server-only').x509;
  const forged = new ClientCertificate(client('client').x509, [impostor]);
  const authorities = new ClientAuthorities({ ca: pem('ca.pem'), crl: '' });
  expect(authorities.refusal(forged, 4, NOW)).toBe('unable_to_get_issuer_cert_locally');
});

test('revocation lists that are none', () => {
  const list = pem('clients.crl.pem').split(/(?<=-----END X509 CRL-----\n)/)[0]!;
  expect(readRevocationList(list).serials.size).toBe(0);
  expect(readRevocationList(list).nextUpdate).toBeGreaterThan(NOW);
  const bytes = Buffer.from(list.replace(/-----[^-]*-----/g, ''), 'base64');
  // Whatever is cut off or altered: it is read, or a RangeError.
  for (let i = 0; i < bytes.length; i++) {
    for (const text of [bytes.subarray(0, i), Buffer.from(bytes).fill(0xff, i, i + 1)]) {
      const altered = `-----BEGIN X509 CRL-----\n${text.toString('base64')}\n-----END X509 CRL-----\n`;
      try {
        readRevocationList(altered);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  }
});
