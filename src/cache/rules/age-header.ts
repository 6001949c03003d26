/**
 * The field lines that depend on the time of a cached reply: Age (RFC 9111 §5.1) and Cache-Status. Hot.
 *
 * Many replies have the same age and the same freshness left; their text is built once and kept for a while.
 */
import { detachString } from '../../kit/detach-string.ts';
import { hitText } from './cache-status.ts';

/** A power of two. */
const PLACES = 256;

const ages = new Float64Array(PLACES).fill(-1);
const ttls = new Float64Array(PLACES);
const texts: string[] = Array.from({ length: PLACES }, () => '');

/** `told`: the Cache-Status value. */
export function agedLines(age: number, told: string): string {
  return `Age: ${age}\r\nCache-Status: ${told}\r\n`;
}

/** The lines of a hit; `ttl`: see hitText. */
export function hitLines(age: number, ttl: number): string {
  const place = (age * 31 + ttl) & (PLACES - 1);
  if (ages[place] === age && ttls[place] === ttl) return texts[place]!;
  const text = detachString(agedLines(age, hitText(ttl)));
  ages[place] = age;
  ttls[place] = ttl;
  texts[place] = text;
  return text;
}
