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

/** `admin`: host:port or a URL. Answers null, and says why on stderr, if nobody answers. */
export async function ask(admin: string, path: string, question: Question = {}): Promise<AdminAnswer | null> {
  const base = admin.includes('://') ? admin : `http://${admin}`;
  try {
    const response = await fetch(new URL(path, base), question);
    return { status: response.status, body: await response.json() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    process.stderr.write(`${admin} does not answer: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return null;
  }
}
