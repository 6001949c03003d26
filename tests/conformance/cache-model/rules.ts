/**
 * What RFC 9111 allows a shared cache to answer, told from outside: by what the client got, and by what the origin had said
 * by then and to whom. Written apart from the cache, from the RFC's text.
 */
import type { Got } from '../cache-cases/ask.ts';
import type { Answer, Memory } from './origin.ts';
import type { Ask } from './traffic.ts';

export interface Served {
  readonly ask: Ask;
  readonly number: number;
  readonly turn: number;
  /** Milliseconds, by the clock that leaps. */
  readonly at: number;
  readonly got: Got;
}

/** Names in lower case; without a value: ''. */
type Directives = ReadonlyMap<string, string>;

function directivesOf(text: string | undefined): Directives {
  const members = (text ?? '').matchAll(/([\w-]+)(?:=("[^"]*"|[\w-]*))?/g);
  return new Map([...members].map(([, name = '', value = '']) => [name.toLowerCase(), value.replaceAll('"', '')]));
}

/** Those that count: of CDN-Cache-Control if that is a dictionary and not empty (RFC 9213 §2.2). */
function inForce({ fields }: Got): { directives: Directives; targeted: boolean } {
  const cdn = fields.get('cdn-cache-control') ?? '';
  const targeted = cdn !== '' && !cdn.endsWith('=');
  return { directives: directivesOf(targeted ? cdn : fields.get('cache-control')), targeted };
}

const seconds = (text: string | undefined): number => Math.floor(Date.parse(text ?? '') / 1000);

/** Section 4.2.1; by heuristic at most a tenth of what has gone by since the last change. */
function lifetimeOf({ fields, status }: Got, { directives, targeted }: ReturnType<typeof inForce>): number {
  for (const name of ['s-maxage', 'max-age']) if (directives.has(name)) return Number(directives.get(name));
  const date = seconds(fields.get('date'));
  if (!targeted && fields.has('expires')) return Math.max(0, seconds(fields.get('expires')) - date);
  const heuristic =
    [200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501].includes(status) || directives.has('public');
  return heuristic && fields.has('last-modified')
    ? Math.max(0, date - seconds(fields.get('last-modified'))) / 10 + 1
    : 0;
}

function currentAge({ at, reply: { age, date } }: Answer, now: number): number {
  return Math.max(age, -date, 0) + (now - at) / 1000;
}

/** What is wrong with what a client got; nothing if it may be. */
export function wrongWith(served: Served, memory: Memory): string[] {
  const { ask, got, number } = served;
  if (got.broken) return ['the response breaks off'];
  if (got.status === 502 || got.status === 504)
    return failedAt(served, memory) || (got.status === 504 && ask.directives === 'only-if-cached')
      ? []
      : [`${got.status} for no reason`];
  if (got.status === 304) return wrongUnmodified(served, memory);
  const answer = memory.answers[Number(got.fields.get('x-answer') ?? -1)];
  if (answer === undefined) return [`an answer that nobody gave: ${got.status}`];
  const wrong = wrongContent(served, answer, memory);
  if (answer.ask === number) return wrong;
  return [...wrong, ...wrongReuse(served, answer, memory)];
}

function wrongUnmodified({ ask, got }: Served, memory: Memory): string[] {
  if (ask.condition !== 'current') return ['304 that was not asked for'];
  const etag = got.fields.get('etag');
  const known = memory.answers.some((one) => one.resource === ask.resource);
  return known && (etag === undefined || !etag.includes(`"${ask.resource}-`)) ? [`304 of ${etag}`] : [];
}

function wrongContent({ ask, got }: Served, answer: Answer, memory: Memory): string[] {
  if (answer.resource !== ask.resource) return ['an answer of another resource'];
  if (ask.method === 'HEAD') return got.body === '' ? [] : ['content in answer to HEAD'];
  const base = memory.answers[Number(got.fields.get('x-base') ?? answer.number)]!;
  if (base.resource !== ask.resource) return ['content of another resource'];
  if (got.status !== 206) return got.body === base.content ? [] : [`content ${got.body}, not ${base.content}`];
  const [, from = '', to = '', size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(got.fields.get('content-range') ?? '') ?? [];
  const expected = base.content.slice(Number(from), Number(to) + 1);
  if (ask.range === null) return ['206 that was not asked for'];
  return got.body === expected && Number(size) === base.content.length
    ? []
    : [`part ${from}-${to} ${got.body}, not ${expected}`];
}

/** Of an answer that another request brought: from the store, or shared with a request under way. */
function wrongReuse(served: Served, answer: Answer, memory: Memory): string[] {
  const { ask, got } = served;
  const base = memory.answers[Number(got.fields.get('x-base') ?? answer.number)]!;
  const force = inForce(got);
  return [
    ...wrongStored(answer, base, force.directives),
    ...wrongVariant(ask, answer, base, got.fields.get('vary')),
    ...wrongTime(served, answer, memory, force),
    ...wrongAge(served, answer),
    ...wrongNamed(got, force.directives),
    ...wrongOrder(served, answer, memory),
  ];
}

/** Section 3, and 3.5 for credentials: of what brought it, or of what has had it checked since (§4.3.4). */
function wrongStored(answer: Answer, base: Answer, directives: Directives): string[] {
  const wrong: string[] = [];
  for (const one of answer.status === 304 || answer.method === 'HEAD' ? [answer] : new Set([answer, base])) {
    if (one.method !== 'GET' && one.method !== 'HEAD') wrong.push(`what answered ${one.method} is reused`);
    if (directivesOf(one.request['cache-control']).has('no-store')) wrong.push('what answered no-store is reused');
    const allowed = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
    if (one.request.authorization !== undefined && !allowed) wrong.push('what answered credentials is reused');
  }
  if (directives.has('no-store')) wrong.push('no-store is reused');
  if (directives.get('private') === '') wrong.push('private is reused');
  return wrong;
}

/** Section 4.1: either what brought it, or what had it checked, was asked in the same way. */
function wrongVariant(ask: Ask, answer: Answer, base: Answer, vary: string | undefined): string[] {
  const names = (vary ?? '').toLowerCase().split(/, */).filter(Boolean);
  if (names.includes('*')) return ['Vary: * is reused'];
  const now: Readonly<Record<string, string | null>> = { 'x-a': ask.a, 'x-b': ask.b };
  const same = ({ request }: Answer): boolean => names.every((name) => (request[name] ?? null) === (now[name] ?? null));
  return same(answer) || same(base) ? [] : ['another variant is reused'];
}

/** Sections 4.2, 4.2.4 and 5.2.1, RFC 5861. */
function wrongTime(served: Served, answer: Answer, memory: Memory, force: ReturnType<typeof inForce>): string[] {
  const { ask, at, got } = served;
  const { directives } = force;
  const request = directivesOf(ask.directives ?? '');
  const age = currentAge(answer, at);
  const staleness = age - lifetimeOf(got, force);
  if (directives.get('no-cache') === '') return ['no-cache is reused unchecked'];
  // A second of doubt: times of day are told in whole seconds.
  const within = (limit: string | undefined): boolean => limit !== undefined && staleness <= Number(limit) + 2;
  // Who has lost its origin may serve what is stale, whatever the client would have liked better (§4.2.4, §4.3.3).
  if (failedAt(served, memory))
    return staleness <= 1 || mayBeStale(directives) ? [] : [`stale by ${staleness} on error`];
  if (request.has('no-cache')) return ['reused though the client said no-cache'];
  if (staleness > 1) {
    if (!mayBeStale(directives)) return [`stale by ${staleness} though it must be checked`];
    if (!within(directives.get('stale-while-revalidate')) && !tolerates(request, within))
      return [`stale by ${staleness}`];
  }
  const limit = request.get('max-age');
  if (limit !== undefined && age > Number(limit) + 2) return [`${age} old, asked for ${limit}`];
  const left = request.get('min-fresh');
  return left !== undefined && -staleness < Number(left) - 2 ? [`fresh for ${-staleness}, asked for ${left}`] : [];
}

/** The origin failed, for this request or for one of the same that it waited with. */
function failedAt({ ask: { resource }, turn }: Served, { unanswered, answers }: Memory): boolean {
  const here = (one: { readonly resource: number; readonly turn: number }): boolean =>
    one.resource === resource && one.turn === turn;
  return unanswered.some(here) || answers.some((one) => here(one) && one.status >= 500);
}

function mayBeStale(directives: Directives): boolean {
  return !['must-revalidate', 'proxy-revalidate', 's-maxage', 'no-cache'].some(
    (name) => directives.has(name) && (name !== 'no-cache' || directives.get(name) === ''),
  );
}

function tolerates(request: Directives, within: (limit: string | undefined) => boolean): boolean {
  return request.has('max-stale') && (request.get('max-stale') === '' || within(request.get('max-stale')));
}

function wrongAge({ at, got, turn }: Served, answer: Answer): string[] {
  const told = got.fields.get('age') ?? '';
  // Shared as it came, it says what the origin said.
  if (turn === answer.turn && told === `${answer.reply.age}`) return [];
  const age = currentAge(answer, at);
  return /^\d+$/.test(told) && Math.abs(Number(told) - age) <= 2 ? [] : [`says age ${told}, is ${age}`];
}

/** What private or no-cache names is not for others. */
function wrongNamed(got: Got, directives: Directives): string[] {
  const named = [directives.get('private'), directives.get('no-cache')].includes('x-named');
  return named && got.fields.has('x-named') ? ['a named field is reused'] : [];
}

/** Section 4.4: what was there before a change by a client in an earlier turn has been checked since. */
function wrongOrder({ ask, turn }: Served, answer: Answer, memory: Memory): string[] {
  const change = memory.answers.findLast(
    ({ method, resource, status, turn: when }) =>
      when < turn && resource === ask.resource && status < 400 && (method === 'POST' || method === 'DELETE'),
  );
  return change !== undefined && answer.turn < change.turn ? ['what a client has changed is reused'] : [];
}
