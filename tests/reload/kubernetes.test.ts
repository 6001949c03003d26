/** A config in ConfigMaps and Secrets as the kubelet mounts and swaps them: every version is seen, and none is torn. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startGateway, type RunningGateway } from '../../src/admin/start.ts';
import { ConfigReader } from '../../src/config/config-reader.ts';
import { compileOnce } from '../../src/runtime/compile/compile.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Log } from '../../src/observe/log.ts';
import { until } from '../support/gateway.ts';
import { KubeletVolume, type Payload } from '../support/kubelet-volume.ts';

const SWAPS = 100;

let folder = '';
let running: RunningGateway | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-kubelet-'));
});

afterEach(async () => {
  await running?.close(0);
  running = null;
  rmSync(folder, { recursive: true });
});

/** Every file says the version, and there are more or fewer of them from one to the next. */
function configOf(version: number): Payload {
  const files: Record<string, string> = {
    'gateway.yaml': `version: 1
include: ["routes-*.yaml"]
listeners: { web: { address: "127.0.0.1:0" } }
routes:
  - { name: root, match: { path: /root }, respond: { body: "v${version}" } }
  - { name: secret, match: { path: /secret }, respond: { body: "\${file:../secret/token}" } }
`,
  };
  for (let i = 0; i < filesOf(version); i++) {
    files[`routes-${i}.yaml`] =
      `routes: [{ name: route-${i}, match: { path: /${i} }, respond: { body: "v${version}" } }]\n`;
  }
  return files;
}

function filesOf(version: number): number {
  return 1 + (version % 4);
}

/** What the routes in effect answer, but for the secret; and how many there are. */
function inEffect(gateway: RunningGateway['gateway']): { versions: string[]; secret: string } {
  const bodies = (gateway.current?.plan.routes ?? []).map(({ name, action }) => ({
    name,
    body: action.type === 'respond' ? action.body : '',
  }));
  return {
    versions: bodies.filter(({ name }) => name !== 'secret').map(({ body }) => body),
    secret: bodies.find(({ name }) => name === 'secret')?.body ?? '',
  };
}

function wholeVersion(version: number): string[] {
  return Array.from({ length: 1 + filesOf(version) }, () => `v${version}`);
}

async function start(): Promise<{ config: KubeletVolume; secret: KubeletVolume; seen: string[][] }> {
  const config = new KubeletVolume(join(folder, 'config'));
  const secret = new KubeletVolume(join(folder, 'secret'));
  secret.write({ token: 's0' });
  config.write(configOf(0));
  running = await startGateway(join(config.directory, 'gateway.yaml'), { log: new Log(systemClock, () => {}) });
  const { gateway } = running;
  const seen: string[][] = [];
  gateway.events.listen((event) => {
    if (event.type !== 'reload') return;
    expect(event.result, String(event.problem)).not.toBe('failed');
    if (event.result === 'applied') seen.push(inEffect(gateway).versions);
  });
  return { config, secret, seen };
}

describe.each([{ linksFirst: false }, { linksFirst: true }])('mounted volumes (links first: $linksFirst)', (steps) => {
  test(`${SWAPS} swaps in a row are all seen, and none is torn`, { timeout: 60_000 }, async () => {
    const { config, secret, seen } = await start();
    const { gateway } = running!;
    for (let version = 1; version <= SWAPS; version++) {
      config.write(configOf(version), steps);
      await until(() => inEffect(gateway).versions[0] === `v${version}`, `version ${version} is in effect`);
      if (version % 10 > 0) continue;
      secret.write({ token: `s${version}` }, steps);
      await until(() => inEffect(gateway).secret === `s${version}`, `secret ${version} is in effect`);
    }
    for (const versions of seen) expect(versions).toEqual(wholeVersion(Number(versions[0]!.slice(1))));
    expect(new Set(seen.map(([version]) => version)).size).toBe(SWAPS);
  });

  test('swaps that overtake the reading end in the last one, and nothing between is torn', {
    timeout: 60_000,
  }, async () => {
    const { config, seen } = await start();
    const { gateway } = running!;
    const payloads = Array.from({ length: SWAPS }, (_, i) => configOf(i + 1));
    const thread = new Worker(new URL('../support/kubelet-thread.ts', import.meta.url), {
      workerData: { directory: config.directory, payloads, ...steps },
    });
    await once(thread, 'exit');
    await until(() => inEffect(gateway).versions[0] === `v${SWAPS}`, 'the last version is in effect');
    for (const versions of seen) expect(versions).toEqual(wholeVersion(Number(versions[0]!.slice(1))));
  });
});

