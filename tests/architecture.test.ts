/** The rules of docs/ARCHITECTURE.md that can be executed: who imports whom, how long a file may be, what only one place does. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync('src/**/*.ts', { cwd: root }).toSorted();
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What each folder may import, besides itself; `type` for `import type` only. A file stands before its folder. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  observe: ['kit'],
  config: ['kit'],
  history: ['kit', 'observe', 'config'],
  // The protocol of authorities, and what they issue: it knows neither configs nor listeners.
  acme: ['kit'],
  net: ['kit', 'observe'],
  http: ['kit', 'observe', 'net', 'type plan/types'],
  upstream: ['kit', 'observe', 'net', 'http', 'type plan/types', 'type config/schema.gen'],
  cache: ['kit', 'observe', 'net', 'http', 'type plan/types', 'type config/schema.gen'],
  policies: ['kit', 'observe', 'net', 'http', 'cache', 'type plan/types', 'type config/schema.gen'],
  proxy: ['kit', 'observe', 'net', 'http', 'upstream', 'policies/policy', 'type plan/types'],
  // Pure: what a path in normal form is, is the one thing that it shares with the traffic path.
  plan: ['kit', 'config', 'http/path'],
  // What would become of a request, found by the code that serves it.
  explain: ['kit', 'config', 'net', 'http', 'upstream', 'type cache', 'policies', 'proxy', 'plan'],
  runtime: [
    'kit',
    'observe',
    'config',
    'history',
    'acme',
    'net',
    'http',
    'upstream',
    'cache',
    'policies',
    'proxy',
    'plan',
    'explain',
  ],
  admin: ['kit', 'observe', 'config', 'runtime', 'explain'],
  cli: ['kit', 'config', 'history', 'plan', 'runtime', 'admin', 'explain'],
  main: ['cli'],
  index: ['kit', 'config', 'http', 'type policies/policy', 'runtime', 'admin'],
};

/** A file has one idea. One of more than 400 lines has to argue that it has no second. */
const LONG: Readonly<Record<string, string>> = {
  'src/config/schema.gen.ts': 'generated',
  'src/http/h1/client.ts': 'one state machine, which reads best in one piece',
  'src/cache/request/shared-fetch.ts': 'one state machine, which reads best in one piece',
  'src/net/tls/tls-transport.ts': 'one state machine, which reads best in one piece',
  'src/http/h1/server.ts': 'one state machine, which reads best in one piece',
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const found = [
    ...textOf(file).matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gms),
  ];
  return found.map(([, type, path, dynamic]) => {
    const to = normalize(join(dirname(file), path ?? dynamic!));
    return { from: file, to, typeOnly: type !== undefined };
  });
}

/** `src/http/h1/server.ts` → `http`. */
function folderOf(file: string): string {
  return file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0]!;
}

