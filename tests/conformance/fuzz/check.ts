/**
 * Judges one message: both readers, every split, and what would be sent on.
 *
 * The gateway may refuse what llhttp reads; it may not read what llhttp reads differently, or not at all.
 */
import { seededRandom } from '../../../src/kit/random.ts';
import { llhttp, type LlhttpReading, WRONG_UPGRADE } from '../../support/llhttp.ts';
import { readRequests, readResponses } from '../../support/strict-reader.ts';
import { type GatewayReading, readByGateway, type ReadRequest } from './gateway-reading.ts';
import { split } from './generate.ts';

export interface Disagreement {
  readonly kind: string;
  readonly detail: string;
}

export interface Judgement {
  readonly reading: GatewayReading;
  readonly disagreement: Disagreement | null;
  /** llhttp refused what the gateway accepts, for a reason that is known: its name, or ''. */
  readonly known: string;
}

/** `seed` decides how the bytes are split. */
export function judge(bytes: Buffer, seed: number): Judgement {
  const reading = readByGateway([Buffer.from(bytes)], false, false);
  const { disagreement, known } = compareWithLlhttp(reading, llhttp(bytes, 'request'), bytes.toString('latin1'));
  return {
    reading,
    known,
    disagreement: disagreement ?? checkConnection(reading) ?? checkSent(reading) ?? compareSplit(reading, bytes, seed),
  };
}

function differ(kind: string, ...detail: unknown[]): Disagreement {
  return { kind, detail: detail.map((part) => JSON.stringify(part)).join('\n    ') };
}

const asRead = ({ method, target, body, whole }: ReadRequest) => ({ method, target, body, whole });

/** What llhttp refuses and RFC 9110 and 9112 do not, so that the gateway may read it; '' if it is none of these. */
function knownReason(request: ReadRequest, { refusal }: LlhttpReading, text: string): string {
  // RFC 9110 §9.1: methods are open-ended. llhttp has a list of them, and some only for other protocols.
  if (KNOWN.method.test(refusal)) return 'a method that llhttp has not heard of';
  // RFC 9110 §2.5: a higher minor version is read as the highest known.
  if (refusal === 'Invalid HTTP version' && request.minor === 1) return 'a minor version above 1';
  // RFC 9110 §6.5.1: what frames or ends a connection does neither in a trailer section.
  if (request.whole && KNOWN.framing.test(refusal) && KNOWN.framingInTrailer.test(text))
    return 'a framing field in a trailer section';
  if (refusal === KNOWN.closed && KNOWN.connectionInTrailer.test(text)) return 'Connection in a trailer section';
  // RFC 9112 appendix C.2.2: Proxy-Connection means nothing. llhttp obeys it.
  if (refusal === KNOWN.closed && /proxy-connection/i.test(text)) return 'Proxy-Connection: close';
  // RFC 9110 §5.6.3: a tab is as good as a space around a value.
  if (KNOWN.framing.test(refusal) && KNOWN.tabBehindChunked.test(text)) return 'a tab behind "chunked"';
  // RFC 9112 §7.1.1 with RFC 9110 §5.6.3: the bad white space of extensions must be read over. They are not sent on.
  if (KNOWN.chunkLine.test(refusal) && KNOWN.blankInExtension.test(text)) return 'white space in a chunk extension';
  return '';
}

const KNOWN = {
  method:
    /^(Invalid method encountered|Expected HTTP\/2 Connection Preface|Expected space after method|Invalid method for HTTP\/x.x request)$/,
  closed: 'Data after `Connection: close`',
  framing: new RegExp(`Content-Length|Transfer-Encoding|^${WRONG_UPGRADE}$`),
  framingInTrailer: /\r\n0+[^\r\n]*\r\n([^\r\n]+\r\n)*(content-length|transfer-encoding):/i,
  connectionInTrailer: /\r\n0+[^\r\n]*\r\n([^\r\n]+\r\n)*connection:/i,
  tabBehindChunked: /transfer-encoding:[ \t]*chunked *\t[ \t]*\r\n/i,
  chunkLine: new RegExp(`chunk extensions|chunk size|^${WRONG_UPGRADE}$`),
  blankInExtension: /\r\n[0-9a-f]+([ \t]+;|;[^\r\n]*[ \t])/i,
};

function compareWithLlhttp(
  reading: GatewayReading,
  other: LlhttpReading,
  text: string,
): { disagreement: Disagreement | null; known: string } {
  const { requests } = reading;
  for (let i = 0; i < requests.length; i++) {
    const mine = requests[i]!;
    const theirs = other.messages[i];
    if (theirs === undefined) {
      const known = knownReason(mine, other, text);
      if (known !== '') return { disagreement: null, known };
      return { disagreement: differ('llhttp does not see this request', asRead(mine), other), known: '' };
    }
    if (mine.method !== theirs.first || mine.target !== theirs.second)
      return { disagreement: differ('another request line', asRead(mine), theirs), known: '' };
    // The rest of a body that was not read, or not read whole, is nobody's request: the connection ends.
    if (mine.fate !== 'sent') return { disagreement: null, known: '' };
    if (mine.whole && !theirs.whole && mine.body.startsWith(theirs.body)) {
      const known = knownReason(mine, other, text);
      if (known !== '') return { disagreement: null, known };
    }
    if (mine.whole && (!theirs.whole || mine.body !== theirs.body))
      return { disagreement: differ('another body', asRead(mine), theirs, other.refusal), known: '' };
    if (!mine.whole && theirs.whole && (reading.refusal === 0 || reading.refusedAtEnd))
      return { disagreement: differ('waits for more of a body', asRead(mine), theirs), known: '' };
  }
  const wholes = other.messages.filter(({ whole }) => whole).length;
  if (wholes > requests.length && !reading.closed && (reading.refusal === 0 || reading.refusedAtEnd))
    return { disagreement: differ('llhttp sees more requests', requests.map(asRead), other), known: '' };
  return { disagreement: null, known: '' };
}

