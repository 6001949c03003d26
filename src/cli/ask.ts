/** Sends requests to a running gateway's admin listener. Cold. */

export interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON. The admin page defines its form; tests keep the two in step. */
  readonly body: unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** The environment variable with the admin listener's token for actions. */
const TOKEN = 'PROZY_ADMIN_TOKEN';

/** `admin` is host:port or a URL. On failure or refusal, returns null and prints the reason to stderr. */
export async function ask(admin: string, path: string, question: Question = {}): Promise<AdminAnswer | null> {
  const base = admin.includes('://') ? admin : `http://${admin}`;
  try {
    const token = process.env[TOKEN];
    const headers = token === undefined ? question.headers : { authorization: `Bearer ${token}`, ...question.headers };
    const response = await fetch(new URL(path, base), { ...question, ...(headers === undefined ? {} : { headers }) });
    const { status } = response;
    const body: unknown = await response.json();
    if (status !== 401 && status !== 403 && status !== 421) return { status, body };
    // An admin page's problem (RFC 9457).
    const { detail = `answered with ${status}` } = (body ?? {}) as { detail?: string };
    process.stderr.write(`${admin} refuses: ${detail}${status === 401 ? `, in ${TOKEN}` : ''}
`);
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    process.stderr.write(`${admin} does not answer: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return null;
  }
}
