/** When an operator is told of a certificate's validity. */
import { expect, test } from 'vitest';
import { expiry, isValidAt } from '../../src/kit/certificate.ts';

const DAY = 24 * 3600 * 1000;
const START = Date.UTC(2030, 0, 1);

test.each([
  ['14 days before its end', 90, 76, 'expiring'],
  ['a day earlier nothing', 90, 75, undefined],
  ['a short-lived one in the last third of its life', 6, 4, 'expiring'],
  ['but not before that', 6, 3.9, undefined],
  ['at its end it is still valid', 90, 90, 'expiring'],
  ['after its end', 90, 90.1, 'expired'],
  ['before its begin', 90, -0.1, 'not_yet_valid'],
])('%s', (_, days, at, state) => {
  const validity = { notBefore: START, notAfter: START + days * DAY };
  expect(expiry(validity, START + at * DAY)?.state).toBe(state);
  expect(isValidAt(validity, START + at * DAY)).toBe(state === undefined || state === 'expiring');
});
