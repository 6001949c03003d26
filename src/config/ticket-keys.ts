/**
 * Reads the key files of session tickets: those of nginx (`ssl_session_ticket_key`) and HAProxy (`tls-ticket-keys`).
 * Cold.
 */
import { dirname, resolve } from 'node:path';
import type { ConfigReader } from './config-reader.ts';
import type { Locate } from './merge.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

/** A key of nginx or HAProxy, with AES-128 or with AES-256. */
const LENGTHS: ReadonlySet<number> = new Set([48, 80]);
/** A key that has not encrypted for a day decrypts no valid ticket. */
const MOST_KEYS = 16;

const HINT = 'openssl rand -base64 48 > ticket.key makes a key; a file may hold several, one a line';

export interface CheckedTicketKeys {
  readonly problems: readonly Problem[];
  /** By listener: its keys in base64 with spaces between them, in the order of the files and lines. */
  readonly ticketKeys: ReadonlyMap<string, string>;
}

export function checkTicketKeys(
  document: Record<string, unknown>,
  { reader, locate }: { readonly reader: ConfigReader; readonly locate: Locate },
): CheckedTicketKeys {
  const problems: Problem[] = [];
  const ticketKeys = new Map<string, string>();
  const { listeners } = document;
  for (const [name, listener] of Object.entries(isRecord(listeners) ? listeners : {})) {
    const files = keyFilesOf(listener);
    const place = `/listeners/${segment(name)}/tls/tickets/key_files`;
    const keys: string[] = [];
    files.forEach((file, i) => {
      const pointer = `${place}/${i}`;
      const at = locate(pointer);
      const path = resolve(dirname(at.file), file);
      const bytes = reader.bytes(path);
      if ('reason' in bytes) problems.push(errorAt(at, pointer, `cannot read ${path}: ${bytes.reason}`));
      else {
        const found = keysIn(bytes);
        if (found === null)
          problems.push(errorAt(at, pointer, 'it must hold keys of 48 or 80 bytes, one alone or in base64', HINT));
        else keys.push(...found);
      }
    });
    const different = new Set(keys);
    if (different.size > MOST_KEYS)
      problems.push(errorAt(locate(place), place, `${different.size} keys are too many: at most ${MOST_KEYS}`));
    if (keys.length > 0) ticketKeys.set(name, [...different].join(' '));
  }
  return { problems, ticketKeys };
}

/** The schema reports other shapes. */
function keyFilesOf(listener: unknown): string[] {
  const tls = isRecord(listener) ? listener['tls'] : undefined;
  const tickets = isRecord(tls) ? tls['tickets'] : undefined;
  const files = isRecord(tickets) ? tickets['key_files'] : undefined;
  return Array.isArray(files) ? files.filter((file) => typeof file === 'string') : [];
}

/** In base64; null: these are no keys. */
function keysIn(content: Uint8Array): string[] | null {
  const bytes = Buffer.from(content);
  if (LENGTHS.has(bytes.length)) return [bytes.toString('base64')];
  const lines = bytes
    .toString('latin1')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return null;
  return lines.every((line) => /^[A-Za-z0-9+/]+=*$/.test(line) && LENGTHS.has(Buffer.from(line, 'base64').length))
    ? lines.map((line) => Buffer.from(line, 'base64').toString('base64'))
    : null;
}
