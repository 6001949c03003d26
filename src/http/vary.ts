/** The Vary field: what of the request a response depends on (RFC 9110 §12.5.5). Hot. */
import type { Fields } from './fields.ts';
import { OTHER } from './known.ts';

/** Adds a line to Vary, unless that has its name already, or "*". `name` is in lower case. */
export function addVary(fields: Fields, name: string, line: string): void {
  const vary = fields.get('vary');
  if (vary === undefined || !lists(vary, name)) fields.addLine(line, OTHER);
}

function lists(vary: string, name: string): boolean {
  for (const part of vary.split(',')) {
    const one = part.trim();
    if (one === '*' || one.toLowerCase() === name) return true;
  }
  return false;
}
