/** Tests that are required or optimal and missed, each with its reason. */
import { readFileSync } from 'node:fs';

export const MISSED = JSON.parse(readFileSync(new URL('./missed.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;
