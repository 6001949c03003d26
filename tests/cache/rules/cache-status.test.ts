import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCacheStatus, type Forwarded, forwardText, hitText } from '../../../src/cache/rules/cache-status.ts';
import { parseDictionary } from '../../../src/cache/rules/structured-dictionary.ts';
import { Fields } from '../../../src/http/fields.ts';

describe('Cache-Status (RFC 9211 §2)', () => {
  test.each([
    [hitText(60), 'prozy; hit; ttl=60'],
    [hitText(59.9), 'prozy; hit; ttl=59'],
    [hitText(-0.5), 'prozy; hit; ttl=-1'],
    [hitText(0), 'prozy; hit; ttl=0'],
    [hitText(-3, 'stale-if-error'), 'prozy; hit; ttl=-3; detail=stale-if-error'],
    [hitText(Number.NEGATIVE_INFINITY), 'prozy; hit; ttl=-999999999999999'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  test.each<[Forwarded, string]>([
    [{ reason: 'uri-miss' }, 'prozy; fwd=uri-miss'],
    [{ reason: 'uri-miss', stored: true }, 'prozy; fwd=uri-miss; stored'],
    [{ reason: 'stale', status: 304, stored: true }, 'prozy; fwd=stale; fwd-status=304; stored'],
    [{ reason: 'vary-miss', stored: true, collapsed: true }, 'prozy; fwd=vary-miss; stored; collapsed'],
    [{ reason: 'request', detail: 'set_cookie' }, 'prozy; fwd=request; detail=set_cookie'],
    [{ reason: 'bypass', detail: 'two words' }, 'prozy; fwd=bypass; detail="two words"'],
    [{ reason: 'miss', detail: '"\\\u00e9' }, 'prozy; fwd=miss; detail="\\"\\\\"'],
    [{ reason: 'method', stored: false, collapsed: false, status: 0, detail: '' }, 'prozy; fwd=method'],
  ])('%j', (forwarded, expected) => {
    expect(forwardText(forwarded)).toBe(expected);
  });

  test('ours stands behind what is there', () => {
    const fields = Fields.of([['Cache-Status', 'origin; hit']]);
    addCacheStatus(fields, hitText(5));
    expect(fields.get('cache-status')).toBe('origin; hit, prozy; hit; ttl=5');
  });

  test('whatever the detail, it is a Structured Field', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (detail) => {
        // As a member of a list it has the syntax of one of a dictionary.
        expect(parseDictionary(hitText(1, detail))?.size).toBe(1);
        expect(parseDictionary(forwardText({ reason: 'miss', detail }))?.size).toBe(1);
      }),
    );
  });
});
