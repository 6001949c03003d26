/**
 * Text to GatewayConfig: the stages in order. Cold.
 *
 *     read ─▶ parse ─▶ merge includes ─▶ references and short forms ─▶ validate, defaults ─▶ units
 *
 * Called by runtime/compile.ts and by `prozy check`. Throws a ConfigError with every problem found.
 */
import { dirname, resolve } from 'node:path';
import { type Locate, readAndMerge } from './merge.ts';
import { configError, type Problem } from './problem.ts';
import { expand, isReference } from './references.ts';
import type { GatewayConfig } from './schema.gen.ts';
import { Sources } from './sources.ts';
import { validate } from './validate.ts';
import { convertUnits, rootSchema, type SchemaNode, writeOut } from './walk.ts';

export interface LoadedConfig {
  readonly config: GatewayConfig;
  readonly locate: Locate;
  /** Text of every config file read, for showing lines. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface LoadInput {
  /** Absolute path. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sources: Sources;
}

export function loadConfig({ file, env, sources }: LoadInput): LoadedConfig {
  const merged = readAndMerge(file, sources);
  const { locate } = merged;
  // Only files of configs are shown, never what `${file:…}` names.
  const texts = new Map<string, string>();
  for (const path of sources.files) texts.set(path, sources.read(path) ?? '');
  if (merged.problems.length > 0) throw configError(merged.problems, texts);
  const problems: Problem[] = [];
  const hidden = new Set<string>();
  const scope = { env, readFile: (path: string) => sources.read(path) };
  const document = writeOut(merged.value, rootSchema, '', (text, pointer, schema) => {
    if (!text.includes('${')) return text;
    const place = locate(pointer);
    const value = expand(text, place.file, scope, (message) => problems.push({ ...place, pointer, message }));
    if (value === text) return text;
    hidden.add(pointer);
    return isReference(text) ? asWanted(value, schema) : value;
  });
  problems.push(...validate(document, locate, (pointer) => hidden.has(pointer)));
  if (problems.length > 0) throw configError(inOrder(problems), texts);
  convertUnits(document, rootSchema);
  // Validated against the schema that the type was generated from.
  const config = document as GatewayConfig;
  return { config: withAbsolutePaths(config, locate), locate, texts };
}

/** The text of a reference where the schema wants a number or a boolean. */
function asWanted(text: string, schema: SchemaNode): unknown {
  if ((schema.type === 'integer' || schema.type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
  );
}

/** Paths are relative to the file that names them. */
function withAbsolutePaths(config: GatewayConfig, locate: Locate): GatewayConfig {
  const { access } = config.logging;
  if (access === undefined || access.path === 'stdout' || access.path === 'stderr') return config;
  const path = resolve(dirname(locate('/logging/access/path').file), access.path);
  return { ...config, logging: { ...config.logging, access: { path } } };
}
