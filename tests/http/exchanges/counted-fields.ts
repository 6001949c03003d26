/** Stands in for http/fields-pool.ts: knows which Fields are in use, and refuses those that are given back twice. */
import { Fields } from '../../../src/http/fields.ts';

const inUse = new Set<Fields>();

export function takeFields(): Fields {
  const fields = new Fields();
  inUse.add(fields);
  return fields;
}

export function giveFields(fields: Fields): void {
  if (!inUse.delete(fields)) throw new Error('fields that are not in use are given back');
  // A later reader finds nothing.
  fields.reset();
}

/** The number of Fields in use; forgets them. */
export function fieldsInUse(): number {
  const { size } = inUse;
  inUse.clear();
  return size;
}
