/** A config file or a running gateway: what a command's argument names. Cold. */
import { existsSync } from 'node:fs';

/** What is no file that exists and looks like an address is a gateway. */
export function isFile(where: string): boolean {
  return existsSync(where) || !/^(https?:\/\/.+|[^/]+:\d+\/?)$/.test(where);
}
