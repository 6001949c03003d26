/** Replay files of Apache Traffic Server's own tests (the form of proxy-verifier), as far as they are plain HTTP/1. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A field to send, or how what comes is to be: equal, contains, prefix, suffix, present, absent. */
export interface Check {
  readonly name: string;
  readonly how: string;
  readonly value: string;
}

export interface Transaction {
  readonly key: string;
  readonly method: string;
  readonly target: string;
  readonly delay: number;
  /** Names and values in turn. */
  readonly request: readonly string[];
  readonly content: string | undefined;
  readonly originMayNotSee: boolean;
  readonly originSees: readonly Check[];
  readonly answer: {
    readonly status: number;
    readonly lines: readonly string[];
    readonly body: string;
    readonly delay: number;
  };
  readonly status: number | undefined;
  readonly clientGets: readonly Check[];
  readonly body: string | undefined;
}

export interface Replay {
  /** Settings of theirs that the file was written for: what it expects may follow from them rather than from the RFC. */
  readonly settings: string;
  readonly sessions: readonly (readonly Transaction[])[];
}

type RawField = readonly [string, unknown];
interface RawMessage {
  readonly method?: string;
  readonly url?: string;
  readonly status?: number | string;
  readonly delay?: string | number;
  readonly expect?: string;
  readonly frames?: unknown;
  readonly headers?: { readonly fields?: readonly RawField[] };
  readonly content?: {
    readonly data?: unknown;
    readonly size?: number;
    readonly verify?: { readonly as?: string; readonly value?: string };
  };
}
type Part = 'all' | 'client-request' | 'proxy-request' | 'server-response' | 'proxy-response';
type RawTransaction = Partial<Record<Part, RawMessage>>;
interface RawReplay {
  readonly autest?: { readonly ats?: { readonly records_config?: Readonly<Record<string, unknown>> } };
  readonly sessions?: readonly { readonly transactions?: readonly RawTransaction[] }[];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function milliseconds(delay: string | number | undefined): number {
  const [, count = '0', unit] = /^([\d.]+)\s*(us|ms|s)?$/.exec(text(delay ?? '0')) ?? [];
  const scale: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };
  return Number(count) * (scale[unit ?? 'us'] ?? 1);
}

function linesOf(...messages: (RawMessage | undefined)[]): string[] {
  const fields = messages.flatMap((message) => message?.headers?.fields ?? []);
  return fields.flatMap(([name, value]) => [name, text(value)]);
}

function checksOf(message: RawMessage | undefined): Check[] {
  return (message?.headers?.fields ?? []).flatMap(([name, rule]) => {
    if (typeof rule !== 'object' || rule === null || !('as' in rule)) return [];
    const { as: how, value = '' } = rule as { as: string; value?: unknown };
    return [{ name: name.toLowerCase(), how, value: text(value) }];
  });
}

function fieldOf(lines: readonly string[], name: string): string | undefined {
  const at = lines.findIndex((one, i) => i % 2 === 0 && one.toLowerCase() === name);
  return at < 0 ? undefined : lines[at + 1];
}

/** What is not spelled out is as long as its Content-Length says. */
function bodyOf(message: RawMessage, lines: readonly string[]): string {
  const { data, size } = message.content ?? {};
  if (data !== undefined) return text(data);
  return 'x'.repeat(size ?? Number(fieldOf(lines, 'content-length') ?? 0));
}

/** Null if it is more than plain HTTP/1. */
function transactionOf(raw: RawTransaction): Transaction | null {
  const {
    all,
    'client-request': request,
    'server-response': answer = {},
    'proxy-request': seen,
    'proxy-response': got,
  } = raw;
  if (request?.method === undefined || request.frames !== undefined || answer.frames !== undefined) return null;
  const lines = linesOf(all, request);
  const answerLines = linesOf(answer);
  return {
    key: fieldOf(lines, 'uuid') ?? '',
    method: request.method,
    target: (request.url ?? '/').replace(/^https?:\/\/[^/]*/, ''),
    delay: milliseconds(request.delay),
    request: lines,
    content:
      request.content === undefined && fieldOf(lines, 'content-length') === undefined
        ? undefined
        : bodyOf(request, lines),
    originMayNotSee: seen?.expect === 'absent',
    originSees: checksOf(seen),
    answer: {
      status: Number(answer.status ?? 200),
      lines: answerLines,
      body: bodyOf(answer, answerLines),
      delay: milliseconds(answer.delay),
    },
    status: got?.status === undefined ? undefined : Number(got.status),
    clientGets: checksOf(got),
    body: got?.content?.verify?.as === 'equal' ? text(got.content.verify.value ?? got.content.data) : undefined,
  };
}

/** Null if the file holds no sessions, or more than plain HTTP/1. */
export function readReplay(file: string): Replay | null {
  // They repeat keys where their reader takes the last.
  const raw = parse(readFileSync(file, 'utf8'), {
    merge: true,
    uniqueKeys: false,
    logLevel: 'error',
  }) as RawReplay | null;
  const sessions = (raw?.sessions ?? []).map(({ transactions = [] }) => transactions.map(transactionOf));
  if (sessions.length === 0 || sessions.some((session) => session.includes(null))) return null;
  const records = Object.entries(raw?.autest?.ats?.records_config ?? {});
  const settings = records
    .filter(([name]) => !/diags|insert_|_via_str/.test(name))
    .map(([name, value]) => `${name.replace('proxy.config.', '')}=${text(value)}`);
  return { settings: settings.join(' '), sessions: sessions as Transaction[][] };
}
