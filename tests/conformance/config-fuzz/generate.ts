/** Files that might be configs: real ones spoilt in every way, and what was never one. The same for the same seed. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../src/kit/random.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export type Format = 'yaml' | 'json' | 'json5';

export interface Spoilt {
  /** How it was made, for the report. */
  readonly kind: string;
  readonly bytes: Buffer;
}

/** Every config of the repository in that format, with its addresses on this machine. */
export function seedsOf(format: Format): readonly string[] {
  const files = globSync(`{configs,examples/**,tests/golden/{good,bad,diff,explain}/**}/*.{yaml,yml,json,json5}`, {
    cwd: root,
  });
  const wanted = files.filter((file) => file.endsWith(`.${format}`) && !file.endsWith('.plan.json')).toSorted();
  const texts = wanted.map((file) => readFileSync(join(root, file), 'utf8'));
  return texts.map((text) => text.replaceAll(/0\.0\.0\.0|\[::\]/g, '127.0.0.1'));
}

const PIECES = [
  '',
  '\0',
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  ',',
  '"',
  "'",
  '\n',
  '\t',
  '\r',
  '- ',
  '&a ',
  '*a',
  '<<: *a',
  '!!js/function ',
  '!!binary ',
  '${',
  '}',
  '${env:X}',
  '${env:HOME}',
  '${file:/dev/zero}',
  '${file:/proc/self/environ}',
  '${file:.}',
  '~',
  'null',
  '0x',
  '1e999',
  '-1',
  '.nan',
  '9007199254740993',
  '\u{1f600}',
  '\ud800',
  '\u2028',
  '#',
  '|',
  '>',
  '?',
  '%',
  '---\n',
  '...\n',
  'include: ["**/*"]\n',
  'include: ["/dev/zero"]\n',
  'include: ["gateway.*"]\n',
  '__proto__: 1\n',
  'constructor: {}\n',
  '"__proto__": {"x": 1},',
  '(a+)+$',
  '((((',
  '[a-',
  '/',
  '..',
  '/../../',
  '*',
  '**',
] as const;

type Make = (random: Random, seeds: readonly string[], format: Format) => Buffer;

const below = (random: Random, bound: number): number => Math.floor(random() * bound);
const among = <T>(random: Random, all: readonly T[]): T => all[below(random, all.length)]!;
const text = (value: string): Buffer => Buffer.from(value, 'utf8');

function inserted(seed: string, random: Random): string {
  let spoilt = seed;
  for (let i = below(random, 4); i >= 0; i--) {
    const at = below(random, spoilt.length + 1);
    spoilt = spoilt.slice(0, at) + among(random, PIECES) + spoilt.slice(at + below(random, 4));
  }
  return spoilt;
}

function lines(seed: string, random: Random): string {
  const all = seed.split('\n');
  for (let i = below(random, 3); i >= 0; i--) {
    const at = below(random, all.length);
    const [line = ''] = all.splice(at, 1);
    const how = below(random, 4);
    if (how === 1) all.splice(below(random, all.length + 1), 0, line);
    if (how === 2) all.splice(at, 0, line, line);
    if (how === 3) all.splice(at, 0, `${' '.repeat(below(random, 5))}${line.trimStart()}`);
  }
  return all.join('\n');
}

