/** What the numbers of a setting count, and whether changing it resets state, as the schema says. Cold. */
import { resolveSchema, rootSchema, type SchemaNode } from '../../config/walk.ts';

/** Where the settings of a kind of thing are described, if not in the definition of that name. */
const DEFINITIONS: Readonly<Record<string, string>> = { limits: 'gateway-limits', check: 'active-check' };

function schemaOf(kind: string, setting: string): SchemaNode {
  const root = rootSchema.$defs?.[DEFINITIONS[kind] ?? kind] ?? {};
  return setting.split('.').reduce<SchemaNode>((node, key) => inner(resolveSchema(node, {}), key), root);
}

function inner(schema: SchemaNode, key: string): SchemaNode {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key]!;
  // An item of a list of unions is known by its type.
  if (schema.items !== undefined) return resolveSchema(schema.items, { type: key.replace(/#\d+$/, '') });
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
}

const UNITS: Readonly<Record<string, 'ms' | 'bytes'>> = { duration: 'ms', size: 'bytes' };

export function unitOf(kind: string, setting: string): 'ms' | 'bytes' | null {
  return UNITS[schemaOf(kind, setting).format ?? ''] ?? null;
}

/** Does changing it leave lasting state as it is? */
export function keepsState(kind: string, setting: string): boolean {
  return schemaOf(kind, setting)['x-reload'] === 'keep';
}
