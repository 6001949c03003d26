/** Which listeners have a certificate. Cold. */
import type { Plan } from './types.ts';

/** The names of the listeners of each certificate, by its name. */
export function certificateUsers({ listeners }: Pick<Plan, 'listeners'>): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { name, tls } of listeners)
    for (const certificate of tls?.certificates ?? []) {
      const known = users.get(certificate);
      if (known === undefined) users.set(certificate, [name]);
      else known.push(name);
    }
  return users;
}
