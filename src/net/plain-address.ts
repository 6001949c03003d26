/** Addresses in the form that people and ACLs use. Hot (once per connection). */

const MAPPED_IN_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** `::ffff:10.0.0.1` and `::ffff:a00:1` become `10.0.0.1`. A zone is kept. No address (a Unix socket) becomes `unix:`. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unix:';
  if (!address.startsWith('::ffff:')) return address;
  if (address.includes('.')) return address.slice(7);
  const groups = MAPPED_IN_HEX.exec(address);
  if (groups === null) return address;
  const [high, low] = [Number.parseInt(groups[1]!, 16), Number.parseInt(groups[2]!, 16)];
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}