function allowed({ from, to, typeOnly }: Import): boolean {
  const folder = folderOf(from);
  if (folderOf(to) === folder) return true;
  const path = to.replace(/^src\//, '').replace(/\.ts$/, '');
  return (MAY_IMPORT[folder] ?? []).some((rule) => {
    const [word, place = word!] = rule.split(' ');
    if (word === 'type' && !typeOnly) return false;
    return path === place || path.startsWith(`${place}/`);
  });
}

/** The import circles (strongly connected components of more than one file), by Tarjan; types count. */
function circles(): string[][] {
  const known = new Set(files);
  const targets = new Map(files.map((file) => [file, importsOf(file).map(({ to }) => to)]));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const to of targets.get(file)!) {
      if (!known.has(to)) continue;
      if (!order.has(to)) visit(to);
      if (stack.includes(to)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(to)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.toSorted());
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}

/** Lines of code that match, as `file: line`. Comments do not count. */
function linesWith(pattern: RegExp, within = files): string[] {
  return within.flatMap((file) =>
    textOf(file)
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

const outside = (...allowedFiles: readonly string[]): string[] => files.filter((file) => !allowedFiles.includes(file));

describe('who imports whom', () => {
  test('every folder has its row', () => {
    expect([...new Set(files.map(folderOf))].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  test('no file imports what stands above it', () => {
    const all = files.flatMap(importsOf);
    expect(all.length).toBeGreaterThan(300);
    expect(all.filter((one) => !allowed(one)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('no import circle joins two rooms, not even through types', () => {
    const all = circles();
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter((circle) => new Set(circle.map((file) => dirname(file))).size > 1)).toEqual([]);
  });

  test('an import circle has at most three files, and there is none on the way of an exchange', () => {
    const all = circles();
    expect(all.filter((circle) => circle.length > 3)).toEqual([]);
    expect(all.filter((circle) => circle.some((file) => file.startsWith('src/proxy/')))).toEqual([]);
  });

  test('policies do not know each other', () => {
    const known = files
      .filter((file) => file.startsWith('src/policies/') && !file.endsWith('/index.ts'))
      .flatMap(importsOf)
      .filter(({ to }) => to.startsWith('src/policies/') && !to.endsWith('/policy.ts'));
    expect(known).toEqual([]);
  });

  test('only the library entry re-exports', () => {
    expect(linesWith(/^export\b.*\bfrom '/, outside('src/index.ts'))).toEqual([]);
  });
});

describe('codecs', () => {
  test('only the registries import a codec', () => {
    const importers = files
      .filter((file) => !file.startsWith('src/http/h1/'))
      .filter((file) => importsOf(file).some(({ to }) => to.startsWith('src/http/h1/')));
    expect(importers).toEqual(['src/http/client-codecs.ts', 'src/http/server-codecs.ts']);
  });

  test('only a codec writes the text and the framing of a reply', () => {
    const replies = files.filter((file) => /^src\/(cache\/|http\/(\w+-)*(reply|list)\.ts)/.test(file));
    expect(replies.length).toBeGreaterThan(50);
    // The parts of multipart/byteranges are a body in MIME, in every protocol.
    const others = replies.filter((file) => file !== 'src/cache/rules/range.ts');
    expect(linesWith(/\\r\\n|Content-Length:|Connection:/, others)).toEqual([]);
  });
});

describe('what only one place does', () => {
  test('one line makes a snapshot current', () => {
    expect(linesWith(/#current = /).filter((line) => !line.includes('#current: '))).toEqual([
      'src/runtime/gateway.ts: this.#current = next;',
    ]);
  });

  test('one place applies plans, and one page takes them all the way', () => {
    const used = linesWith(/\b(?:applyPlan|gateway\.(?:bindContext|openings|commit|tune))\(|retirement\.handOver\(/);
    expect([...new Set(used.map((line) => line.split(':')[0]))]).toEqual(['src/runtime/reload/reload-path.ts']);
    expect(used).toHaveLength(7);
  });

  test('the environment, the arguments and the end of the process belong to the command', () => {
    const used = linesWith(/process\.(env|argv|exit|on)\b/).filter(
      (line) => !/^src\/(cli\/|main\.ts|runtime\/compile\/compile-process\.ts)/.test(line),
    );
    // The switch of the transport is read where the transport is chosen, before there is a command.
    expect(used).toEqual(["src/net/stream-handles.ts: if (process.env['PROZY_TRANSPORT'] === 'socket') return null;"]);
  });

  test('time and chance are given, not taken', () => {
    const taken = /\b(setTimeout|setInterval|Date\.now|performance\.now|Math\.random)\(/;
    expect(linesWith(taken, outside('src/kit/clock.ts', 'src/kit/random.ts'))).toEqual([]);
  });

  test('what is internal to Node is touched in two files', () => {
    const inside = ['src/net/stream-handles.ts', 'src/http/coding/coder.ts'];
    expect(linesWith(/\bbinding\(|\b_handle\b/, outside(...inside))).toEqual([]);
  });

  test('nothing is thrown on the traffic path', () => {
    const hot = files.filter((file) => /^src\/(net|http|upstream|cache|proxy)\//.test(file));
    // A table that could not be built is a defect found at load, before there is traffic.
    expect(
      linesWith(
        /\bthrow\b/,
        hot.filter((file) => !THROWS_INTO_MODULES.includes(file) && file !== 'src/http/known.ts'),
      ),
    ).toEqual([]);
  });
});

/**
 * The Sets and Maps that last, in the rooms that traffic goes through, and why each may be one: nothing that a request, a
 * connection or a fetch enters and leaves is kept in any of them (kit/places.ts says why).
 */
const PER_RELOAD = 'changes when a config or the answer of a name server does';
const LASTING_TABLES: Readonly<Record<string, string>> = {
  'src/kit/shared.ts #values': PER_RELOAD,
  'src/kit/versioned-modules.ts versions': 'nothing leaves it: Node frees no module either',
  'src/kit/shared.ts #collected': PER_RELOAD,
  'src/net/send-queues.ts #asked': 'for peers that are about to be given up, and dropped as a whole with each answer',
  'src/net/tls/secure-contexts.ts #contexts': 'one for each certificate in use; a handshake moves one that is old',
  'src/net/tls/server-policies.ts #exact': PER_RELOAD,
  'src/net/tls/server-policies.ts #wildcards': PER_RELOAD,
  'src/net/tls/server-tls.ts #exact': PER_RELOAD,
  'src/net/tls/server-tls.ts #wildcards': PER_RELOAD,
  'src/observe/metrics.ts failedHandshakes': 'one for each reason',
  'src/policies/acl.ts made': PER_RELOAD,
  'src/proxy/path-index.ts #exact': PER_RELOAD,
  'src/proxy/path-index.ts #prefixes': PER_RELOAD,
  'src/proxy/router.ts #exact': PER_RELOAD,
  'src/proxy/router.ts #wildcards': PER_RELOAD,
  'src/proxy/tls-router.ts #exact': PER_RELOAD,
  'src/proxy/tls-router.ts #wildcards': PER_RELOAD,
  'src/upstream/endpoint-tls.ts #targets': 'one for each server name that an endpoint has; no request takes one out',
  'src/upstream/load.ts endpoints': PER_RELOAD,
  'src/upstream/load.ts suspecting': PER_RELOAD,
  'src/upstream/name-lookup.ts #asked': PER_RELOAD,
  'src/upstream/name-lookup.ts #known': PER_RELOAD,
  'src/upstream/recovery.ts #under':
    'at most 64 connections that the gateway tries while endpoints are out, once a second',
  'src/upstream/resolution.ts #seen': PER_RELOAD,
  'src/upstream/resolution.ts #users': PER_RELOAD,
  'src/observe/metrics.ts caches': PER_RELOAD,
  'src/observe/metrics.ts endpoints': PER_RELOAD,
  'src/observe/metrics.ts listeners': PER_RELOAD,
  'src/observe/metrics.ts mirrors': PER_RELOAD,
  'src/observe/metrics.ts names': PER_RELOAD,
  'src/observe/metrics.ts pools': PER_RELOAD,
  'src/observe/metrics.ts routes': PER_RELOAD,
  'src/observe/metrics.ts tlsRoutes': 'one for each TLS route',
  'src/observe/metrics.ts badRequests': 'nothing leaves it, and there are only so many statuses',
  'src/observe/events.ts #listeners': 'an operator enters it, not a request',
  'src/proxy/local-replies.ts problems': 'nothing leaves it, and there are only so many statuses',
  'src/runtime/snapshot/snapshot.ts listeners': PER_RELOAD,
  'src/runtime/snapshot/snapshot.ts listenerPolicies': PER_RELOAD,
  'src/runtime/snapshot/snapshot.ts pools': PER_RELOAD,
  'src/runtime/snapshot/snapshot.ts routes': PER_RELOAD,
  'src/runtime/snapshot/draining.ts #denied':
    'entered by what a reload leaves behind, and dropped as a whole with its generation',
  'src/runtime/snapshot/draining.ts #groupOf':
    'entered by what a reload leaves behind, and dropped as a whole with its generation',
  'src/runtime/snapshot/draining.ts #groups':
    'entered by what a reload leaves behind, and dropped as a whole with its generation',
  'src/runtime/snapshot/draining.ts #told':
    'entered by what a reload leaves behind, and dropped as a whole with its generation',
  'src/runtime/snapshot/draining.ts holders':
    'entered by what a reload leaves behind, and dropped as a whole with its generation',
  'src/kit/memoized.ts made': 'nothing leaves it: it is dropped as a whole',
  'src/cache/store/hit-for-miss.ts #newer': 'nothing leaves it: it is dropped as a whole',
  'src/cache/store/hit-for-miss.ts #older': 'nothing leaves it: it is dropped as a whole',
  'src/cache/store/store.ts LRUCache': 'its Map holds keys and numbers, and what is stored is old when it leaves',
  'src/cache/store/store.ts #keys': 'holds keys alone, and what is stored is old when it leaves',
  'src/cache/store/store.ts #tagged': 'holds keys alone, and what is stored is old when it leaves',
  'src/cache/disk/load.ts #byHash': 'dropped as a whole when the disk has been read',
  'src/cache/disk/purges.ts #hard': 'a purge enters it, not a request',
  'src/cache/disk/purges.ts #matchers': 'a purge enters it, not a request',
  'src/cache/disk/purges.ts #soft': 'a purge enters it, not a request',
};

/** They throw into the code of a module only, and its hook is caught (policies/module.ts). */
const THROWS_INTO_MODULES = ['src/http/guarded-exchange.ts', 'src/http/guarded-interception.ts'];

describe('garbage dies young', () => {
  test('no request, connection or fetch is kept in a Set or a Map', () => {
    const hot = files.filter((file) =>
      /^src\/(kit|net|http|upstream|cache|policies|proxy|observe)\/|^src\/runtime\/snapshot\/(snapshot|draining|retirement)\./.test(
        file,
      ),
    );
    const found = hot.flatMap((file) => {
      const text = textOf(file);
      // Fields, and what is kept beside all functions; a table of constants is neither. What a function makes is soon gone.
      const fields = text.matchAll(
        /^(?: {2}(?:readonly )?|(?: {2})?(?:const|let) )(#?\w+)(?:: [^=\n]+)? = new (?:Set|Map|WeakMap|WeakSet|FinalizationRegistry)\b(.*)/gm,
      );
      const kept = [...fields].filter(([line, , rest]) => !/^ *const/.test(line) || /^<[^>]*>+\(\)/.test(rest!));
      const names = kept.filter(([line]) => !line.startsWith('  const')).map(([, name]) => name!);
      if (/\bnew LRUCache\b/.test(text)) names.push('LRUCache');
      return [...new Set(names)].map((name) => `${file} ${name}`);
    });
    expect(found.toSorted()).toEqual(Object.keys(LASTING_TABLES).toSorted());
  });
});

describe('rooms', () => {
  test('a file says what it is before anything else', () => {
    expect(files.filter((file) => !textOf(file).startsWith('/*'))).toEqual([]);
  });

  test('a file is at most 400 lines, or it is known why', () => {
    const long = files.filter((file) => textOf(file).split('\n').length > 401);
    expect(long.filter((file) => LONG[file] === undefined)).toEqual([]);
    expect(Object.keys(LONG).filter((file) => !long.includes(file))).toEqual([]);
    expect(long.filter((file) => file !== 'src/config/schema.gen.ts' && textOf(file).split('\n').length > 600)).toEqual(
      [],
    );
  });

  test.each(['policies', 'upstream/strategies'])('everything in %s has its test', (folder) => {
    const own = new Set(['index', 'policy', 'strategy']);
    const names = globSync(`src/${folder}/*.ts`, { cwd: root })
      .map((file) => file.split('/').at(-1)!.replace('.ts', ''))
      .filter((name) => !own.has(name));
    expect(names.length).toBeGreaterThan(2);
    expect(names.filter((name) => !existsSync(join(root, `tests/${folder}/${name}.test.ts`)))).toEqual([]);
  });

  test.each(['policies', 'upstream/strategies'])('everything in %s has its schema', (folder) => {
    const own = new Set(['index', 'policy', 'strategy']);
    const names = globSync(`src/${folder}/*.ts`, { cwd: root })
      .map((file) => file.split('/').at(-1)!.replace('.ts', ''))
      .filter((name) => !own.has(name));
    const schemas = folder.split('/').at(-1)!;
    expect(names.filter((name) => !existsSync(join(root, `schemas/${schemas}/${name}.schema.json`)))).toEqual([]);
  });
});
