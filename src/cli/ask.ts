/** Asks a running gateway over its admin listener. Cold. */

export interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON; its form is the admin page's, which tests hold together with what is shown of it. */
  readonly body: unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Holds the token that the admin listener wants for actions. */
const TOKEN = 'PROZY_ADMIN_TOKEN';

/** `admin`: host:port or a URL. Answers null, and says why on stderr, if it does not answer or refuses. */
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
