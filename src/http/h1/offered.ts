/** Checks a change of protocols against the offer (RFC 9110 §7.8). client.ts calls it for each 101. */

/** Reports whether every protocol that a 101 names was offered. */
export function isOffered(chosen: string | undefined, offered: string): boolean {
  if (chosen === undefined || offered === '') return false;
  // A set, because each side may name thousands of protocols.
  const offers = new Set(listed(offered));
  return listed(chosen).every((one) => offers.has(one));
}

function listed(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
}
