/**
 * Reads a request that no client has sent. Cold: for explain/.
 *
 * Method, target and fields become the bytes that a client would send, and these pass through the parser and the checks
 * of each request: they refuse it for the same reasons.
 */
import type { Connection } from '../../net/connection.ts';
import { Exchange } from '../exchange.ts';
import { Fields } from '../fields.ts';
import { HTTP_1_1 } from '../message.ts';
import type { PathRules } from '../path.ts';
import type { ReadRequest, RefusedRequest, WrittenRequest } from '../server-codec.ts';
import type { HttpLimits } from '../server-stream.ts';
import { BodyFraming } from './framing.ts';
import { parseRequestHead, RequestHead } from './parser.ts';
import { judgeHead, RequestTarget, wantsUpgrade } from './request-checks.ts';

const MALFORMED: RefusedRequest = { status: 400, problem: 'syntax' };

export function readWrittenRequest(
  request: WrittenRequest,
  connection: Connection,
  limits: HttpLimits,
  paths: PathRules,
): ReadRequest | RefusedRequest {
  const written = [request.method, request.target, ...request.fields.flat()];
  // It could not be sent as one request.
  if (written.some((text) => /[\r\n]/.test(text))) return MALFORMED;
  const lines = request.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const bytes = Buffer.from(`${request.method} ${request.target} HTTP/1.1\r\n${lines}\r\n`, 'utf8');
  const head = new RequestHead();
  const fields = new Fields();
  const stop = parseRequestHead(bytes, 0, bytes.length, limits, head, fields);
  if (stop === -400 || (stop >= 0 && stop !== bytes.length)) return MALFORMED;
  if (stop < 0) return { status: -stop, problem: '' };
  const framing = new BodyFraming();
  const target = new RequestTarget();
  const status = judgeHead(head, fields, paths, framing, target);
  if (status !== 0) return { status, problem: target.problem };
  const { method } = head;
  const x = new Exchange(connection, method, head.target, target, HTTP_1_1, fields, framing.contentLength, 0);
  return { x, upgrade: wantsUpgrade(fields, head.minor, framing) };
}
