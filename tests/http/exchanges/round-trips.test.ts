/** Exchanges that go well, over every way of delivery. */
import { describe, expect, test, vi } from 'vitest';
import { CODECS } from './codecs.ts';
import { judgeAnswer, judgeRequest } from './judge.ts';
import { Meeting, NOTHING } from './meeting.ts';
import { ROUND_TRIPS } from './round-trips.ts';
import { answering, overSeeds } from './support.ts';

vi.mock('../../../src/http/fields-pool.ts', () => import('./counted-fields.ts'));

describe.each(CODECS)('$server.name and $client.name', (pair) => {
  test.each(ROUND_TRIPS)('$name', ({ request, answer }) => {
    overSeeds((seed) => {
      const meeting = new Meeting(pair, seed);
      meeting.serve = answering(meeting, answer);
      const asking = meeting.ask(request);
      asking.slowness = meeting.turns.random();
      meeting.run();
      expect(meeting.served.length).toBe(1);
      judgeRequest(meeting.served[0]!, request);
      judgeAnswer(asking, answer, request.method);
      expect(meeting.leftBehind()).toEqual(NOTHING);
    });
  });
});
