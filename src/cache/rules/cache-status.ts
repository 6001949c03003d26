/**
 * The text of Cache-Status (RFC 9211), which says how a cache handled a request. Hot.
 *
 * Each cache on the path appends its member, so the last one is the nearest to the client (§2).
 */
import type { Fields } from '../../http/fields.ts';

const NAME = 'Cache-Status';
const CACHE = 'prozy';

/** Why a request was forwarded (§2.2). */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';

export interface Forwarded {
  readonly reason: ForwardReason;
  /** The status of the upstream response; 0: none, or the same as in the reply (§2.3). */
  readonly status?: number;
  /** Was its response stored (§2.5)? */
  readonly stored?: boolean;
  /** Was it shared with another request (§2.6)? */
  readonly collapsed?: boolean;
  /** A detail of our own (§2.8), or ''. */
  readonly detail?: string;
}

/** For a hit; `ttl`: seconds of freshness left, negative if stale (§2.4). */
export function hitText(ttl: number, detail = ''): string {
  const text = `${CACHE}; hit; ttl=${wholeSeconds(ttl)}`;
  return detail === '' ? text : `${text}; detail=${word(detail)}`;
}

/** For a request that was forwarded. */
export function forwardText({ reason, status = 0, stored = false, collapsed = false, detail = '' }: Forwarded): string {
  let text = `${CACHE}; fwd=${reason}`;
  if (status !== 0) text += `; fwd-status=${status}`;
  if (stored) text += '; stored';
  if (collapsed) text += '; collapsed';
  return detail === '' ? text : `${text}; detail=${word(detail)}`;
}

/** Appends our member behind those of the origin. */
export function addCacheStatus(fields: Fields, text: string): void {
  fields.add(NAME, text);
}

/** An integer of a Structured Field has at most 15 digits. */
function wholeSeconds(ttl: number): number {
  return Math.max(-999_999_999_999_999, Math.min(999_999_999_999_999, Math.floor(ttl)));
}

/** As a token if it is one, else as a string (RFC 9651 §3.3.3, §3.3.4) without characters that a string can't have. */
function word(text: string): string {
  if (/^[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*$/.test(text)) return text;
  return `"${text.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
