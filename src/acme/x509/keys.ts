/** Makes private keys, and signs DER with them. Cold. */
import { createHash, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { DerReader, TAG } from '../../kit/der.ts';
import { bitString, nothing, objectIdentifier, sequence } from './der.ts';

export type KeyType = 'p256' | 'p384' | 'rsa2048' | 'rsa4096';

const generate = promisify(generateKeyPair);

const CURVES: Readonly<Record<string, string>> = { p256: 'P-256', p384: 'P-384' };

export async function generateKey(type: KeyType): Promise<KeyObject> {
  const namedCurve = CURVES[type];
  const { privateKey } =
    namedCurve === undefined
      ? await generate('rsa', { modulusLength: Number(type.slice('rsa'.length)) })
      : await generate('ec', { namedCurve });
  return privateKey;
}

/** PKCS #8. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of a public key, or of that of a private one. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
}

/** The leftmost 160 bits of the SHA-256 of the public key (RFC 7093 §2, method 1). */
export function keyIdentifier(key: KeyObject): Buffer {
  const info = new DerReader(new DerReader(publicKeyInfo(key)).expect(TAG.SEQUENCE).content);
  info.expect(TAG.SEQUENCE);
  // The first byte counts unused bits.
  const bits = info.expect(TAG.BIT_STRING).content.subarray(1);
  return createHash('sha256').update(bits).digest().subarray(0, 20);
}

interface Algorithm {
  readonly identifier: Buffer;
  readonly hash: string;
}

/** RFC 5758 §3.2: no parameters. RFC 4055 §5: NULL. */
function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === 'rsa')
    return { identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing()), hash: 'sha256' };
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.3')), hash: 'sha384' }
    : { identifier: sequence(objectIdentifier('1.2.840.10045.4.3.2')), hash: 'sha256' };
}

/** The AlgorithmIdentifier with which a key signs. */
export function signatureAlgorithm(key: KeyObject): Buffer {
  return algorithmOf(key).identifier;
}

/** The bytes, the algorithm and the signature: the outer form of certificates and signing requests. */
export function signed(bytes: Buffer, key: KeyObject): Buffer {
  const { identifier, hash } = algorithmOf(key);
  return sequence(bytes, identifier, bitString(sign(hash, bytes, key)));
}
