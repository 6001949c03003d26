/**
 * Plans the local replies of routes and of pools without endpoints: checks their fields, and the body where one is
 * allowed. Cold.
 */
import type { RespondConfig } from '../config/schema.gen.ts';
import { checkNames } from './policies.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import type { RespondPlan } from './types/respond.ts';

export function planRespond(config: RespondConfig, pointer: string, scope: PlanScope): RespondPlan {
  const { status, headers, body } = config;
  checkNames(Object.keys(headers), `${pointer}/headers`, scope);
  // RFC 9110 §6.6.1: the gateway is the origin of its local replies, and a second Date would contradict the first.
  const date = Object.keys(headers).find((name) => name.toLowerCase() === 'date');
  if (date !== undefined) scope.problem(`${pointer}/headers/${segment(date)}`, `${date} is the gateway's own to write`);
  if (body !== '' && (status === 204 || status === 304)) scope.problem(`${pointer}/body`, `a ${status} has no body`);
  return { type: 'respond', status, headers: Object.entries(headers), body };
}
