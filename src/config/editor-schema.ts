/**
 * The schema for editors: it describes configs as written, before short forms and references are expanded, in plain
 * JSON Schema. Cold.
 *
 * Validation sees a document with short forms written out and references replaced; an editor sees the text as typed. So
 * here a short form is an alternative, a single value may replace a list of one, and a reference may replace a number
 * or a choice.
 */
import type { SchemaNode } from './walk.ts';

type Json = Record<string, unknown>;

const REFERENCE: Json = { type: 'string', pattern: String.raw`^\$\{(env|file):[^}]+\}$` };

/** `schema`: the whole schema, as the generator bundles it. */
export function editorSchema(schema: object): object {
  const { $defs, ...rest } = schema as { $defs: Record<string, Json> };
  const spelled = Object.entries($defs).map(([name, node]) => [name, withTypes(node, $defs)] as const);
  return rewrite({ ...rest, $defs: Object.fromEntries(spelled) }, true);
}

/** A union with a short form lists its types: the short form may be one of them. */
function withTypes(node: Json, defs: Readonly<Record<string, Json>>): Json {
  const short = node['x-short'];
  if (typeof short !== 'string' || !Array.isArray(node['oneOf'])) return node;
  const types = (node['oneOf'] as SchemaNode[]).map(({ $ref = '' }) => {
    const member: SchemaNode = defs[$ref.replace('#/$defs/', '')] ?? {};
    return member.properties?.[short]?.const;
  });
  return { ...node, properties: { [short]: { enum: types } } };
}

function rewrite(node: Json, root = false): Json {
  const { discriminator, 'x-short': short, 'x-list': list, 'x-exactly-one': one, ...rest } = node;
  let out = mapValues(rest);
  if (Array.isArray(one)) out['oneOf'] = one.map((name) => ({ required: [name] }));
  if (out['format'] === 'size' || out['format'] === 'duration') out['type'] = ['string', 'integer'];
  // See walk.ts: free keys.
  if (out['additionalProperties'] === false) out['patternProperties'] = { '^x-': true };
  // Custom formats mean nothing to an editor; the description explains them.
  delete out['format'];
  delete out['x-reload'];
  delete out['x-says'];
  delete out['x-secret'];
  delete out['x-state'];
  delete out['x-above-zero'];
  if (discriminator !== undefined) out = { ...out, anyOf: out['oneOf'] };
  if (discriminator !== undefined) delete out['oneOf'];
  if (typeof short === 'string') {
    const inner = (node['properties'] as Record<string, SchemaNode>)[short] as Json;
    return { description: out['description'], anyOf: [rewrite(inner), out] };
  }
  if (list === true) {
    const { description, default: standard, ...array } = out;
    return {
      description,
      ...(standard === undefined ? {} : { default: standard }),
      anyOf: [rewrite(node['items'] as Json), array],
    };
  }
  const plain = out['enum'] !== undefined || ['integer', 'number', 'boolean'].includes(String(out['type']));
  if (!root && plain && out['const'] === undefined) {
    const { description, default: standard, ...value } = out;
    return { description, ...(standard === undefined ? {} : { default: standard }), anyOf: [value, REFERENCE] };
  }
  return out;
}

/** Rewrites every schema among the values: directly, in a list, or in a map by name. */
function mapValues(node: Json): Json {
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === 'properties' || key === '$defs') return [key, mapOf(value as Record<string, Json>)];
      if (key === 'oneOf') return [key, (value as Json[]).map((inner) => rewrite(inner))];
      if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object'))
        return [key, rewrite(value as Json)];
      return [key, value];
    }),
  );
}

function mapOf(schemas: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, rewrite(schema)]));
}
