/**
 * Derives the identity of lasting state from the config that describes it. Cold.
 *
 * The schema splits a config node: fields marked `x-reload: keep` are tuning, all others are shape. The identity
 * consists of kind, name and a digest of the shape. A forgotten mark therefore costs a reset, and never shares state
 * between different shapes.
 */
import { canonical, digestOf } from '../kit/canonical.ts';
import type { Claim } from '../kit/claim.ts';
import { isRecord, resolveSchema, rootSchema, type SchemaNode } from '../config/walk.ts';

/** The claim for the state that `node` describes, a value of the schema `$defs/<definition>`. */
export function claimOf(kind: string, name: string, definition: string, node: object): Claim {
  const schema = rootSchema.$defs?.[definition];
  if (schema === undefined) throw new Error(`no such definition: ${definition}`);
  return claimOfShape(kind, name, shapeOf(node, schema));
}

/** The claim for state whose shape is given directly. */
export function claimOfShape(kind: string, name: string, shape: unknown): Claim {
  const text = canonical(shape);
  return { kind, name, identity: `${kind}:${name}:${text.length < 64 ? text : digestOf(shape)}` };
}

/** The claim for state of the same kind and shape under another name. */
export function claimLike({ kind, name: old, identity }: Claim, name: string): Claim {
  return { kind, name, identity: `${kind}:${name}${identity.slice(kind.length + 1 + old.length)}` };
}

/**
 * The claim that `claim`, inside the pool `pool`, had when the pool was called `old`; null: the pool keeps its name.
 */
export function claimBefore(claim: Claim, pool: string, old: string | null): Claim | null {
  return old === null ? null : claimLike(claim, `${old}${claim.name.slice(pool.length)}`);
}

function shapeOf(node: object, schema: SchemaNode): Record<string, unknown> {
  const shape: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node) as [string, unknown][]) {
    const inner = schema.properties?.[key];
    if (inner?.['x-reload'] === 'keep') continue;
    const resolved = inner === undefined ? {} : resolveSchema(inner, value);
    shape[key] = isRecord(value) && resolved.properties !== undefined ? shapeOf(value, resolved) : value;
  }
  return shape;
}
