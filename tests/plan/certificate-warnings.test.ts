/** Warnings of certificates that nothing uses, and of hosts that no certificate of their listener is for. */
import { expect, test } from 'vitest';
import { pair } from '../support/certificates.ts';
import { problemsOf } from './plan-of.ts';

const SITES = { site: pair('site'), wildcard: pair('wildcard'), shop: pair('shop') };

function warningsOf(tls: object, routes: readonly object[], certificates: object = SITES, more: object = {}): string[] {
  return problemsOf({
    certificates,
    listeners: { web: { address: '127.0.0.1:0', tls }, ...more },
    routes: routes.map((match, i) => ({ name: `r${i}`, match, respond: {} })),
  });
}

test('a certificate that nothing names', () => {
  expect(warningsOf({ certificates: ['site'] }, [])).toEqual([
    '/certificates/wildcard: nothing uses it',
    '/certificates/shop: nothing uses it',
  ]);
  const disabled = { other: { address: '127.0.0.1:0', enabled: false, tls: { certificates: ['wildcard', 'shop'] } } };
  expect(warningsOf({ certificates: ['site'] }, [], SITES, disabled)).toEqual([]);
});

test.each([
  ['exact', ['site'], 'site.example', true],
  ['of several, the first that is uncovered', ['site'], ['site.example', 'b.example', 'c.example'], false],
  ['by a wildcard', ['wildcard'], 'a.example.com', true],
  ['a wildcard stands for one label', ['wildcard'], 'b.example', false],
  ['two labels', ['wildcard'], 'a.b.example.com', false],
  ['a pattern of which some names are covered', ['shop'], '*.example.com', true],
  ['a pattern of which none is', ['site'], '*.example.com', false],
  ['an address', ['site'], '127.0.0.1', true],
  ['any host', ['site'], undefined, true],
])('the host of a route: %s', (_, certificates, host, covered) => {
  const all = Object.fromEntries(certificates.map((name) => [name, pair(name)]));
  const warnings = warningsOf({ certificates }, [{ path: '/first' }, host === undefined ? {} : { host }], all);
  const shown = host === undefined || typeof host === 'string' ? host : 'b.example';
  expect(warnings).toEqual(
    covered
      ? []
      : [
          `/routes/1/match/host: no certificate of listener web is for ${shown} (clients ask for it by name: they get the first one of the list)`,
        ],
  );
});

test('with `unknown_name: refuse` the clients get nothing; other listeners are not meant', () => {
  const tls = { certificates: ['site'], unknown_name: 'refuse' };
  const [warning, ...others] = warningsOf(
    tls,
    [{ host: 'b.example' }],
    { site: SITES.site },
    {
      plain: { address: '127.0.0.1:0' },
    },
  );
  expect(others).toEqual([]);
  expect(warning).toContain('their handshake is refused');
});
