/** Addresses as people and ACLs know them. Hot (once per connection). */

/** `::ffff:10.0.0.1` is `10.0.0.1`; a zone is kept; no address (a Unix socket) is `unix:`. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unix:';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
