/** Exchanges that either side gives up, or whose connection breaks, at every stage and at every byte. */
import { describe, expect, test, vi } from 'vitest';
import { BODY_TIMEOUT } from '../../../src/kit/errors.ts';
import { CODECS, type CodecPair } from './codecs.ts';
import { judgeAnswer, judgePart, judgeRequest } from './judge.ts';
import { type AnswerSpec, type Asking, Meeting, NOTHING, type RequestSpec, type Serving } from './meeting.ts';
import { ALL_WAYS, answering, overSeeds } from './support.ts';
import type { MemoryEnd } from './wire.ts';

vi.mock('../../../src/http/fields-pool.ts', () => import('./counted-fields.ts'));

const BODY = { size: 2500, known: false, trailers: [['X-T', 'u']] } as const;
const KNOWN = { size: 2500, known: true } as const;
const REQUESTS: readonly RequestSpec[] = [{ method: 'POST', body: BODY }, { method: 'POST', body: KNOWN }, {}];
const ANSWERS: readonly AnswerSpec[] = [
  { informational: [[103, [['Link', '</a>']]]], body: BODY },
  { informational: [[103, [['Link', '</a>']]]], body: KNOWN },
];

interface Stage {
  readonly stage: string;
  /** Gives up, now or later. */
  readonly when: (meeting: Meeting, asking: Asking, abort: () => unknown) => void;
}

/** `reached`: then it gives up, at rest. */
const at = (stage: string, reached: (serving: Serving | undefined, asking: Asking) => boolean): Stage => ({
  stage,
  when: (meeting, asking, abort) => {
    meeting.run(() => reached(meeting.served[0], asking));
    abort();
  },
});

const STAGES: readonly Stage[] = [
  at('before anything has arrived', () => true),
  at('at the request', (serving) => serving !== undefined),
  at('within the request body', (serving) => serving !== undefined && serving.bytes > 0),
  at('behind the request', (serving) => serving !== undefined && (serving.ends > 0 || serving.answer !== null)),
  at('at an informational response', (_, { informationals }) => informationals.length > 0),
  at('at the head of the response', (_, { status }) => status > 0),
  at('within the response body', (_, { bytes }) => bytes > 0),
];

const WITHIN: readonly Stage[] = (['informational', 'head', 'data'] as const).map((due) => ({
  stage: `in the call that tells of the ${due}`,
  when: (meeting, asking, abort) => {
    asking.onEvent = (event) => {
      if (event === due && !asking.gone) abort();
    };
    meeting.run();
  },
}));

