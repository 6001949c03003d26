/** Any edits, rollbacks and crashes end in a state that the history explains: a short form of tests/conformance/crashes.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crashRun, newTally } from '../conformance/crashes/crash-run.ts';
import {
  killedBetween,
  lifted,
  rolledBack,
  started,
  type State,
  thatSay,
  written,
} from '../conformance/crashes/model.ts';

// Processes are started again and again.
test('a gateway that is edited, rolled back and killed', { timeout: 180_000 }, async () => {
  const tally = newTally();
  for (const seed of [3, 8]) await crashRun(seed, 6, tally);
  expect(tally.steps).toBe(12);
  expect(Object.values(tally.kills).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(2);
});

describe('the model itself', () => {
  const text = fc.constantFrom('1', '2', '3', 'nobody4', 'nobody5');
  const FIRST: State = { newest: '1', hold: null, serves: '1', insteadOf: null };

  test('nothing that is done to it makes it serve what has problems, or what was never said', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('write', 'back', 'lift', 'crash'), text)), (steps) => {
        let [state, file] = [FIRST, '1'];
        const said = new Set(['1']);
        for (const [what, which] of steps) {
          if (what === 'write') {
            file = which;
            said.add(which);
            state = written(state, file);
          } else if (what === 'back' && said.has(which) && !which.startsWith('nobody'))
            state = rolledBack(state, file, which);
          else if (what === 'lift') state = lifted(state, file);
          else if (what === 'crash') state = started(state, file)!;
          expect(state.serves).not.toContain('nobody');
          expect(said).toContain(state.serves);
          expect(state.newest).toBe(state.serves);
          // What is not held against is followed if it can be.
          if (!file.startsWith('nobody') && state.insteadOf !== file) expect(state.serves).toBe(file);
        }
      }),
    );
  });

  test('a crash forgets no more than what was under way', () => {
    const after = rolledBack({ ...FIRST, newest: '2', serves: '2' }, '2', '1');
    const ways = killedBetween({ newest: '2', hold: null }, after);
    expect(ways.map((way) => started(way, '2')?.serves)).toEqual(['2', '1', '2', '1']);
    expect(thatSay(ways, after)).toHaveLength(1);
    expect(started({ newest: null, hold: null }, 'nobody4')).toBeNull();
  });
});
