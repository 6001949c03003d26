/** The unit of a numeric setting, and whether changing the setting resets state, as the schema says. Cold. */
import { resolveSchema, rootSchema, type SchemaNode } from '../../config/walk.ts';

/** The schema definition of a kind, if it is not the definition of that name. */
const DEFINITIONS: Readonly<Record<string, string>> = { limits: 'gateway-limits', check: 'active-check' };

function schemaOf(kind: string, setting: string): SchemaNode {
  const root = rootSchema.$defs?.[DEFINITIONS[kind] ?? kind] ?? {};
  return setting.split('.').reduce<SchemaNode>((node, key) => inner(resolveSchema(node, {}), key), root);
}

function inner(schema: SchemaNode, key: string): SchemaNode {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key]!;
  // The type selects the schema of an item in a list of unions.
  if (schema.items !== undefined) return resolveSchema(schema.items, { type: key.replace(/#\d+$/, '') });
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
}

const UNITS: Readonly<Record<string, 'ms' | 'bytes'>> = { duration: 'ms', size: 'bytes' };

export function unitOf(kind: string, setting: string): 'ms' | 'bytes' | null {
  return UNITS[schemaOf(kind, setting).format ?? ''] ?? null;
}

/** Whether lasting state survives a change of the setting. */
export function keepsState(kind: string, setting: string): boolean {
  return schemaOf(kind, setting)['x-reload'] === 'keep';
}
