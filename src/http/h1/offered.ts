/** Whether a change of protocols was asked for (RFC 9110 §7.8). Called by client.ts for each 101. */

/** Is each of the protocols that a 101 names among those offered? */
export function isOffered(chosen: string | undefined, offered: string): boolean {
  if (chosen === undefined || offered === '') return false;
  const offers = listed(offered);
  return listed(chosen).every((one) => offers.includes(one));
}

function listed(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((one) => one.trim());
}
