/** Runs many messages, each from its own number, so that any of them can be had again without those before it. */
import { seededRandom } from '../../../src/kit/random.ts';
import { type Disagreement, judge } from './check.ts';
import { generate } from './generate.ts';
import { minimize } from './minimize.ts';
import { cpuTime } from '../../support/cpu-time.ts';

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly first?: number;
  /** Called before each message. */
  readonly onMessage?: (index: number) => void;
  /** No more are looked for. */
  readonly mostDisagreements?: number;
}

export interface Finding extends Disagreement {
  readonly index: number;
  readonly input: string;
}

export interface FuzzResult {
  messages: number;
  /** Messages of which at least one request was sent on. */
  accepted: number;
  requests: number;
  bodyBytes: number;
  /** Messages by the status that refused them. */
  readonly refused: Map<number, number>;
  /** Messages that end within a request, or with all requests answered. */
  open: number;
  /** What llhttp refuses and the gateway may accept, by reason. */
  readonly known: Map<string, number>;
  slowest: { index: number; ms: number };
  readonly findings: Finding[];
}

/** The number that a message's choices begin from. */
function seedOf(seed: number, index: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
}

export function fuzz({
  messages,
  seed,
  first = 0,
  onMessage = () => {},
  mostDisagreements = 20,
}: FuzzOptions): FuzzResult {
  const result: FuzzResult = {
    messages: 0,
    accepted: 0,
    requests: 0,
    bodyBytes: 0,
    refused: new Map(),
    open: 0,
    known: new Map(),
    slowest: { index: 0, ms: 0 },
    findings: [],
  };
  for (let index = first; index < first + messages && result.findings.length < mostDisagreements; index++) {
    onMessage(index);
    const began = cpuTime();
    const own = seedOf(seed, index);
    const bytes = generate(seededRandom(own));
    try {
      const { reading, disagreement, known } = judge(bytes, own);
      const sent = reading.requests.filter(({ fate, whole }) => fate === 'sent' && whole);
      if (sent.length > 0) result.accepted++;
      result.requests += sent.length;
      for (const { body } of sent) result.bodyBytes += body.length;
      if (reading.refusal === 0) result.open++;
      else result.refused.set(reading.refusal, (result.refused.get(reading.refusal) ?? 0) + 1);
      if (known !== '') result.known.set(known, (result.known.get(known) ?? 0) + 1);
      if (disagreement !== null) result.findings.push(finding(index, bytes, own, disagreement));
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      result.findings.push(finding(index, bytes, own, { kind: 'crash', detail }));
    }
    const ms = cpuTime() - began;
    if (ms > result.slowest.ms) result.slowest = { index, ms };
    result.messages++;
  }
  return result;
}

function judgeSafely(bytes: Buffer, seed: number): Disagreement | null {
  try {
    return judge(bytes, seed).disagreement;
  } catch (error) {
    return { kind: 'crash', detail: String(error) };
  }
}

function finding(index: number, bytes: Buffer, seed: number, found: Disagreement): Finding {
  const small = minimize(bytes, (smaller) => judgeSafely(smaller, seed)?.kind === found.kind);
  const detail = found.kind === 'crash' ? found.detail : (judgeSafely(small, seed)?.detail ?? found.detail);
  return { index, kind: found.kind, detail, input: small.toString('latin1') };
}
