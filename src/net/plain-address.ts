/** Addresses in the form that people and ACLs use. Hot (once per connection). */

/** `::ffff:10.0.0.1` becomes `10.0.0.1`. A zone is kept. No address (a Unix socket) becomes `unix:`. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unix:';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
