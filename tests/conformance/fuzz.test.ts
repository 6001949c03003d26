/** A small run of the fuzzer (fuzz.ts) with each run of the tests, and proof that it can find something. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { minimize } from './fuzz/minimize.ts';
import { fuzz } from './fuzz/run.ts';

describe('fuzz', () => {
  test('twenty thousand messages, and no disagreement', () => {
    const { findings, messages, accepted, requests, bodyBytes, refused, slowest } = fuzz({ messages: 20_000, seed: 1 });
    expect(findings.map(({ index, kind, input, detail }) => `${index} ${kind} ${input}\n${detail}`)).toEqual([]);
    expect(messages).toBe(20_000);
    // The messages are worth something only if many are read and many are refused.
    expect(accepted).toBeGreaterThan(5000);
    expect(requests).toBeGreaterThan(accepted);
    expect(bodyBytes).toBeGreaterThan(20_000);
    expect(refused.get(400)).toBeGreaterThan(5000);
    expect([...refused.keys()]).toEqual(expect.arrayContaining([400, 417, 501, 505]));
    expect(slowest.ms).toBeLessThan(1000);
  });

  test('a message depends on its seed and its number alone', () => {
    const all = fuzz({ messages: 200, seed: 7 });
    const [head, tail] = [fuzz({ messages: 120, seed: 7 }), fuzz({ messages: 80, seed: 7, first: 120 })];
    expect(head.requests + tail.requests).toBe(all.requests);
    expect(head.bodyBytes + tail.bodyBytes).toBe(all.bodyBytes);
  });

  test('the command says what it did', () => {
    const file = fileURLToPath(new URL('./fuzz.ts', import.meta.url));
    const said = execFileSync(process.execPath, [file, '--messages', '300', '--seed', '3'], { encoding: 'utf8' });
    expect(said).toMatch(/^seed 3, messages 0 to 299, /);
    expect(said).toMatch(/\ndisagreements: 0\n$/);
  });

  test('what is found is made small', () => {
    const found = minimize(Buffer.from('GET / HTTP/1.1\r\nA: b\r\nX: needle\r\n\r\n'), (text) =>
      text.includes('needle'),
    );
    expect(found.toString()).toBe('needle');
  });
});
