import { expect, test } from 'vitest';
import { plainAddress } from '../../src/net/plain-address.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::1', '::1'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['', 'unix:'],
  [undefined, 'unix:'],
])('%s is shown as %s', (address, shown) => {
  expect(plainAddress(address)).toBe(shown);
});
