/** Signs requests to an authority (RFC 7515, RFC 8555 §6.2) with the key of an account. Cold. */
import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { AcmeError } from './acme-error.ts';

export interface Jwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** The flattened form of RFC 7515 §7.2.2. */
export interface Jws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** RFC 8555 §7.3.4. */
export interface ExternalAccount {
  readonly keyId: string;
  /** The authority gives it in base64url. */
  readonly hmacKey: string;
}

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString('base64url');
}

/** A P-256 key that signs with ES256, which every authority has to know (RFC 8555 §6.2). */
export class AccountKey {
  readonly jwk: Jwk;
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
    if (crv !== 'P-256') throw new AcmeError('no_account', 'the key of the account is not a P-256 key');
    this.#key = key;
    this.jwk = { crv, kty, x, y };
    // The members in the order of their names, without blanks.
    this.thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  }

  /** `payload`: '' for POST-as-GET (§6.3). */
  sign(header: { url: string; nonce: string; kid: string | null }, payload: object | ''): Jws {
    const { url, nonce, kid } = header;
    const identity = kid === null ? { jwk: this.jwk } : { kid };
    const parts = encoded({ alg: 'ES256', ...identity, nonce, url }, payload);
    const signature = sign('sha256', signingInput(parts), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return { ...parts, signature: base64url(signature) };
  }

  /** Binds the key to an account elsewhere (§7.3.4): our public key, signed with the MAC key that the authority gave. */
  bind({ keyId, hmacKey }: ExternalAccount, url: string): Jws {
    const parts = encoded({ alg: 'HS256', kid: keyId, url }, this.jwk);
    const mac = createHmac('sha256', Buffer.from(hmacKey, 'base64url')).update(signingInput(parts)).digest();
    return { ...parts, signature: base64url(mac) };
  }

  /** RFC 8555 §8.1. */
  authorize(token: string): string {
    return `${token}.${this.thumbprint}`;
  }
}

function encoded(header: object, payload: object | ''): Omit<Jws, 'signature'> {
  return {
    protected: base64url(JSON.stringify(header)),
    payload: payload === '' ? '' : base64url(JSON.stringify(payload)),
  };
}

function signingInput(parts: Omit<Jws, 'signature'>): Buffer {
  return Buffer.from(`${parts.protected}.${parts.payload}`, 'latin1');
}