function values(seed: string, random: Random): string {
  const found = [...seed.matchAll(/[A-Za-z0-9_./"-]+/g)];
  const at = found.length === 0 ? null : among(random, found);
  if (at === null) return seed;
  return (
    seed.slice(0, at.index) +
    among(random, [...PIECES, 'true', '7', '1s', '[]', '{}', '"x"', 'x'.repeat(300)]) +
    seed.slice(at.index + at[0].length)
  );
}

function flipped(seed: string, random: Random): Buffer {
  const bytes = text(seed);
  for (let i = below(random, 8); i >= 0 && bytes.length > 0; i--)
    bytes[below(random, bytes.length)] = below(random, 256);
  return bytes;
}

function garbage(random: Random): Buffer {
  const bytes = Buffer.alloc(below(random, 5000));
  for (let i = 0; i < bytes.length; i++) bytes[i] = below(random, 256);
  const heads = ['\x7fELF', '\x1f\x8b\x08', 'PK\x03\x04', '\x89PNG\r\n', '%PDF-1.7\n', '#!/bin/sh\n', ''];
  return Buffer.concat([Buffer.from(among(random, heads), 'latin1'), bytes]);
}

function encoded(seed: string, random: Random): Buffer {
  const how = below(random, 5);
  if (how === 0) return Buffer.from(seed, 'utf16le');
  if (how === 1) return Buffer.from(`\ufeff${seed}`, 'utf16le').swap16();
  if (how === 2) return Buffer.from(`${seed}\n# é\n`, 'latin1');
  if (how === 3) return Buffer.concat([text(seed), Buffer.from([0xc0, 0xaf])]);
  return text(`\ufeff\ufeff${seed}`);
}

/** Aliases of aliases, and merges of merges. */
function bomb(random: Random): Buffer {
  const [levels, width] = [2 + below(random, 30), 2 + below(random, 12)];
  const merge = random() < 0.3;
  const level = (i: number): string =>
    merge
      ? `a${i}: &a${i} {<<: [${`*a${i - 1},`.repeat(width)}], k${i}: 1}`
      : `a${i}: &a${i} [${`*a${i - 1},`.repeat(width)}]`;
  const first = merge ? 'a0: &a0 {x: 1}' : 'a0: &a0 [x]';
  const loop = random() < 0.2 ? '\nb: &b [*b]' : '';
  return text(`${first}\n${Array.from({ length: levels }, (_, i) => level(i + 1)).join('\n')}${loop}\nversion: 1\n`);
}

function nested(random: Random, format: Format): Buffer {
  const depth = among(random, [50, 99, 101, 1000, 20_000]);
  const ended = random() < 0.5;
  if (format === 'yaml' && random() < 0.3) return text(`version: 1\nx: ${'- '.repeat(depth)}1\n`);
  if (random() < 0.5) return text(`{"version": ${'['.repeat(depth)}${ended ? `${']'.repeat(depth)}}` : ''}`);
  return text(`{"version": 1, "acls": ${'{"a":'.repeat(depth)}1${ended ? `${'}'.repeat(depth)}}` : ''}`);
}

function huge(random: Random, format: Format): Buffer {
  const how = below(random, 6);
  const size = among(random, [20_000, 200_000]);
  if (how === 0) return text(`{"version": "${'x'.repeat(size * 5)}"}`);
  if (how === 1) return text(`{"version": 1, ${Array.from({ length: size / 50 }, (_, i) => `"k${i}": ${i}`).join()}}`);
  if (how === 2) {
    const routes = Array.from(
      { length: size / 200 },
      (_, i) => `{"name": "r${i % 700}", "match": {"path": "/r${i}"}, "pool": "p${i}"}`,
    );
    return text(`{"version": 1, "routes": [${routes.join()}]}`);
  }
  if (how === 3) return Buffer.alloc(size, among(random, ['\n', ' ', '#', '\0', 'a', '- ', '"']));
  if (how === 4) return text(`${format === 'yaml' ? '# ' : '// '}${'x'.repeat(size)}\n{"version": 1, "listeners": 7}`);
  return Buffer.alloc(size === 20_000 ? size : 33 * 1024 * 1024, '{"a": ');
}

const KINDS: readonly (readonly [kind: string, weight: number, make: Make])[] = [
  [
    'cut off',
    22,
    (random, seeds) => {
      const seed = text(among(random, seeds));
      return seed.subarray(0, below(random, seed.length));
    },
  ],
  ['pieces put in', 20, (random, seeds) => text(inserted(among(random, seeds), random))],
  ['lines moved', 14, (random, seeds) => text(lines(among(random, seeds), random))],
  ['values replaced', 16, (random, seeds) => text(values(among(random, seeds), random))],
  ['bytes changed', 8, (random, seeds) => flipped(among(random, seeds), random)],
  [
    'two spliced',
    6,
    (random, seeds) => {
      const [a, b] = [among(random, seeds), among(random, seeds)];
      return text(a.slice(0, below(random, a.length)) + b.slice(below(random, b.length)));
    },
  ],
  ['another encoding', 4, (random, seeds) => encoded(among(random, seeds), random)],
  ['garbage', 4, (random) => garbage(random)],
  ['alias bomb', 2, (random) => bomb(random)],
  ['nested', 2, (random, _, format) => nested(random, format)],
  ['huge', 1, (random, _, format) => huge(random, format)],
  ['as it was', 1, (random, seeds) => text(among(random, seeds))],
];

const WEIGHT = KINDS.reduce((sum, [, weight]) => sum + weight, 0);

export function spoil(random: Random, seeds: readonly string[], format: Format): Spoilt {
  let at = random() * WEIGHT;
  for (const [kind, weight, make] of KINDS) {
    at -= weight;
    if (at < 0) return { kind, bytes: make(random, seeds, format) };
  }
  return { kind: 'nothing', bytes: Buffer.alloc(0) };
}
