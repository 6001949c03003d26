/** Files that are not what was written: nothing but what was written is ever given. */
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readForm } from '../../../src/cache/disk/record-codec.ts';
import { readRecord, recordParts } from '../../../src/cache/disk/record.ts';
import { scan } from '../../../src/cache/disk/scan.ts';
import { Segment } from '../../../src/cache/disk/segment.ts';
import { place, TestDisk } from '../../support/disk.ts';

const URL = 'http://example.com/';
const BODIES = ['first', '', 'the third one is a little longer', '4'];
const RECORDS = 'segments/0000000001.records';
const COLUMNS = 'segments/0000000001.columns';

/** A directory with these bodies, closed in order. */
async function written(path: string): Promise<void> {
  await using disk = await TestDisk.open(path);
  BODIES.forEach((body, i) => disk.put(`${URL}${i}`, body, { tags: [`t${i}`] }));
}

function scratch(): Disposable & { file: string } {
  const path = mkdtempSync(join(tmpdir(), 'prozy-torn-'));
  return { file: join(path, 'file'), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test('a segment that ends anywhere gives the records that are whole, and no other', async () => {
  using at = place();
  await written(at.path);
  const bytes = readFileSync(join(at.path, RECORDS));
  const whole = await scan(join(at.path, RECORDS), 1);
  expect(whole.count).toBe(BODIES.length);
  using to = scratch();
  for (let end = 0; end <= bytes.length; end++) {
    writeFileSync(to.file, bytes.subarray(0, end));
    const torn = await scan(to.file, 1);
    let count = 0;
    while (count < whole.count && whole.offset(count) + whole.size(count) <= end) count++;
    expect([end, torn.count]).toEqual([end, count]);
  }
});

test('a record with any byte changed, cut short anywhere or read elsewhere is none', async () => {
  const key = { hash: 2 ** 52 + 1, identity: 7, kind: 0, number: 2 ** 33 };
  const text = Buffer.from('{"key":"x"}');
  const body = Buffer.from('body');
  const at = { segment: 3, offset: 4096 };
  const bytes = Buffer.concat(recordParts(key, text, body, at));
  expect(readRecord(bytes, at)).toEqual({ ...key, text, body });
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i]! ^= 1 << (i % 8);
    expect([i, readRecord(changed, at)]).toEqual([i, null]);
    expect(readRecord(bytes.subarray(0, i), at)).toBeNull();
  }
  expect(readRecord(Buffer.concat([bytes, Buffer.of(0)]), at)).toBeNull();
  expect(readRecord(bytes, { ...at, offset: 0 })).toBeNull();
  expect(readRecord(bytes, { ...at, segment: 4 })).toBeNull();
});

test('records of anything come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.nat(2 ** 31), fc.nat(2), (text, body, identity, kind) => {
      const key = { hash: identity * 3, identity, kind, number: identity + 1 };
      const at = { segment: kind, offset: identity };
      const bytes = Buffer.concat(recordParts(key, Buffer.from(text), Buffer.from(body), at));
      expect(readRecord(bytes, at)).toEqual({ ...key, text: Buffer.from(text), body: Buffer.from(body) });
    }),
  );
});

test('columns with any byte changed or missing are none', () => {
  const segment = new Segment(9);
  for (let i = 0; i < 5; i++)
    segment.add({ hash: i * 1e12, identity: i, kind: i % 3, number: 100 - i }, i % 2 ? ['accept'] : [], i * 100, 100);
  const bytes = segment.columns();
  const back = Segment.of(9, bytes)!;
  expect([back.count, back.bytes, back.lowest, back.footprint]).toEqual([5, 500, 96, segment.footprint]);
  for (let i = 0; i < 5; i++) {
    expect([back.hash(i), back.identity(i), back.kind(i), back.number(i)]).toEqual([i * 1e12, i, i % 3, 100 - i]);
    expect([back.offset(i), back.size(i), back.varyNames(i)]).toEqual([i * 100, 100, i % 2 ? ['accept'] : []]);
  }
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i]! ^= 1 << (i % 8);
    expect([i, Segment.of(9, changed)]).toEqual([i, null]);
    expect(Segment.of(9, bytes.subarray(0, i))).toBeNull();
  }
  expect(Segment.of(8, bytes)).toBeNull();
});

test('whatever becomes of the files, what is given is what was written', async () => {
  using at = place();
  await written(at.path);
  const change = fc.record({
    file: fc.constantFrom(RECORDS, COLUMNS, 'erasures', 'cache.json'),
    withoutColumns: fc.boolean(),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    flips: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(7)), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ file, withoutColumns, cut, flips }) => {
      using to = scratch();
      cpSync(at.path, to.file, { recursive: true });
      const path = join(to.file, file);
      const bytes = readFileSync(path);
      for (const [where, bit] of flips) if (bytes.length > 0) bytes[Math.floor(where * bytes.length)]! ^= 1 << bit;
      writeFileSync(path, bytes.subarray(0, Math.ceil(cut * bytes.length)));
      if (withoutColumns) rmSync(join(to.file, COLUMNS));
      await using disk = await TestDisk.open(to.file);
      for (const [i, body] of BODIES.entries()) {
        const given = await disk.seek(`${URL}${i}`);
        if (given === null) continue;
        expect(given.body()!.toString()).toBe(body);
        expect(given.head.tags).toEqual([`t${i}`]);
      }
      // And it goes on.
      disk.put(`${URL}new`, 'new');
      await disk.written();
      expect(await disk.body(`${URL}new`)).toBe('new');
    }),
    { numRuns: 60 },
  );
});

test('a text that says something else than its record is not given', async () => {
  using at = place();
  await written(at.path);
  const path = join(at.path, RECORDS);
  const bytes = readFileSync(path);
  const [a, b] = [await scan(path, 1), await scan(path, 1)];
  // The text and body of the third record under the hash of the first, with checksums that hold.
  const third = readRecord(bytes.subarray(a.offset(2), a.offset(2) + a.size(2)), { segment: 1, offset: a.offset(2) })!;
  const key = { hash: b.hash(0), identity: b.identity(0), kind: 0, number: b.number(0) };
  writeFileSync(path, Buffer.concat(recordParts(key, third.text, third.body, { segment: 1, offset: 0 })));
  rmSync(join(at.path, COLUMNS));
  await using disk = await TestDisk.open(at.path);
  expect(disk.disk.entries.size).toBe(1);
  expect(await disk.body(`${URL}0`)).toBeNull();
});

test('a form that is not whole is none', () => {
  const text = { key: 'k', head: {}, part: null, headOnly: false, length: 0, bornAt: 0, writtenAt: 0 };
  for (const bad of ['', '{', 'null', '[]', '"x"', JSON.stringify(text), JSON.stringify({ ...text, key: 1 })])
    expect(readForm(bad)).toBeNull();
});

test('a segment of another place in the directory is none', async () => {
  using at = place();
  await written(at.path);
  copyFileSync(join(at.path, RECORDS), join(at.path, 'segments/0000000002.records'));
  await using disk = await TestDisk.open(at.path);
  expect(disk.disk.entries.size).toBe(BODIES.length);
  expect(await disk.body(`${URL}2`)).toBe(BODIES[2]);
});
