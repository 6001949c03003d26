/** Client connections that the process has file descriptors for. */
import { expect, test } from 'vitest';
import { connectionsPossible, connectionsWithin } from '../../src/runtime/descriptors.ts';

const LIMITS = (soft: string): string => `Limit                     Soft Limit           Hard Limit           Units
Max processes             63459                63459                processes
Max open files            ${soft.padEnd(20)} 1048576              files
`;

test.each([
  ['1024', 480],
  ['120', 28],
  ['10', 1],
  ['unlimited', 0],
])('of %s descriptors: %i connections', (soft, connections) => {
  expect(connectionsWithin(LIMITS(soft))).toBe(connections);
});

test('this process has some, or it is not known', () => {
  expect(connectionsPossible()).toBeGreaterThanOrEqual(0);
  expect(connectionsWithin('')).toBe(0);
});
