/**
 * Walks a document along its schema, for steps that JSON Schema does not cover. Cold.
 *
 * Before validation it writes out short forms (`x-short`, `x-list`), replaces references and removes free keys. After
 * validation it converts durations and sizes to numbers.
 */
import { parseDuration, parseSize } from '../kit/units.ts';
import { schema as bundled } from './schema.gen.ts';

export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly 'x-short'?: string;
  readonly 'x-secret'?: boolean;
  readonly 'x-list'?: boolean;
  /** A number may be written instead of the text. */
  readonly 'x-number'?: boolean;
  /** A duration that must not be 0: the effect of 0, or the setting to use instead. */
  readonly 'x-above-zero'?: string;
  readonly 'x-reload'?: string;
  /** The kind of lasting state that this node describes. */
  readonly 'x-state'?: string;
}

/** The most references in a row, in schemas that are not our own. */
const MOST_REFS = 100;

// The generator wrote it in this form.
export const rootSchema = bundled as SchemaNode;

function follow(node: SchemaNode, root: SchemaNode): SchemaNode {
  let schema = node;
  for (let i = 0; schema.$ref !== undefined && i < MOST_REFS; i++)
    schema = root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? {};
  return schema;
}

/**
 * The schema that describes a value: follows references, and selects a union's member by `type`. `root`: the schema in
 * which references are looked up.
 */
export function resolveSchema(node: SchemaNode, value: unknown, root = rootSchema): SchemaNode {
  const schema = follow(node, root);
  if (schema.oneOf === undefined) return schema;
  const type = isRecord(value) ? value['type'] : undefined;
  return (
    schema.oneOf
      .map((one) => resolveSchema(one, value, root))
      .find((one) => one.properties?.['type']?.const === type) ?? {}
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One segment of a JSON Pointer (RFC 6901 §3). */
export function segment(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}

type Text = (text: string, pointer: string, schema: SchemaNode) => unknown;

/** Returns a copy with short forms written out; `text` gives each string's value. */
export function writeOut(
  value: unknown,
  node: SchemaNode,
  pointer: string,
  text: Text,
  root: SchemaNode = rootSchema,
): unknown {
  const schema = resolveSchema(node, value, root);
  if (schema['x-list'] === true && typeof value === 'string')
    return [writeOut(value, schema.items ?? {}, pointer, text, root)];
  // The short form is the union's own: before it is written out, its member is unknown.
  const short = schema['x-short'] ?? follow(node, root)['x-short'];
  if (short !== undefined && !isRecord(value) && !Array.isArray(value)) {
    const inner = schema.properties?.[short] ?? {};
    return { [short]: typeof value === 'string' ? text(value, pointer, inner) : value };
  }
  if (typeof value === 'string') return text(value, pointer, schema);
  // A bare number is a size in bytes; a bare 0 is a zero duration.
  if (typeof value === 'number' && (schema.format === 'size' || (schema.format === 'duration' && value === 0)))
    return String(value);
  if (typeof value === 'number' && schema['x-list'] === true) return [String(value)];
  if (typeof value === 'number' && schema['x-number'] === true) return String(value);
  if (Array.isArray(value))
    return value.map((one, i) => writeOut(one, schema.items ?? {}, `${pointer}/${i}`, text, root));
  if (!isRecord(value)) return value;
  const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  const written = Object.entries(value).filter(([key]) => !isFree(key, schema));
  const entries = written.map(([key, one]) => {
    const inner =
      schema.properties !== undefined && Object.hasOwn(schema.properties, key) ? schema.properties[key]! : rest;
    return [key, writeOut(one, inner, `${pointer}/${segment(key)}`, text, root)] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Keys that begin with `x-` are free, for YAML anchors and other uses: they are ignored beside settings, but are names
 * in maps.
 */
function isFree(key: string, { properties, additionalProperties: others }: SchemaNode): boolean {
  return (
    key.startsWith('x-') && properties !== undefined && typeof others !== 'object' && !Object.hasOwn(properties, key)
  );
}

/** Converts durations and sizes of a valid document to milliseconds and bytes, in place. */
export function convertUnits(value: unknown, node: SchemaNode, root: SchemaNode = rootSchema): void {
  const schema = resolveSchema(node, value, root);
  if (Array.isArray(value)) {
    for (const one of value) convertUnits(one, schema.items ?? {}, root);
    return;
  }
  if (!isRecord(value)) return;
  const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  for (const [key, one] of Object.entries(value)) {
    const inner = schema.properties?.[key] ?? rest;
    if (typeof one !== 'string') convertUnits(one, inner, root);
    else if (inner.format === 'duration') value[key] = parseDuration(one);
    else if (inner.format === 'size') value[key] = parseSize(one);
  }
}
