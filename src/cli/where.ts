/** Tells whether a command's argument names a config file or a running gateway. Cold. */
import { existsSync } from 'node:fs';

/** A text that looks like an address and is not an existing file names a gateway. */
export function isFile(where: string): boolean {
  return existsSync(where) || !/^(https?:\/\/.+|[^/]+:\d+\/?)$/.test(where);
}
