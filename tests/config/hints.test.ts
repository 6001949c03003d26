/** Values that are nearly right, and words of other gateways: the hint says what to write, and that is taken. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../src/config/problem.ts';
import { nearestDuration, nearestSize, parseDuration, parseSize } from '../../src/kit/units.ts';
import { compileOnce } from '../../src/runtime/compile/compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-hints-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(text: string, env: Record<string, string> = {}): readonly Problem[] {
  writeFileSync(join(folder, 'gateway.yaml'), text);
  return compileOnce(join(folder, 'gateway.yaml'), env).problems;
}

/** `field`: of whatever stands in the place of X. */
const PLACES = {
  listener: 'version: 1\nlisteners: { web: { address: "127.0.0.1:0", X } }\n',
  address: 'version: 1\nlisteners: { web: { address: X } }\n',
  pool: 'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\npools: { p: { endpoints: ["a:1"], X } }\n',
  endpoint: 'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\npools: { p: { endpoints: [X] } }\n',
  route:
    'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\nroutes: [{ name: r, match: {}, respond: {}, X }]\n',
  match:
    'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\nroutes: [{ name: r, match: { X }, respond: {} }]\n',
  top: 'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\nX\n',
} as const;

describe('a value that is nearly right', () => {
  test.each<[keyof typeof PLACES, string, string]>([
    ['listener', 'timeouts: { idle: 5 }', 'write 5s'],
    ['listener', 'timeouts: { idle: "30" }', 'write 30s'],
    ['listener', 'timeouts: { idle: 30sec }', 'write 30s'],
    ['listener', 'timeouts: { idle: 1m30s }', 'write 90s'],
    ['listener', 'limits: { header_size: 16k }', 'write 16KiB'],
    ['listener', 'limits: { header_size: 1Mi }', 'write 1MiB'],
    ['listener', 'limits: { body_size: 10mb }', 'write 10MB'],
    ['listener', 'limits: { connections: "5" }', 'write 5 without quotes'],
    ['listener', 'enabled: yes', 'write true'],
    ['listener', 'acl: [office]', 'write office, not a list'],
    ['address', '8080', 'write "0.0.0.0:8080"'],
    ['address', '":8080"', 'write "0.0.0.0:8080"'],
    ['address', '"*:8080"', 'write "0.0.0.0:8080"'],
    ['address', '"::1:8080"', 'write "[::1]:8080"'],
    ['address', '/run/prozy.sock', 'write "unix:/run/prozy.sock"'],
    ['address', 'localhost', 'write the port too, such as "localhost:80"'],
    ['endpoint', '"http://10.0.0.1:3000/"', 'write "10.0.0.1:3000", without http://'],
    ['endpoint', '"http://app"', 'write "app:80", without http://'],
    ['endpoint', '"https://app:443"', 'write "app:443", without https://; write tls: true in the pool'],
    ['endpoint', '"a:80 weight=3"', 'write { address: "a:80", weight: 3 }'],
    ['endpoint', '"a:80/base"', 'write "a:80"; paths are changed by a rewrite policy'],
    ['pool', 'health: { active: { path: healthz } }', 'write /healthz'],
    ['match', 'host: "https://example.com/"', 'write example.com'],
    ['match', 'host: "example.com:8080"', 'write example.com'],
    ['match', 'methods: GET', 'write [GET]'],
    ['top', 'admin: { address: 9090 }', 'write "127.0.0.1:9090"'],
    ['top', 'pools: [{ name: a }]', 'a map has a name before each: `name: …`'],
    ['pool', 'retries: 3', 'write { attempts: 3 }'],
    ['route', 'retries: 3', 'write { attempts: 3 }'],
    ['route', 'timeouts: 30s', 'write { total: 30s }'],
    ['pool', 'timeouts: { read: 5s }', 'write idle: the time without a byte of the response'],
    ['route', 'redirect: { to: /x }', 'write it in parts: redirect: { scheme: https, host: example.com, path: /x }'],
    ['route', 'redirect: { url: /x }', 'write it in parts: redirect: { scheme: https, host: example.com, path: /x }'],
    ['route', 'policies: [{ type: rewrite, strip_prefix: /x }]', 'write prefix: /x, replacement: /'],
    ['top', 'routes: { a: { match: {} } }', 'a list has a dash before each, and no name: `- …`'],
  ])('%s: %s', (place, text, hint) => {
    expect(problemsOf(PLACES[place].replace('X', text)).map((one) => one.hint)).toContain(hint);
  });

  test('what may be a secret is not in a hint', () => {
    const text = PLACES.endpoint.replace('X', '"${env:BACKEND}"');
    const [problem] = problemsOf(text, { BACKEND: 'http://hush:80' });
    expect(problem).toMatchObject({ pointer: '/pools/p/endpoints/0/address' });
    expect(JSON.stringify(problem)).not.toContain('hush');
  });

  test.each(['5', '30 sec', '2 Minutes', '1h30m', '1m 30s', '1.5min', '250MS'])(
    '%s: what is hinted is a duration',
    (text) => {
      expect(parseDuration(nearestDuration(text)!)).toBeGreaterThan(0);
    },
  );

  test.each(['10m', '4k', '1Gi', '10 mb', '2Kbytes'])('%s: what is hinted is a size', (text) => {
    expect(parseSize(nearestSize(text)!)).toBeGreaterThan(1);
  });

  test.each(['soon', '5x', '', '-5s', '1m30'])('%j: nothing is hinted', (text) => {
    expect([nearestDuration(text), nearestSize(text)]).toEqual([undefined, undefined]);
  });
});