/** The client's side: one response for each request, and a refusal ends the connection. */
function checkConnection(reading: GatewayReading): Disagreement | null {
  const { requests, refusal, refusedAtEnd, closed, stuck, responses } = reading;
  if (stuck) return differ('stuck', requests.map(asRead));
  if (refusal !== 0 && !refusedAtEnd && !closed) return differ('refused and not closed', refusal);
  const early = requests.findIndex(({ fate }) => fate !== 'sent');
  if (early >= 0 && (early < requests.length - 1 || !closed))
    return differ('reads on behind a body that it did not read', requests.map(asRead));
  const partial = requests.findIndex(({ fate, whole }) => fate === 'sent' && !whole);
  if (partial >= 0 && partial < requests.length - 1)
    return differ('reads on in the midst of a body', requests.map(asRead));
  const methods = requests.map(({ method }) => method);
  let { messages, rest, complaint } = readResponses(responses, methods, true);
  // What was refused may have been a HEAD, whose refusal has no content.
  if (complaint + rest !== '') ({ messages, rest, complaint } = readResponses(responses, [...methods, 'HEAD'], true));
  if (complaint + rest !== '') return differ('responses that are none', complaint, rest);
  const due = requests.filter(({ whole, fate }) => whole || fate !== 'sent').length;
  const own = refusal !== 0 && !requests.some(({ fate }) => fate === 'refused') ? 1 : 0;
  if (messages.length !== due + own) return differ('not one response for each request', messages.length, due, own);
  return null;
}

/** The upstream's side: a strict reader and llhttp must both see exactly these requests, and nothing beside them. */
function checkSent(reading: GatewayReading): Disagreement | null {
  const sent = reading.requests.filter(({ fate, whole }) => fate === 'sent' && whole);
  const text = sent.map((request) => request.sent).join('');
  const strict = readRequests(text);
  if (strict.complaint !== '') return differ('sends on what must not be', strict.complaint);
  if (strict.rest !== '' || strict.messages.length !== sent.length)
    return differ('sends on another number of requests', strict.messages.length, sent.length, text);
  for (let i = 0; i < sent.length; i++) {
    const { method, path, body } = sent[i]!;
    const seen = strict.messages[i]!;
    if (seen.start[0] !== method || seen.start[1] !== path || seen.body !== body)
      return differ('sends on something else', asRead(sent[i]!), seen);
    const other = llhttp(Buffer.from(sent[i]!.sent, 'latin1'), 'request');
    const [message] = other.messages;
    if (other.refusal !== '' && knownReason(sent[i]!, other, '') !== '') continue;
    if (other.refusal !== '' || other.messages.length !== 1 || message?.whole !== true || message.body !== body)
      return differ('llhttp reads what is sent on differently', other, sent[i]!.sent);
  }
  // Of a request that came in part, no whole one may leave.
  const partial = reading.requests.find(({ fate, whole }) => fate === 'sent' && !whole);
  if (partial !== undefined) {
    const part = readRequests(partial.sent);
    if (part.complaint !== '' || part.messages.length > 0) return differ('a part is sent on as a whole', partial);
  }
  return null;
}

function compareSplit(reading: GatewayReading, bytes: Buffer, seed: number): Disagreement | null {
  const parts = split(bytes, seededRandom(seed));
  // An early answer and a client's early end are a race that both may win.
  const hasty = (seed & 1) === 1 && !reading.requests.some(({ fate }) => fate === 'answered early');
  const other = readByGateway(parts, true, hasty);
  const unhappy = checkConnection(other);
  if (unhappy !== null) return { ...unhappy, kind: `${unhappy.kind} (split)` };
  // Heads are not read at every byte, so in parts a refusal may have to wait for the end, and is then a plain 400.
  const sameRefusal =
    other.refusal === reading.refusal || (other.refusedAtEnd && other.refusal === 400 && reading.refusal !== 0);
  const same = (one: GatewayReading): string => JSON.stringify(one.requests.map(withoutChunking));
  if (!sameRefusal || same(reading) !== same(other))
    return differ('split', parts.map(String), [reading.refusal, same(reading)], [other.refusal, same(other)]);
  return null;
}

/** How a body was cut into chunks on its way depends on the reads; its content does not. */
function withoutChunking(request: ReadRequest): object {
  return { ...request, sent: request.sent.slice(0, request.sent.indexOf('\r\n\r\n')) };
}
