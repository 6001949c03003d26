/**
 * Text to GatewayConfig: the stages in order. Cold.
 *
 *     read ─▶ parse ─▶ merge includes ─▶ references and short forms ─▶ validate, defaults ─▶ units
 *
 * Called by runtime/compile.ts and by `prozy check`. Throws a ConfigError if the files can't be read as a config at all;
 * other problems are handed on to plan/, which adds its own and throws.
 */
import { dirname, resolve } from 'node:path';
import { type Locate, readAndMerge } from './merge.ts';
import { configError, errorAt, inOrder, type Problem } from './problem.ts';
import { expand, isReference } from './references.ts';
import { salvage, type Salvaged, whole } from './salvage.ts';
import type { GatewayConfig } from './schema.gen.ts';
import { Sources } from './sources.ts';
import { validate } from './validate.ts';
import { convertUnits, rootSchema, type SchemaNode, writeOut } from './walk.ts';

export interface LoadedConfig {
  readonly config: GatewayConfig;
  readonly locate: Locate;
  /** Text of every config file read, for showing lines. */
  readonly texts: ReadonlyMap<string, string>;
  /** Found so far. If there are any, the config is what could be salvaged, to find what else is wrong. */
  readonly problems: readonly Problem[];
  readonly salvaged: Salvaged;
  /** What references stand for, and what the schema calls secret: never shown. */
  readonly secrets: readonly string[];
  /** Pointers of what the schema calls secret and is written as it is, not as a reference. */
  readonly openSecrets: readonly string[];
}

export interface LoadInput {
  /** Absolute path. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sources: Sources;
  /** Called when all files have been read and parsed. */
  readonly parsed?: () => void;
}

export function loadConfig({ file, env, sources, parsed }: LoadInput): LoadedConfig {
  const merged = readAndMerge(file, sources);
  const { locate } = merged;
  // Only files of configs are shown, never what `${file:…}` names.
  const texts = new Map<string, string>();
  for (const path of sources.files) texts.set(path, sources.read(path) ?? '');
  if (merged.broken) throw configError(merged.problems, texts);
  parsed?.();
  const problems: Problem[] = [...merged.problems];
  const hidden = new Map<string, string>();
  const literal: string[] = [];
  const openSecrets: string[] = [];
  const scope = { env, readFile: (path: string) => sources.read(path) };
  const written = writeOut(merged.value, rootSchema, '', (text, pointer, schema) => {
    if (schema['x-secret'] === true) {
      hidden.set(pointer, text);
      if (text !== '' && !isReference(text)) {
        literal.push(text);
        openSecrets.push(pointer);
      }
    }
    if (!text.includes('${')) return text;
    const place = locate(pointer);
    const value = expand(text, place.file, scope, (message) => problems.push(errorAt(place, pointer, message)));
    if (value === text) return text;
    hidden.set(pointer, value);
    return isReference(text) ? asWanted(value, schema) : value;
  }) as Record<string, unknown>;
  blacken(literal, texts);
  problems.push(...validate(written, locate, (pointer) => hidden.has(pointer)));
  const salvaged = problems.length === 0 ? whole(written) : salvage(written, problems);
  // What the schema says of the rest has been said.
  if (problems.length > 0 && validate(salvaged.document, locate, () => true).length > 0)
    throw configError(inOrder(problems), texts);
  convertUnits(salvaged.document, rootSchema);
  // Validated against the schema that the type was generated from.
  const config = withAbsolutePaths(salvaged.document as unknown as GatewayConfig, locate);
  return { config, locate, texts, problems, salvaged, secrets: [...hidden.values()], openSecrets };
}

/** Puts stars in place of secrets that stand in a file as they are; a reference may be seen. */
function blacken(secrets: readonly string[], texts: Map<string, string>): void {
  // One may be a part of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length))
    for (const [path, text] of texts) texts.set(path, text.replaceAll(secret, '*'.repeat(secret.length)));
}

/** The text of a reference where the schema wants a number or a boolean. */
function asWanted(text: string, schema: SchemaNode): unknown {
  if ((schema.type === 'integer' || schema.type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** Paths are relative to the file that names them. */
function withAbsolutePaths(config: GatewayConfig, locate: Locate): GatewayConfig {
  const absolute = (pointer: string, path: string): string => resolve(dirname(locate(pointer).file), path);
  const { logging, reload } = config;
  const path = logging.access?.path;
  const access =
    path === undefined || path === 'stdout' || path === 'stderr'
      ? {}
      : { access: { path: absolute('/logging/access/path', path) } };
  const state = reload.state_dir === undefined ? {} : { state_dir: absolute('/reload/state_dir', reload.state_dir) };
  return { ...config, logging: { ...logging, ...access }, reload: { ...reload, ...state } };
}
