/** The tags of a response, for purges: the words of Surrogate-Key and of Cache-Tag. Hot, once per fetch. */
import type { Fields } from '../../http/fields.ts';

/** Further tags are ignored. */
const MOST_TAGS = 256;
const NO_TAGS: readonly string[] = [];

export function tagsOf(fields: Fields): readonly string[] {
  const keys = fields.get('surrogate-key');
  const tags = fields.get('cache-tag');
  if (keys === undefined && tags === undefined) return NO_TAGS;
  const all = new Set<string>();
  // Spaces separate keys, commas separate tags; lines of the same name are joined by a comma and a space.
  for (const key of keys?.split(/[\t ,]+/, MOST_TAGS) ?? []) all.add(key);
  for (const tag of tags?.split(',', MOST_TAGS) ?? []) all.add(tag.trim());
  all.delete('');
  return [...all].slice(0, MOST_TAGS);
}