describe.each(CODECS)('$server.name and $client.name', (pair) => {
  describe.each([...STAGES, ...WITHIN])('the client gives up $stage', ({ when }) => {
    test.each([
      ['aborts', (asking: Asking) => asking.abort()],
      ['discards the response', (asking: Asking) => discard(asking)],
      ['fails to send the rest', (asking: Asking) => fail(asking)],
    ])('it %s', (_, giveUp) => {
      overSeeds((seed) => {
        const request = REQUESTS[Math.floor(seed / 8)]!;
        const { meeting, asking } = begin(pair, seed, request, ANSWERS[seed % 2]!);
        when(meeting, asking, () => asking.over || giveUp(asking));
        meeting.run();
        // Not every exchange reaches every stage.
        if (asking.gone) expect([asking.ends, asking.failed]).toEqual([0, null]);
        else judgeAnswer(asking, ANSWERS[seed % 2]!);
        for (const serving of meeting.served) judgePart(serving, request.body ?? { size: 0, known: true });
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe.each(STAGES)('the server gives up $stage', ({ when }) => {
    test.each([
      ['the exchange', (serving: Serving) => serving.abort()],
      ['the connection', (_: Serving, meeting: Meeting) => meeting.server.destroy()],
    ])('it aborts %s', (_, giveUp) => {
      overSeeds((seed) => {
        const request = REQUESTS[Math.floor(seed / 8)]!;
        const { meeting, asking } = begin(pair, seed, request, ANSWERS[seed % 2]!);
        let given = false;
        when(meeting, asking, () => {
          const [serving] = meeting.served;
          if (serving === undefined || serving.ended) return;
          given = true;
          giveUp(serving, meeting);
        });
        meeting.run();
        if (given) {
          expect([asking.ends, asking.failed?.source]).toEqual([0, 'upstream']);
          judgePart(asking, BODY);
        }
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  const request: RequestSpec = {
    method: 'POST',
    path: '/cut',
    fields: [['X-A', 'b']],
    body: { size: 40, known: false, trailers: [['X-T', 'u']] },
  };
  const answer: AnswerSpec = {
    informational: [[103, [['Link', '</a>']]]],
    body: { size: 50, known: false, trailers: [['X-T', 'u']] },
  };
  const known: RequestSpec = { ...request, body: { size: 40, known: true } };
  const knownAnswer: AnswerSpec = { ...answer, body: { size: 50, known: true } };

  describe.each([
    ['of unknown length', request, answer],
    ['of known length', known, knownAnswer],
  ])('messages %s', (_, asked, answered) => {
    describe.each(['reset', 'end'] as const)('the connection breaks by a %s', (breaksBy) => {
      test.each([
        ['request', (meeting: Meeting) => meeting.far],
        ['response', (meeting: Meeting) => meeting.near],
      ])('at each byte of the %s', (_name, endOf) => {
        const sizes = ALL_WAYS.map((seed) => {
          const { meeting } = begin(pair, seed, asked, answered);
          meeting.run();
          meeting.leftBehind();
          return endOf(meeting).bytesRead;
        });
        expect(Math.min(...sizes)).toBeGreaterThan(100);
        // Each byte in one way of delivery; the ways take turns.
        for (let cut = 0; cut < Math.max(...sizes); cut++) {
          const seed = cut % ALL_WAYS.length;
          if (cut >= sizes[seed]!) continue;
          const { meeting, asking } = begin(pair, seed, asked, answered);
          cutAt(endOf(meeting), cut, breaksBy);
          meeting.run();
          judgeBroken(meeting, asking, asked, answered, endOf(meeting) === meeting.near);
          expect(meeting.leftBehind(), `cut at ${cut}`).toEqual(NOTHING);
        }
      });
    });
  });
});

function begin(
  pair: CodecPair,
  seed: number,
  request: RequestSpec,
  answer: AnswerSpec,
): { meeting: Meeting; asking: Asking } {
  const meeting = new Meeting(pair, seed);
  meeting.serve = answering(meeting, answer);
  const asking = meeting.ask(request);
  asking.slowness = meeting.turns.random() / 2;
  return { meeting, asking };
}

function discard(asking: Asking): void {
  asking.gone = true;
  asking.body?.stop();
  asking.stream.discard();
}

function fail(asking: Asking): void {
  asking.gone = true;
  asking.body?.stop();
  asking.stream.fail(BODY_TIMEOUT);
}

function cutAt(end: MemoryEnd, bytes: number, breaksBy: 'reset' | 'end'): void {
  end.left = bytes;
  end.breaksBy = breaksBy;
}

/** Neither side takes a part for a whole, and each is told once. */
function judgeBroken(
  meeting: Meeting,
  asking: Asking,
  request: RequestSpec,
  answer: AnswerSpec,
  ofResponse: boolean,
): void {
  expect(asking.over).toBe(true);
  if (asking.failed === null) {
    // The server may have had the time to say what is wrong.
    expect(ofResponse).toBe(false);
    if (asking.status < 300) judgeAnswer(asking, answer);
    else expect(asking.status).toBe(400);
  } else if (asking.status === 200) judgePart(asking, answer.body!);
  for (const serving of meeting.served) {
    if (serving.ends > 0 && serving.content.length === serving.bytes) judgeRequest(serving, request);
    else judgePart(serving, request.body!);
    if (!ofResponse) expect(serving.ends).toBe(0);
  }
}
