/** Which names a name may be short for (resolv.conf(5)). */
import { expect, test } from 'vitest';
import { searchedNames } from '../../src/net/search-list.ts';

const KUBERNETES = `nameserver 10.96.0.10
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`;

test.each([
  ['app', '', ['app']],
  ['app.', KUBERNETES, ['app.']],
  ['app', 'search a.test b.test', ['app.a.test', 'app.b.test', 'app']],
  ['app.c', 'search a.test', ['app.c', 'app.c.a.test']],
  ['app', 'domain a.test', ['app.a.test', 'app']],
  ['app', 'search a.test\nsearch b.test', ['app.b.test', 'app']],
  ['app', 'search .', ['app']],
  ['app', '# search a.test\n;search b.test\n  search\tc.test  ', ['app.c.test', 'app']],
  ['app', 'options ndots:0 rotate\nsearch a.test', ['app', 'app.a.test']],
  ['app', 'options ndots:many\nsearch a.test', ['app.a.test', 'app']],
  [
    'app.default.svc',
    KUBERNETES,
    [
      'app.default.svc.default.svc.cluster.local',
      'app.default.svc.svc.cluster.local',
      'app.default.svc.cluster.local',
      'app.default.svc',
    ],
  ],
])('%s', (name, conf, names) => {
  expect(searchedNames(name, conf)).toEqual(names);
});
