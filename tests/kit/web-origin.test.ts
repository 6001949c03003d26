import { expect, test } from 'vitest';
import { meantOrigin, originForm, originProblem } from '../../src/kit/web-origin.ts';

test.each([
  ['*', '*'],
  ['null', 'null'],
  ['https://App.Example.com', 'https://app.example.com'],
  ['https://a.example:443', 'https://a.example'],
  ['http://a.example:80', 'http://a.example'],
  ['https://a.example:80', 'https://a.example:80'],
  ['http://localhost:03000', 'http://localhost:3000'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['https://*.Example.com:8443', 'https://*.example.com:8443'],
  ['http://[::0:1]:8080', 'http://[::1]:8080'],
  ['capacitor://localhost', 'capacitor://localhost'],
])('%s is sent as %s', (written, sent) => {
  expect([originForm(written), originProblem(written)]).toEqual([sent, null]);
});

test.each([
  ['https://a.example/', 'https://a.example'],
  ['a.example:8080', 'https://a.example:8080'],
  ['*.example.com', 'https://*.example.com'],
  ['https://user@a.example/x?y', 'https://a.example'],
  ['https://a.example:99999', null],
  ['https://*', null],
  ['https://a.*.example', null],
  ['https://*.[::1]', null],
  ['https://*example.com', null],
  ['http://localhost:*', null],
  ['', null],
])('%s is no origin; %s may be meant', (written, meant) => {
  expect([originForm(written), meantOrigin(written)]).toEqual([null, meant]);
  expect(originProblem(written)).not.toBeNull();
});
