/** Describes a system error for people: `EACCES, permission denied`. Cold. */
import { getSystemErrorMessage } from 'node:util';

export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  return errno === undefined ? code : `${code}, ${getSystemErrorMessage(errno)}`;
}
