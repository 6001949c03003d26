import { expect, test } from 'vitest';
import { Log } from '../../src/observe/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

test.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const)('level %s shows %j', (level, shown) => {
  const lines: string[] = [];
  const log = new Log(new ManualClock(), (line) => lines.push(line));
  log.level = level;
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(shown);
});

test('a line is one line of JSON with its time, level, event and fields', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  new Log(clock, (line) => lines.push(line)).info('two\nlines', { path: 'ä"' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    time: new Date(clock.wall()).toISOString(),
    level: 'info',
    event: 'two\nlines',
    path: 'ä"',
  });
});
