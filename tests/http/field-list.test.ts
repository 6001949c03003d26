/** Fields of complete replies: the same in each coding, and in memory once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FieldCoding, FieldList, type FieldPair } from '../../src/http/field-list.ts';
import { Fields } from '../../src/http/fields.ts';
import { LINES } from '../../src/http/h1/field-lines.ts';
import { linesOf } from '../support/exchange.ts';

const PAIRS: readonly FieldPair[] = [
  ['Content-Type', 'text/plain; charset="a: b"'],
  ['X-Empty', ''],
  ['x-odd', '\xe4\xff\t:'],
  ['Set-Cookie', 'a'],
  ['set-cookie', 'b'],
];

const length32 = (text: string): string => String.fromCharCode(text.length >> 8, text.length & 255);

/** As a binary protocol might do it: each name and value behind its length. */
const FRAMES: FieldCoding = {
  encode: (name, value) => length32(name) + name + length32(value) + value,
  between: (length) => `|${length}|`,
  forEach(text, end, visit) {
    const part = (at: number): string =>
      text.slice(at + 2, at + 2 + text.charCodeAt(at) * 256 + text.charCodeAt(at + 1));
    for (let at = 0; at < end; ) {
      const name = part(at);
      const value = part(at + 2 + name.length);
      const next = at + 4 + name.length + value.length;
      visit(name, value, at, next);
      at = next;
    }
  },
  copyTo(text, end, fields) {
    FRAMES.forEach(text, end, (name, value) => fields.add(name, value));
  },
};

const messageOf = (list: FieldList): Fields => {
  const fields = new Fields();
  list.copyTo(fields);
  return fields;
};

const valid = fc.tuple(
  fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/),
  fc.stringMatching(/^(?:[!-~\u0080-\u00ff](?:[\t -~\u0080-\u00ff]{0,20}[!-~\u0080-\u00ff])?)?$/),
);

describe('a list', () => {
  test('reads the same in each coding, whichever codec has sent it last', () => {
    fc.assert(
      fc.property(
        fc.array(valid),
        fc.string({ unit: 'binary-ascii' }),
        fc.array(fc.constantFrom(LINES, FRAMES)),
        (pairs, body, codings) => {
          const content = FieldList.of(pairs).withBody(body, body.length).kept();
          for (const coding of codings) {
            content.textIn(coding);
            expect(content.pairs).toEqual(pairs);
            expect(content.body).toBe(body);
            expect(linesOf(messageOf(content))).toEqual(pairs.map(([name, value]) => `${name}: ${value}`));
            expect(FieldList.from(messageOf(content)).pairs).toEqual(pairs);
            expect(content.concat(FieldList.of([['a', 'b']])).pairs).toEqual([...pairs, ['a', 'b']]);
            expect(content.filter((name) => name > 'm').pairs).toEqual(
              pairs.filter(([name]) => name.toLowerCase() > 'm'),
            );
          }
        },
      ),
    );
  });

  test('that lasts keeps the text of the last codec in place of its own; any other list keeps its own', () => {
    const once = FieldList.of(PAIRS);
    const lasting = once.kept();
    const content = once.withBody('the body', 8).kept();
    for (const coding of [LINES, FRAMES, LINES]) {
      const text = PAIRS.map(([name, value]) => coding.encode(name, value)).join('');
      expect(once.textIn(coding)).toBe(text);
      expect(lasting.textIn(coding)).toBe(text);
      expect(content.textIn(coding)).toBe(`${text}${coding.between(8)}the body`);
      expect(Object.values(once)).not.toContain(text);
      const held = Object.values(content).filter((value) => typeof value === 'string');
      expect(held).toEqual([content.textIn(coding)]);
    }
  });

  test('says how long it is at most, in whichever coding', () => {
    const list = FieldList.of(PAIRS);
    expect(list.size).toBe(list.textIn(LINES).length);
    expect(list.filter((name) => name === 'x-empty').size).toBe('X-Empty: \r\n'.length);
    expect(list.concat(list).size).toBe(2 * list.size);
    expect(list.withBody('body', 4).kept().size).toBe(list.size);
  });

  test('joins the values of a name', () => {
    const list = FieldList.of(PAIRS);
    expect([list.get('set-cookie'), list.get('x-empty'), list.get('x-none')]).toEqual(['a, b', '', undefined]);
  });
});