describe('one load', () => {
  /** All that a load reads of the volume while it is swapped after the step of the given number. */
  function readWhileSwapped(step: number, linksFirst: boolean): { texts: (string | null)[]; steps: number } {
    const volume = new KubeletVolume(join(folder, `volume-${step}-${linksFirst}`));
    const path = (name: string): string => join(volume.directory, name);
    volume.write({ a: 'old', b: 'old', 'x-0': 'old' });
    const reader = new ConfigReader();
    const texts: (string | null)[] = [reader.read(path('a'))];
    let steps = 0;
    volume.write(
      { a: 'new', b: 'new', 'x-1': 'new' },
      {
        linksFirst,
        after: () => {
          if (steps++ !== step) return;
          texts.push(reader.read(path('b')));
          for (const found of reader.glob(path('x-*'))) texts.push(reader.read(found));
        },
      },
    );
    return { texts, steps };
  }

  test.each([false, true])('reads one version wherever the swap is at (links first: %s)', (linksFirst) => {
    const { steps } = readWhileSwapped(-1, linksFirst);
    expect(steps).toBeGreaterThan(6);
    for (let step = 0; step < steps; step++) {
      const { texts } = readWhileSwapped(step, linksFirst);
      // The old one whole or, when it has been removed meanwhile, not there: never a part of the new.
      if (step < steps - 1) expect(texts, `step ${step}`).toEqual(['old', 'old', 'old']);
      else expect(texts).not.toContain('new');
    }
  });

  test.each([false, true])('that begins within a swap reads one version too (links first: %s)', (linksFirst) => {
    const volume = new KubeletVolume(join(folder, 'begins'));
    const path = (name: string): string => join(volume.directory, name);
    volume.write({ a: 'old', 'x-0': 'old' });
    const seen: string[] = [];
    const look = (): void => {
      const reader = new ConfigReader();
      const found = reader.glob(path('x-*'));
      expect(found).toHaveLength(1);
      const texts = [path('a'), ...found].map((file) => reader.read(file));
      expect(new Set(texts).size, String(texts)).toBe(1);
      seen.push(String(texts[0]));
    };
    volume.write({ a: 'new', 'x-1': 'new' }, { linksFirst, after: look });
    expect(seen).toContain('old');
    expect(seen.at(-1)).toBe('new');
  });

  test('a link that leads to itself is a file that is not there', () => {
    const path = join(folder, 'itself');
    symlinkSync('itself', path);
    expect(new ConfigReader().read(path)).toBeNull();
  });

  test('what lies in a volume beside its versions is read as it is', () => {
    const volume = new KubeletVolume(join(folder, 'volume'));
    volume.write({ a: 'of the version', b: 'of the version' });
    unlinkSync(join(volume.directory, 'b'));
    writeFileSync(join(volume.directory, 'b'), 'laid beside');
    const reader = new ConfigReader();
    expect(['a', 'b', 'c'].map((name) => reader.read(join(volume.directory, name)))).toEqual([
      'of the version',
      'laid beside',
      null,
    ]);
  });
});

test('the example for Kubernetes, mounted as its deployment says, is a config without problems', () => {
  const example = (name: string): string =>
    readFileSync(new URL(`../../examples/kubernetes/${name}`, import.meta.url), 'utf8');
  // Both are files of ours; what the test needs of them it checks.
  const kustomization = parse(example('kustomization.yaml')) as {
    configMapGenerator: { files: string[] }[];
    secretGenerator: { literals: string[] }[];
  };
  const config = kustomization.configMapGenerator[0]!.files;
  const secret = kustomization.secretGenerator[0]!.literals.map((literal): [string, string] => {
    const at = literal.indexOf('=');
    return [literal.slice(0, at), literal.slice(at + 1)];
  });
  new KubeletVolume(join(folder, 'etc/prozy')).write(Object.fromEntries(config.map((name) => [name, example(name)])));
  new KubeletVolume(join(folder, 'etc/prozy-secrets')).write(Object.fromEntries(secret));
  for (const path of ['/etc/prozy', '/etc/prozy-secrets'])
    expect(example('deployment.yaml')).toContain(`mountPath: ${path},`);
  const { plan, report } = compileOnce(join(folder, 'etc/prozy/gateway.yaml'), {});
  expect(report).toBe('');
  expect(plan?.routes.map(({ name }) => name)).toEqual(['app']);
  // The cookie's value is signed with what the Secret holds.
  const signed = createHmac('sha256', secret[0]![1]).update('app.default.svc.cluster.local:80').digest('hex');
  const id = Buffer.from(plan!.pools[0]!.sticky!.ids[0]!, 'base64url').toString('hex');
  expect(id).not.toBe('');
  expect(signed.startsWith(id)).toBe(true);
});
