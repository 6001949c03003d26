/**
 * Accepts response heads that the strict parser refuses, if the pool's `lenient` allows it. Cold.
 *
 * The head is rewritten in strict form and read by the strict parser. There is therefore one parser, and one text for
 * all offsets. The rewrite happens only after the parser has refused the bytes as received.
 */
import type { ResponsesPlan } from '../../plan/types/responses.ts';
import type { Fields } from '../fields.ts';
import { TOKEN } from '../token.ts';
import { FIELDS_TOO_LARGE, INCOMPLETE, parseResponseHead, type ReceivedHead } from './parser.ts';

const LF = 0x0a;
const REFUSED = -502;

/** Like `parseResponseHead`, with the line faults that the rules forgive. */
export function parseForgiving(
  bytes: Buffer,
  start: number,
  end: number,
  rules: ResponsesPlan,
  head: ReceivedHead,
  fields: Fields,
): number {
  const strict = parseResponseHead(bytes, start, end, rules, head, fields);
  const { bareLf, foldedLines, spaceBeforeColon } = rules;
  if (strict >= 0 || strict === FIELDS_TOO_LARGE || !(bareLf || foldedLines || spaceBeforeColon)) return strict;
  return parseRewritten(bytes, start, end, rules, head, fields);
}

function parseRewritten(
  bytes: Buffer,
  start: number,
  end: number,
  rules: ResponsesPlan,
  head: ReceivedHead,
  fields: Fields,
): number {
  const last = Math.min(end, start + rules.headerSize);
  const lines: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes.subarray(at, last).indexOf(LF);
    const ended = length >= 0;
    if (!addLine(lines, bytes.toString('latin1', at, ended ? at + length : last), ended, rules)) return REFUSED;
    if (!ended) {
      const goesOn = last === end && parseStrictly(lines.join('\r\n'), rules, head, fields) === INCOMPLETE;
      return goesOn ? INCOMPLETE : REFUSED;
    }
    at += length + 1;
    if (lines.length === 1 || lines.at(-1) !== '') continue;
    const strict = `${lines.join('\r\n')}\r\n`;
    if (parseStrictly(strict, rules, head, fields) !== strict.length) return REFUSED;
    head.rewritten = true;
    return at;
  }
}

function parseStrictly(text: string, rules: ResponsesPlan, head: ReceivedHead, fields: Fields): number {
  fields.reset();
  const bytes = Buffer.from(text, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length, rules, head, fields);
}

/** Adds a line in strict form, without its end. `ended`: its LF has arrived. Returns false if the rules forbid it. */
function addLine(lines: string[], raw: string, ended: boolean, rules: ResponsesPlan): boolean {
  const crlf = ended && raw.endsWith('\r');
  if (ended && !crlf && !rules.bareLf) return false;
  const line = crlf ? raw.slice(0, -1) : raw;
  if (/^[\t ]/.test(line)) {
    // White space before the first field can't continue a field (§2.2).
    if (!rules.foldedLines || lines.length < 2) return false;
    lines[lines.length - 1] += ` ${line.replace(/^[\t ]+/, '')}`;
  } else lines.push(rules.spaceBeforeColon && lines.length > 0 ? withoutSpaceBeforeColon(line, ended) : line);
  return true;
}

function withoutSpaceBeforeColon(text: string, ended: boolean): string {
  let name = 0;
  while (name < text.length && TOKEN[text.charCodeAt(name)] === 1) name++;
  let colon = name;
  while (colon < text.length && (text[colon] === ' ' || text[colon] === '\t')) colon++;
  const found = text[colon] === ':' || (colon === text.length && !ended);
  return found ? text.slice(0, name) + text.slice(colon) : text;
}
