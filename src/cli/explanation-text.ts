/** Formats an explanation for people. Cold. */
import { sayFailed } from '../explain/conditions.ts';
import type { Explanation, RouteView } from '../explain/explanation.ts';
import type { PolicyView } from '../explain/policies.ts';
import type { EndpointView, PoolView } from '../explain/pools.ts';
import { table } from './table.ts';

/** `told` may come from a gateway of another version, so this uses only the displayed fields. */
export function explanationText(told: Explanation): string {
  return [
    head(told),
    ...ending(told),
    ...tlsRoutesOf(told),
    ...routesOf(told),
    ...policiesOf(told),
    ...told.pools.flatMap(poolOf),
    ...sent(told),
  ]
    .map((part) => part.trimEnd())
    .join('\n\n');
}

function head({ request, tls, listener, generation }: Explanation): string {
  const { method, url, peer, client, host, path, query } = request;
  const lines = [
    tls !== null && path === '' ? `TLS to ${url}` : `${method} ${url}`,
    `  from ${peer}${client === peer ? '' : `, which is trusted to speak for ${client}`}`,
    `  at listener ${listener.name} on ${listener.address} (${listener.why})${generation === null ? '' : `, generation ${generation}`}`,
  ];
  if (tls !== null) {
    const { server_name: name, alpn } = tls;
    lines.push(
      `  with ${name === '' ? 'no server name' : `server name ${name}`}${alpn.length === 0 ? '' : `, ALPN ${alpn.join(', ')}`}`,
    );
  }
  const { certificates } = listener;
  if (certificates !== undefined)
    lines.push(`  with ${certificates.length === 0 ? 'no certificate' : `certificate ${certificates.join(' or ')}`}`);
  if (path !== '')
    lines.push(`  as host ${host === '' ? '(none)' : host}, path ${path}${query === '' ? '' : `, query ${query}`}`);
  return lines.join('\n');
}

/** The outcome in one line. */
function ending({ outcome, tls, route, pools, mirror, policies }: Explanation): string[] {
  const { by, status, why, location, policy } = outcome;
  const now = policies.find(({ verdict }) => verdict === 'answers');
  const at = `route ${route ?? ''}`;
  const first = now === undefined ? '' : `answered by its policy ${now.type} at this moment; else `;
  const mirrored = mirror === null ? '' : `; ${mirror.share} % of such requests are copied to pool ${mirror.pool}`;
  switch (by) {
    case 'request':
      return [`=> ${status}, refused as it is read: ${why}`];
    case 'tls':
      return [`=> ${tls?.route == null ? '' : `TLS route ${tls.route}: `}${why}`];
    case 'listener':
      return [status === null ? `=> refused by the listener: ${why}` : `=> ${status}, refused by the listener: ${why}`];
    case 'gateway':
      return [`=> ${status === null ? '' : `${status}: `}${why}`];
    case 'policy':
      return [`=> ${at}, ${status} by its policy ${policy}`];
    case 'respond':
      return [`=> ${at}, which answers ${status}`];
    case 'redirect':
      return [`=> ${at}, which redirects with ${status} to ${location ?? ''}`];
    case 'pool':
      if (route === null)
        return [
          `=> ${tls?.route == null ? '' : `TLS route ${tls.route}, `}${tls?.action === 'terminate' ? 'decrypted' : 'as it is'} to ${pools.map(sayPool).join(' or ')}`,
        ];
      return [`=> ${at}, ${first}to ${pools.map(sayPool).join(' or ')}${mirrored}`];
  }
}

function sayPool({ pool, chance, endpoints }: PoolView): string {
  const next = endpoints.find(({ choice }) => choice === 'next');
  const part = chance < 1 ? ` (${Math.round(chance * 1000) / 10} %)` : '';
  return `pool ${pool}${part}${next === undefined ? '' : `, ${next.endpoint}`}`;
}

function tlsRoutesOf({ tls }: Explanation): string[] {
  if (tls === null || tls.routes.length === 0) return [];
  return [`TLS routes, in their order\n${routeTable(tls.routes)}`];
}

function routesOf({ routes, routes_left_out: rest }: Explanation): string[] {
  if (routes.length === 0) return [];
  const more =
    rest === 0 ? '' : `\n    and ${rest} more, each of which fails in as much or more (--format json shows all)`;
  return [`routes, in their order\n${routeTable(routes)}${more}`];
}

function routeTable(routes: readonly RouteView[]): string {
  return table(
    routes.map(({ name, result, failed }) => [result === 'wins' ? '  >' : '   ', name, said(result, failed)]),
  );
}

function said(result: RouteView['result'], failed: RouteView['failed']): string {
  if (result === 'wins') return 'takes it';
  if (result === 'disabled') return failed.length === 0 ? 'disabled, else it could take it' : 'disabled';
  return result === 'later' ? 'would take it, but comes later' : failed.map(sayFailed).join('; ');
}

const VERDICTS: Readonly<Record<PolicyView['verdict'], string>> = {
  passes: 'passes',
  denies: 'denies',
  answers: 'answers',
  unasked: 'not evaluated',
  unreached: 'not reached',
  disabled: 'disabled',
};

function policiesOf({ policies }: Explanation): string[] {
  if (policies.length === 0) return [];
  const rows = policies.map(({ type, verdict, why, edits, pools = [] }) => {
    const changes = edits.map(({ what, name, value }) => {
      if (what === 'path') return `path becomes ${value}`;
      return what === 'remove' ? `removes ${name}` : `${name}: ${value}`;
    });
    const asks = pools.length === 0 ? [] : [`may ask pool ${pools.join(' and ')}`];
    const all = [...(why === '' ? [] : [why]), ...changes, ...asks];
    return ['   ', type, VERDICTS[verdict], all.join('; ')];
  });
  return [`policies, outermost first\n${table(rows)}`];
}

const CHOICES: Readonly<Record<EndpointView['choice'], string>> = { next: '  >', possible: '  ?', no: '   ' };

function sayTls({ server_name: name, verify }: NonNullable<PoolView['tls']>): string {
  const names: Readonly<Record<string, string>> = { '': 'of the endpoint', from_host: 'in its Host' };
  const as = `under the name ${names[name] ?? name}`;
  return `by TLS ${as}${verify ? '' : ', unverified'}`;
}

function poolOf(view: PoolView): string[] {
  const { pool, strategy, why, endpoints, panic, tls, queue, fallback } = view;
  const rows = endpoints.map((one) => {
    const { choice, endpoint, state } = one;
    if (state === 'disabled') return [CHOICES[choice], endpoint, state, '', '', '', ''];
    return [
      CHOICES[choice],
      endpoint,
      state,
      `may ${one.may}${one.full ? ', but is full' : ''}`,
      `weight ${one.weight}`,
      state === 'unknown' ? '' : `${one.active} under way`,
      state === 'unknown' ? '' : `${one.latency_ms} ms`,
    ];
  });
  const notes = [
    ...(tls === null ? [] : [sayTls(tls)]),
    ...(panic ? ['so few are healthy that all are used'] : []),
    ...(queue > 0 ? [`${queue} wait for room`] : []),
    ...(fallback === null
      ? []
      : [`falls back on ${fallback.startsWith('answer ') ? `an ${fallback}` : `pool ${fallback}`}`]),
  ];
  return [`pool ${pool}, ${strategy}: ${[why, ...notes].join('; ')}\n${table(rows)}`];
}

function sent({ sent: message }: Explanation): string[] {
  if (message === null) return [];
  const lines = message.fields.map(([name, value]) => `    ${name}: ${value}`);
  return [`sent on as\n    ${[message.line, ...lines].join('\n')}`];
}
