/**
 * The lines that a stored response is sent with at one moment: its Age (RFC 9111 §5.1) and its Cache-Status. Hot.
 *
 * Many are sent at the same age and with the same time left; the text for both is made once and kept for a while.
 */
import { detachString } from '../../kit/detach-string.ts';
import { hitText } from './cache-status.ts';

/** A power of two. */
const PLACES = 256;

const ages = new Float64Array(PLACES).fill(-1);
const ttls = new Float64Array(PLACES);
const texts: string[] = Array.from({ length: PLACES }, () => '');

/** `told`: the Cache-Status. */
export function agedLines(age: number, told: string): string {
  return `Age: ${age}\r\nCache-Status: ${told}\r\n`;
}

/** Of a hit; `ttl`: see hitText. */
export function hitLines(age: number, ttl: number): string {
  const place = (age * 31 + ttl) & (PLACES - 1);
  if (ages[place] === age && ttls[place] === ttl) return texts[place]!;
  const text = detachString(agedLines(age, hitText(ttl)));
  ages[place] = age;
  ttls[place] = ttl;
  texts[place] = text;
  return text;
}
