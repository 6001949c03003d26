/** What both sides must have seen of one exchange. */
import { expect } from 'vitest';
import { UNKNOWN_LENGTH } from '../../../src/http/message.ts';
import { isEmptyBody } from '../../../src/http/status.ts';
import { type BodySpec, bytesOf, type Pairs, type Receiver } from './bodies.ts';
import type { AnswerSpec, Asking, RequestSpec, Serving } from './meeting.ts';

/** Fields that a codec or the gateway writes by itself, where they are not part of what is asserted. */
const OWN =
  /^(host|connection|content-length|transfer-encoding|te|trailer|expect|date|keep-alive|forwarded|x-forwarded-.*)$/;

/** In the order in which they came, by lower-case name. */
export function ownless(pairs: Pairs): Pairs {
  return pairs.map(([name, value]) => [name.toLowerCase(), value] as const).filter(([name]) => !OWN.test(name));
}

function lengthOf(body: BodySpec | undefined): number {
  return body === undefined ? 0 : body.known ? body.size : UNKNOWN_LENGTH;
}

export function judgeRequest(serving: Serving, request: RequestSpec): void {
  const { method = 'GET', path = '/', query = '', authority = 'a.example', fields = [], body } = request;
  const { x } = serving;
  expect([x.method, x.authority, x.path, x.query]).toEqual([method, authority, path, query]);
  expect(ownless(serving.fields)).toEqual(ownless(fields));
  expect(x.bodyLength).toBe(lengthOf(body));
  if (body !== undefined) judgeWhole(serving, body);
}

export function judgeAnswer(asking: Asking, answer: AnswerSpec, method = 'GET'): void {
  const { informational = [], status = 200, fields = [], body } = answer;
  expect(asking.informationals.map(([code, pairs]) => [code, ownless(pairs)])).toEqual(
    informational.map(([code, pairs]) => [code, ownless(pairs)]),
  );
  expect([asking.status, asking.failed]).toEqual([status, null]);
  expect(ownless(asking.fields)).toEqual(ownless(fields));
  if (isEmptyBody(method, status)) {
    // Its length is that of the content which it stands for, or is not said (RFC 9110 §8.6).
    const said = (pairs: Pairs): string[] =>
      pairs.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value);
    expect([asking.length, asking.bytes, said(asking.fields)]).toEqual([0, 0, said(fields)]);
  } else expect(asking.length).toBe(lengthOf(body));
  judgeWhole(asking, isEmptyBody(method, status) ? { size: 0, known: true } : (body ?? { size: 0, known: true }));
}

function judgeWhole(receiver: Receiver, { size, known, trailers = [] }: BodySpec): void {
  expect(receiver.ends).toBe(1);
  expect(receiver.bytes).toBe(size);
  expect(receiver.content.equals(bytesOf(size))).toBe(true);
  // A protocol may have no place for trailers behind a body of known length (RFC 9110 §6.5.1).
  if (!known || receiver.trailers !== null) expect(receiver.trailers ?? []).toEqual(ownless(trailers));
}

/** What came of a body before it broke is the beginning of it. */
export function judgePart(receiver: Receiver, { size }: BodySpec): void {
  const whole = bytesOf(size);
  expect(receiver.bytes).toBeLessThanOrEqual(size);
  if (receiver.content.length === receiver.bytes)
    expect(receiver.content.toString('hex')).toBe(whole.toString('hex', 0, receiver.bytes));
}
