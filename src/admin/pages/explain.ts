/** `GET /explain?url=…`: how the gateway would handle a request. Cold; it sends nothing and changes nothing. */
import { isIP } from 'node:net';
import { readCertificate } from '../../explain/handshake.ts';
import { type AskedRequest, STRANGER } from '../../explain/request.ts';
import { explainLive, explainPast } from '../../runtime/views/explaining.ts';
import { planOfEntry } from '../../runtime/views/history-view.ts';
import { type Answer, type Page, problem } from '../page.ts';

const KNOWN = new Set([
  'method',
  'url',
  'header',
  'client',
  'listener',
  'generation',
  'entry',
  'routes',
  'server_name',
  'alpn',
  'client_certificate',
]);

export const explain: Page = {
  path: '/explain',
  GET: async ({ gateway, reloader }, { query }) => {
    const question = read(query);
    if (typeof question === 'string') return bad(question);
    const { asked, listener, generation, entry, all } = question;
    if (entry !== null) {
      const plan = reloader === null ? null : await planOfEntry(reloader.history, entry);
      if (plan === null) return problem(404, 'Not Found', 'there is no such entry in the history');
      if (typeof plan === 'string') return problem(409, 'Conflict', plan);
      const told = await explainPast(gateway, plan, asked, listener, all);
      return 'unclear' in told ? bad(told.unclear) : { status: 200, body: told };
    }
    const explanation = await explainLive(gateway, asked, listener, generation, all);
    if (explanation === null) return problem(404, 'Not Found', 'that generation is not alive');
    return 'unclear' in explanation ? bad(explanation.unclear) : { status: 200, body: explanation };
  },
};

function bad(why: string): Answer {
  return problem(400, 'Bad Request', why);
}

interface Question {
  readonly asked: AskedRequest;
  readonly listener: string | null;
  readonly generation: number | null;
  /** An entry of the history. */
  readonly entry: number | null;
  /** Include every route. */
  readonly all: boolean;
}

/** Returns an error text if the query is invalid. */
function read(query: URLSearchParams): Question | string {
  const unknown = [...query.keys()].find((key) => !KNOWN.has(key));
  if (unknown !== undefined) return `there is no parameter ${unknown}; there are ${[...KNOWN].join(', ')}`;
  const url = query.get('url');
  if (url === null) return 'needs the parameter url';
  const client = query.get('client') ?? STRANGER;
  if (isIP(client) === 0) return 'client must be an IP address';
  const generation = query.get('generation');
  if (generation !== null && !/^\d{1,15}$/.test(generation)) return 'generation must be a number';
  const entry = query.get('entry');
  if (entry !== null && !/^\d{1,15}$/.test(entry)) return 'entry must be a number';
  if (entry !== null && generation !== null) return 'entry and generation are two different things';
  const routes = query.get('routes') ?? 'nearest';
  if (routes !== 'nearest' && routes !== 'all') return 'routes must be nearest or all';
  const serverName = query.get('server_name');
  const certificate = query.get('client_certificate');
  if (certificate !== null && readCertificate(certificate) === null)
    return 'client_certificate must be a certificate in PEM';
  const headers: (readonly [string, string])[] = [];
  for (const line of query.getAll('header')) {
    const colon = line.indexOf(':');
    if (colon <= 0) return 'header must be name: value';
    headers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return {
    asked: {
      method: query.get('method') ?? 'GET',
      url,
      client,
      headers,
      alpn: query.getAll('alpn'),
      ...(serverName === null ? {} : { serverName: serverName.toLowerCase() }),
      ...(certificate === null ? {} : { certificate }),
    },
    listener: query.get('listener'),
    generation: generation === null ? null : Number(generation),
    entry: entry === null ? null : Number(entry),
    all: routes === 'all',
  };
}
