/** What goes wrong between us and an authority, as a code and the authority's own words. Cold. */

/** RFC 8555 §6.7.1: the problem with one of several identifiers. */
export interface Subproblem {
  /** '' if the authority names none. */
  readonly identifier: string;
  readonly code: string;
  readonly detail: string;
}

/**
 * The codes of problem documents are those of RFC 8555 §6.7 in snake case: `rate_limited`, `bad_nonce`. Our own:
 *
 *     connect_failed  timeout  bad_response  response_too_large  redirected  refused      the exchange itself
 *     no_challenge  profile_unsupported  order_invalid  too_slow  bad_certificate         the course of an order
 *     hook_failed  denied  lost_lock  stopped  no_account                                 on our side
 */
export class AcmeError extends Error {
  readonly code: string;
  /** Of the response; 0: there is none. */
  readonly status: number;
  /** Milliseconds that the authority asks us to wait; null: it says nothing. */
  readonly retryAfter: number | null;
  readonly subproblems: readonly Subproblem[];

  constructor(
    code: string,
    detail: string,
    more: Partial<Pick<AcmeError, 'status' | 'retryAfter' | 'subproblems'>> = {},
  ) {
    super(detail);
    this.code = code;
    this.status = more.status ?? 0;
    this.retryAfter = more.retryAfter ?? null;
    this.subproblems = more.subproblems ?? [];
  }
}

/** Every failure as one with a code. */
export function asAcmeError(error: unknown): AcmeError {
  if (error instanceof AcmeError) return error;
  return new AcmeError('internal', error instanceof Error ? error.message : String(error));
}

const NAMESPACE = 'urn:ietf:params:acme:error:';
/** The authority's words go to the log and to operators: a line of them is enough. */
const LONGEST_DETAIL = 500;
const MOST_SUBPROBLEMS = 20;

/** Reads a problem document (RFC 9457, RFC 8555 §6.7). Anything that is not one counts as `fallback`. */
export function problemError(
  body: unknown,
  status: number,
  retryAfter: number | null,
  fallback: 'refused' | 'order_invalid' = 'refused',
): AcmeError {
  const { type, detail, subproblems } = asRecord(body);
  const list = Array.isArray(subproblems) ? (subproblems as unknown[]).slice(0, MOST_SUBPROBLEMS).map(subproblem) : [];
  // What is wrong with the names says more than that something is.
  const parts = list.map((one) => `${one.identifier === '' ? '' : `${one.identifier}: `}${one.detail}`);
  const said = [textOf(detail), ...parts].filter((text) => text !== '').join('; ');
  const text = said === '' ? `status ${status}` : said;
  return new AcmeError(codeOf(type, fallback), text.slice(0, LONGEST_DETAIL), {
    status,
    retryAfter,
    subproblems: list,
  });
}

function subproblem(value: unknown): Subproblem {
  const { type, detail, identifier } = asRecord(value);
  return { identifier: textOf(asRecord(identifier)['value']), code: codeOf(type, 'refused'), detail: textOf(detail) };
}

/** `urn:ietf:params:acme:error:rateLimited` → `rate_limited`. */
function codeOf(type: unknown, fallback: string): string {
  const name = textOf(type);
  if (!name.startsWith(NAMESPACE) || !/^[A-Za-z]{1,40}$/.test(name.slice(NAMESPACE.length))) return fallback;
  return name.slice(NAMESPACE.length).replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** One line, without control characters; '' if it is not a text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, LONGEST_DETAIL) : '';
}
