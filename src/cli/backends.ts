/** `prozy backends`, `drain`, `disable` and `enable`: asks a running gateway over its admin listener. Cold. */
import { EXIT } from './exit-codes.ts';

/** What is shown of a backend; the admin page has more. */
interface Backend {
  readonly pool: string;
  readonly endpoint: string;
  readonly state: string;
  readonly active: number;
  readonly latency_ms: number;
  readonly last_error: string;
  readonly since: string;
}

async function ask(admin: string, path: string, method: string): Promise<{ status: number; body: unknown } | null> {
  const base = admin.includes('://') ? admin : `http://${admin}`;
  try {
    const response = await fetch(new URL(path, base), { method });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    process.stderr.write(`${admin} does not answer: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return null;
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export async function backends(admin: string, format: 'text' | 'json'): Promise<number> {
  const answer = await ask(admin, '/backends', 'GET');
  if (answer === null || answer.status !== 200) return EXIT.problems;
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(answer.body, null, 2)}\n`);
    return EXIT.ok;
  }
  // The admin page's own form, which tests hold together.
  const rows = (answer.body as Backend[]).map((one) => [
    one.pool,
    one.endpoint,
    one.state,
    String(one.active),
    `${one.latency_ms} ms`,
    one.since,
    one.last_error,
  ]);
  process.stdout.write(
    `${table([['POOL', 'ENDPOINT', 'STATE', 'ACTIVE', 'LATENCY', 'SINCE', 'LAST ERROR'], ...rows])}\n`,
  );
  return EXIT.ok;
}

export async function setDuty(
  word: 'drain' | 'disable' | 'enable',
  pool: string,
  endpoint: string,
  admin: string,
): Promise<number> {
  const path = `/backends/${encodeURIComponent(pool)}/${encodeURIComponent(endpoint)}/${word}`;
  const answer = await ask(admin, path, 'POST');
  if (answer === null) return EXIT.problems;
  if (answer.status !== 200) {
    process.stderr.write(`there is no endpoint ${endpoint} in a pool ${pool}\n`);
    return EXIT.problems;
  }
  const { state, active } = answer.body as Backend;
  process.stdout.write(`${pool} ${endpoint}: ${state}, ${active} under way\n`);
  return EXIT.ok;
}
