/** `If-Match` (RFC 9110 §13.1.1). Cold. */

/** Returns a test for a tag; null if the field is malformed. Weak tags match nothing (RFC 9110 §8.8.3.2). */
export function matches(field: string): ((tag: string) => boolean) | null {
  if (field.trim() === '*') return () => true;
  const tags = field.split(',').map((one) => one.trim());
  if (!tags.every((one) => /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(one))) return null;
  return (tag) => tags.includes(tag);
}
