/** Answers an authority that looks for the token of an HTTP-01 challenge (RFC 8555 §8.3). Hot to pass, and rare. */
import type { Exchange } from '../http/exchange.ts';
import { LocalReply } from '../http/local-reply.ts';
import type { ChallengeAnswers } from './listener-context.ts';

const WELL_KNOWN = '/.well-known/acme-challenge/';

/** null: it is not one of our tokens. The request goes on: a backend may have challenges of its own. */
export function challengeReply(challenges: ChallengeAnswers, { method, path }: Exchange): LocalReply | null {
  if (!path.startsWith(WELL_KNOWN) || (method !== 'GET' && method !== 'HEAD')) return null;
  const content = challenges.http01(path.slice(WELL_KNOWN.length));
  return content === null ? null : new LocalReply(200, [['Content-Type', 'application/octet-stream']], content);
}
