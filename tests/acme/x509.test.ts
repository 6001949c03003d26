import { createHash, createPrivateKey, verify, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  certificateIds,
  challengeCertificate,
  readChain,
  rootCertificate,
  serverCertificate,
  signingRequest,
} from '../../src/acme/x509/certificates.ts';
import { DerError, DerReader, TAG } from '../../src/kit/der.ts';
import { bitString, boolean, integer, objectIdentifier, sequence, time } from '../../src/acme/x509/der.ts';
import { addressBytes, keyUsage, subjectAlternativeName } from '../../src/acme/x509/extensions.ts';
import { generateKey, keyIdentifier, publicKeyInfo } from '../../src/acme/x509/keys.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const DAY = 86_400_000;
const NOW = Date.now();

/** RFC 9500 §2.3: a key for tests. */
const TEST_KEY = createPrivateKey(`-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49
AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjV
uKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==
-----END EC PRIVATE KEY-----`);

describe('DER', () => {
  test.each([
    [integer(0), '020100'],
    [integer(127), '02017f'],
    [integer(128), '02020080'],
    [integer(65_537), '0203010001'],
    [integer(Buffer.from([0, 0, 0x80])), '02020080'],
    [objectIdentifier('2.5.29.17'), '0603551d11'],
    [objectIdentifier('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
    [objectIdentifier('1.3.6.1.5.5.7.1.31'), '06082b0601050507011f'],
    [boolean(true), '0101ff'],
    [bitString(Buffer.from([0x80]), 7), '03020780'],
    [keyUsage(5, 6), '300e0603551d0f0101ff040403020106'],
    [keyUsage(0), '300e0603551d0f0101ff040403020780'],
    [time(Date.UTC(2049, 11, 31, 23, 59, 59)), `170d${hex(Buffer.from('491231235959Z'))}`],
    [time(Date.UTC(2050, 0, 1)), `180f${hex(Buffer.from('20500101000000Z'))}`],
    [subjectAlternativeName(['a.b', '10.0.0.1']), '30140603551d11040d300b8203612e6287040a000001'],
  ])('case %#', (made, wanted) => {
    expect(hex(made)).toBe(wanted);
  });

  test.each([
    [127, '307f'],
    [128, '308180'],
    [256, '30820100'],
    [65_536, '3083010000'],
  ])('%d bytes have their length in the shortest form', (size, head) => {
    const made = sequence(Buffer.alloc(size));
    expect(hex(made.subarray(0, head.length / 2))).toBe(head);
    expect(new DerReader(made).expect(TAG.SEQUENCE).content).toHaveLength(size);
  });

  test.each(['', '30', '3001', '3080', '30810100', '3082000100', '30850000000001', '1f1f0100'])(
    'refuses %s',
    (bytes) => {
      expect(() => new DerReader(Buffer.from(bytes, 'hex')).next()).toThrow(DerError);
    },
  );

  test.each([
    ['10.11.12.13', '0a0b0c0d'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::', '20010db8000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['::ffff:1.2.3.4', '00000000000000000000ffff01020304'],
  ])('%s', (address, bytes) => {
    expect(hex(addressBytes(address))).toBe(bytes);
  });
});

describe('keys', () => {
  test('the identifier is of RFC 7093 §2, method 1', () => {
    // The bits of the key are the last 65 bytes of its info.
    const point = publicKeyInfo(TEST_KEY).subarray(-65);
    expect(keyIdentifier(TEST_KEY)).toEqual(createHash('sha256').update(point).digest().subarray(0, 20));
  });
});

describe('certificates', () => {
  const names = ['a.example', '*.b.example', '127.0.0.1', '2001:db8::1'];

  test.each(['p256', 'p384', 'rsa2048'] as const)('OpenSSL reads one of %s, and its chain holds', async (type) => {
    const authority = { name: 'Root', key: await generateKey('p256') };
    const root = new X509Certificate(rootCertificate(authority, { from: NOW - DAY, to: NOW + 40 * 365 * DAY }));
    const key = await generateKey(type);
    const made = new X509Certificate(serverCertificate(names, key, { from: NOW - DAY, to: NOW + DAY }, authority));
    expect(root.ca).toBe(true);
    expect(made.ca).toBe(false);
    expect(made.verify(root.publicKey)).toBe(true);
    expect(made.checkIssued(root)).toBe(true);
    expect(made.checkPrivateKey(key)).toBe(true);
    expect(made.subject).toBe('CN=a.example');
    expect(made.subjectAltName).toBe(
      'DNS:a.example, DNS:*.b.example, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1',
    );
    expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(Math.abs(made.validToDate.getTime() - (NOW + DAY))).toBeLessThanOrEqual(1000);
    const { serial, authorityKey } = certificateIds(made);
    expect(hex(serial)).toBe(made.serialNumber.toLowerCase());
    expect(authorityKey).toEqual(keyIdentifier(authority.key));
  });

  test('a name beyond the bound of common names leaves the subject empty, and makes the names critical', () => {
    const name = `${'a'.repeat(60)}.example`;
    const made = new X509Certificate(serverCertificate([name], TEST_KEY, { from: NOW, to: NOW + DAY }, null));
    expect(made.subject).toBe(undefined);
    expect(hex(made.raw)).toContain('0603551d110101ff04');
    expect(made.verify(made.publicKey)).toBe(true);
  });

  test('that of a challenge names the digest in the critical extension of RFC 8737 §3', () => {
    const digest = createHash('sha256').update('token.thumbprint').digest();
    const made = new X509Certificate(challengeCertificate('a.example', digest, TEST_KEY, { from: NOW, to: NOW + DAY }));
    expect(hex(made.raw)).toContain(`06082b0601050507011f0101ff04220420${hex(digest)}`);
    expect(made.subjectAltName).toBe('DNS:a.example');
  });

  test('a chain is read in its order, and is bounded', () => {
    const one = rootCertificate({ name: 'One', key: TEST_KEY }, { from: NOW, to: NOW + DAY });
    const two = rootCertificate({ name: 'Two', key: TEST_KEY }, { from: NOW, to: NOW + DAY });
    expect(readChain(`${one}\n# a comment\n${two}`).map(({ subject }) => subject)).toEqual(['CN=One', 'CN=Two']);
    expect(() => readChain('')).toThrow('no certificate');
    expect(() => readChain(one.repeat(11))).toThrow('more than 10');
    expect(() => readChain(one.replace('MII', 'MIJ'))).toThrow(/./);
  });

  test('a serial number keeps the byte that makes it positive', () => {
    const made = new X509Certificate(serverCertificate(['a'], TEST_KEY, { from: NOW, to: NOW + DAY }, null));
    expect(certificateIds(made).serial).toHaveLength(16);
    // Puts a number with the highest bit in its place: the leading zero is a part of the content (RFC 9773 §4.1).
    const raw = Buffer.from(made.raw);
    const at = raw.indexOf(Buffer.from([0x02, 0x10]));
    raw.set([0x00, 0x87], at + 2);
    expect(hex(certificateIds(new X509Certificate(raw)).serial).slice(0, 4)).toBe('0087');
  });
});

describe('signing requests', () => {
  test('the bytes are those of PKCS #10 up to the signature, which holds', () => {
    const made = signingRequest(['a.example', '*.a.example'], TEST_KEY);
    const outer = new DerReader(new DerReader(made).expect(TAG.SEQUENCE).content);
    const info = outer.expect(TAG.SEQUENCE);
    // As `openssl req -new -subj / -addext subjectAltName=DNS:a.example,DNS:*.a.example` makes them of the same key.
    expect(hex(info.whole)).toBe(
      '30819602010030003059301306072a8648ce3d020106082a8648ce3d03010703420004422548f88fb782ffb5eca3744452c7' +
        '2a1e558fbd6f73be5e48e93232cc45c5b16c4cd10c4cb8d5b8a17139e94882c8992572993425f41419ab7e90a42a494272a0' +
        '34303206092a864886f70d01090e3125302330210603551d11041a30188209612e6578616d706c65820b2a2e612e6578616d706c65',
    );
    expect(hex(outer.expect(TAG.SEQUENCE).whole)).toBe('300a06082a8648ce3d040302');
    const signature = outer.expect(TAG.BIT_STRING).content.subarray(1);
    expect(outer.atEnd).toBe(true);
    expect(verify('sha256', info.whole, { key: TEST_KEY.export({ type: 'pkcs8', format: 'pem' }) }, signature)).toBe(
      true,
    );
  });
});
