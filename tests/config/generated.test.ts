/** What is derived from the schemas is what the tree holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { generated } from '../../schemas/generate.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each(Object.entries(generated()))('%s is up to date: npm run generate', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text);
});