describe('a word of another gateway', () => {
  test.each<[keyof typeof PLACES, string, string]>([
    ['top', 'upstream', 'backends are in pools'],
    ['top', 'services', 'backends are in pools'],
    ['top', 'server', 'clients connect to listeners'],
    ['top', 'entrypoints', 'clients connect to listeners'],
    ['top', 'location', 'requests are matched by routes'],
    ['top', 'middlewares', 'policies are in a route'],
    ['listener', 'ssl', 'write tls: { certificates: [NAME] }'],
    ['listener', 'listen', 'write address'],
    ['pool', 'ssl', 'write tls: true, or tls: { ca: ./ca.crt, server_name: app.internal }'],
    ['pool', 'servers', 'write endpoints'],
    ['pool', 'healthcheck', 'write health: { active: { path: /healthz } }'],
    ['pool', 'timeout', 'limits of time are in timeouts'],
    ['route', 'path', 'conditions are in match'],
    ['route', 'host', 'conditions are in match'],
    ['route', 'proxy_pass', 'write pool: NAME'],
    ['route', 'backend', 'write pool: NAME'],
    ['route', 'rewrite', 'write policies: [{ type: rewrite, prefix: /x, replacement: /y }]'],
    ['route', 'strip_prefix', 'write policies: [{ type: rewrite, prefix: /x, replacement: /y }]'],
    ['route', 'timeout', 'write timeouts: { total: 30s }'],
    ['route', 'client_max_body_size', 'write limits: { body_size: 10MiB }'],
    ['route', 'cors', 'write policies: [{ type: cors'],
    ['route', 'buffering', 'write policies: [{ type: buffer'],
    ['listener', 'http2', 'HTTP/1.1 is the only protocol'],
    ['listener', 'max_body_size', 'write limits: { body_size: 10MiB }'],
    ['listener', 'client_max_body_size', 'write limits: { body_size: 10MiB }'],
    ['pool', 'max_conns', 'write max_connections'],
    ['match', 'hosts', 'write host'],
    ['match', 'path_prefix', 'write path: /x, which is a prefix'],
  ])('%s: %s', (place, word, hint) => {
    const found = problemsOf(PLACES[place].replace('X', `${word}: {}`)).find(
      ({ message }) => message === `unknown setting ${word}`,
    );
    expect(found!.hint).toContain(hint);
  });

  test('a policy that is not there yet', () => {
    const [problem] = problemsOf(PLACES.route.replace('X', 'policies: [{ type: rate_limit, rate: 5 }]'));
    expect(problem).toMatchObject({ hint: 'rate limits are not in this version' });
  });
});

