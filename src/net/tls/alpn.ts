/** The form of ALPN protocols in a handshake (RFC 7301 §3.1). Cold. */

/** Most wanted first. null: there are none. */
export function alpnWireForm(protocols: readonly string[]): Buffer | null {
  if (protocols.length === 0) return null;
  return Buffer.concat(protocols.map((one) => Buffer.from(`${String.fromCharCode(one.length)}${one}`, 'latin1')));
}
