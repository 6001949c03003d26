/** Where the history of a file is, however broken the file. */
import { expect, test } from 'vitest';
import { ConfigReader } from '../../src/config/config-reader.ts';
import { stateDirOf } from '../../src/history/state-dir.ts';

function found(name: string, text: string): string | null {
  const file = `/etc/prozy/${name}`;
  const reader = new ConfigReader(new Map([[file, text]]));
  return stateDirOf(file, { STATE: '/var/lib/prozy' }, reader);
}

test.each([
  ['a setting', 'gateway.yaml', 'reload: { state_dir: ./state }'],
  ['beside a problem of meaning', 'gateway.yaml', 'reload: { state_dir: state, drian: 5 }\nroutes: 7'],
  [
    'in YAML that is cut off',
    'gateway.yaml',
    'version: 1\nreload:\n  state_dir: ./state # here\nroutes:\n  - { name: a,',
  ],
  ['in flow that is cut off', 'gateway.yaml', 'reload: { drain: 5s, state_dir: "./state", history: 3 }\nroutes: ['],
  ['in single quotes', 'gateway.yaml', "reload: { state_dir: './state' }\nroutes: ["],
  ['in JSON that is cut off', 'gateway.json', '{ "version": 1, "reload": { "state_dir": "./state", "hist'],
  ['in JSON5', 'gateway.json5', "{ reload: { state_dir: 'state' }, // fine"],
])('%s', (_, name, text) => {
  expect(found(name, text)).toBe('/etc/prozy/state');
});

test('a reference leads where it leads', () => {
  expect(found('gateway.yaml', 'reload: { state_dir: "${env:STATE}/a" }')).toBe('/var/lib/prozy/a');
  expect(found('gateway.yaml', 'reload: { state_dir: "${env:STATE}/a" }\nx: [')).toBe('/var/lib/prozy/a');
  expect(found('gateway.yaml', 'reload: { state_dir: "${env:NOT_SET}/a" }')).toBeNull();
});

test.each(['version: 1', '', '[', '# state_dir: ./state\nx: [', 'reload: 5', 'reload: { state_dir: 5 }'])(
  'nothing is said in %j',
  (text) => expect(found('gateway.yaml', text)).toBeNull(),
);
