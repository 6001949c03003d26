/** Where the gate cuts a stream of records, in whatever parts it comes. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/kit/random.ts';
import { RecordGate } from '../../../src/net/tls/record-gate.ts';

const record = (length: number): Buffer =>
  Buffer.concat([Buffer.from([23, 3, 3, length >> 8, length & 255]), Buffer.alloc(length, 7)]);

test('lets so many records through, and then the next ones', () => {
  const gate = new RecordGate();
  const bytes = Buffer.concat([record(10), record(0), record(300), record(1)]);
  expect([gate.pass(bytes, 2), gate.begun]).toEqual([20, 2]);
  expect([gate.pass(bytes.subarray(20), 2), gate.begun]).toEqual([bytes.length - 20, 2]);
});

test('parts of any size: each record is counted once, and cuts are at the beginning of records', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const records = Array.from({ length: 1 + Math.floor(random() * 20) }, () =>
      record(Math.floor(random() * random() * 2000)),
    );
    const starts = new Set<number>();
    let total = 0;
    for (const one of records) {
      starts.add(total);
      total += one.length;
    }
    const bytes = Buffer.concat(records);
    const gate = new RecordGate();
    const most = 1 + Math.floor(random() * 5);
    let begun = 0;
    for (let at = 0; at < total; ) {
      const part = bytes.subarray(at, Math.min(total, at + 1 + Math.floor(random() * 700)));
      const passed = gate.pass(part, most);
      expect(gate.begun).toBeLessThanOrEqual(most);
      if (passed < part.length) expect(starts.has(at + passed)).toBe(true);
      begun += gate.begun;
      at += passed;
    }
    expect(begun).toBe(records.length);
  }
});