describe('texts as people write them', () => {
  const BASE = 'version: 1\nlisteners: { web: { address: "127.0.0.1:0" } }\n';

  test.each([
    ['a dash line at the end', `${BASE}---\n`],
    ['one before and one behind', `---\n${BASE}...\n---\n# nothing\n`],
    ['carriage returns', BASE.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${BASE}`],
  ])('%s', (_, text) => expect(problemsOf(text)).toEqual([]));

  test('two documents are refused', () => {
    expect(problemsOf(`${BASE}---\n${BASE}`)).toMatchObject([{ line: 3, message: 'more than one document in a file' }]);
  });

  test.each(['', '\n', '# nothing\n', '---\n'])('%j has nothing in it', (text) => {
    expect(problemsOf(text)).toMatchObject([{ message: 'has nothing in it' }]);
  });

  test('a star that is not quoted', () => {
    const text = `${BASE}routes: [{ name: r, match: { host: *.example.com }, respond: {} }]\n`;
    const hint = 'a star begins the name of an anchor; if a text is meant, write "*.example.com" in quotes';
    expect(problemsOf(text)).toMatchObject([{ message: 'there is no anchor .example.com', hint }]);
    expect(problemsOf(`${BASE}routes:\n  - name: r\n    match:\n      host: *\n`)).toMatchObject([
      { message: 'a star alone names no anchor' },
    ]);
  });

  test('a tab', () => {
    expect(problemsOf(`${BASE}routes:\n\t- { name: r }\n`)).toMatchObject([{ line: 4, hint: 'indent with spaces' }]);
  });

  test('keys that begin with x- are free beside settings, and names where names are', () => {
    const text = `version: 1
x-common: &common
  timeouts: { connect: 2s }
  x-note: "\${env:NOT_SET}"
x-first: [&first "10.0.0.1:80"]
listeners: { web: { address: "127.0.0.1:0", x-owner: team, limits: { x-why: 1, connections: 5 } } }
pools: { app: { <<: *common, endpoints: [*first, { address: "10.0.0.2:80", x-rack: b }] }, x-data: { endpoints: ["a:1"] } }
routes:
  - name: r
    x-ticket: 7
    match: { headers: { x-tenant: acme }, x-y: 1 }
    policies: [{ type: headers, x-a: 1, request: { set: { x-via: prozy } } }]
    pool: app
`;
    writeFileSync(join(folder, 'gateway.yaml'), text);
    const { plan, problems } = compileOnce(join(folder, 'gateway.yaml'), {});
    expect(problems).toEqual([]);
    expect(plan!.pools.map(({ name, timeouts }) => [name, timeouts.connect])).toEqual([
      ['app', 2000],
      ['x-data', 5000],
    ]);
    expect(plan!.routes[0]).toMatchObject({
      match: { headers: [{ name: 'x-tenant', value: 'acme' }] },
      policies: [{ request: { set: [['x-via', 'prozy']] } }],
    });
    expect(JSON.stringify(plan)).not.toMatch(/x-(owner|why|rack|ticket|common|note|y|a)"/);
  });

  test('a literal ${ is written $${, and is no secret', () => {
    const text = `${BASE}routes: [{ name: r, match: {}, respond: { body: "$\${env:A} $$\${b} \${env:A} $5" } }]\n`;
    writeFileSync(join(folder, 'gateway.yaml'), text);
    const { plan, problems } = compileOnce(join(folder, 'gateway.yaml'), { A: 'hush' });
    expect(problems).toEqual([]);
    expect(plan!.routes[0]!.action).toMatchObject({ body: '${env:A} $${b} hush $5' });
  });

  test('what other programs take for a variable is a warning', () => {
    const text = `${BASE}routes: [{ name: r, match: {}, respond: { body: "\${PORT:-80} $\${PORT} $5" } }]\n`;
    expect(problemsOf(text)).toMatchObject([
      {
        level: 'warning',
        message: '${PORT:-80} is no reference and stays as it is',
        hint: 'write ${env:PORT:-80}, or $${PORT:-80} if this text is meant',
      },
    ]);
  });

  test('a variable that is not set is one problem, however often it is referred to', () => {
    const text = `version: 1
listeners: { web: { address: "\${env:NOPE}", limits: { connections: "\${env:NOPE}" } } }
pools: { p: { endpoints: ["\${env:NOPE}"] } }
routes: [{ name: r, match: {}, pool: q }]
`;
    const problems = problemsOf(text);
    expect(problems.map(({ message }) => message)).toEqual([
      'the environment variable NOPE is not set',
      'there is no pool q',
    ]);
    expect(problems[0]!.related!.map(({ line, message }) => [line, message])).toEqual([
      [2, 'and here'],
      [3, 'and here'],
    ]);
  });
});
