/** What a connection does over its life: several exchanges, early answers, retirement, limits, timeouts, backpressure. */
import { describe, expect, test, vi } from 'vitest';
import { CachedReply } from '../../../src/http/cached-reply.ts';
import { FieldList } from '../../../src/http/field-list.ts';
import { problemReply } from '../../../src/http/local-reply.ts';
import type { BodySpec, Pairs } from './bodies.ts';
import { CODECS } from './codecs.ts';
import { judgeAnswer, judgePart, judgeRequest, ownless } from './judge.ts';
import { type AnswerSpec, Meeting, type MeetingOptions, NOTHING, type RequestSpec, type Serving } from './meeting.ts';
import { ROUND_TRIPS } from './round-trips.ts';
import { answering, overSeeds } from './support.ts';

vi.mock('../../../src/http/fields-pool.ts', () => import('./counted-fields.ts'));

const UPLOAD: RequestSpec = { method: 'POST', body: { size: 3000, known: false } };
const DOWNLOAD: AnswerSpec = { body: { size: 3000, known: true } };
/** Those that are quick. */
const SMALL = ROUND_TRIPS.filter(({ request, answer }) => Math.max(sizeOf(request.body), sizeOf(answer.body)) < 10_000);

function sizeOf(body: BodySpec | undefined): number {
  return body === undefined ? 0 : body.size;
}

const many = (count: number): Pairs => Array.from({ length: count }, (_, i) => [`X-F${i}`, `${i}`] as const);

describe.each(CODECS)('$server.name and $client.name', (pair) => {
  describe('several exchanges', () => {
    test('one after the other', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        for (const [i, { request, answer }] of SMALL.entries()) {
          meeting.serve = answering(meeting, answer);
          const asking = meeting.ask(request);
          asking.slowness = meeting.turns.random();
          meeting.run();
          judgeRequest(meeting.served[i]!, request);
          judgeAnswer(asking, answer, request.method);
          expect([meeting.client.uses, meeting.client.streams, meeting.server.idle]).toEqual([i + 1, 0, true]);
        }
        expect([meeting.rooms, meeting.gone.length, meeting.closed]).toEqual([SMALL.length, 0, 0]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('the next begins as soon as the connection has room', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        meeting.serve = answering(meeting, DOWNLOAD);
        let done = 0;
        const next = (): void => {
          const asking = meeting.ask(UPLOAD);
          asking.onEvent = (event) => {
            if (event !== 'end') return;
            judgeAnswer(asking, DOWNLOAD);
            if (++done < 5) next();
          };
        };
        next();
        meeting.run();
        expect([done, meeting.served.length]).toEqual([5, 5]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('as many at a time as there is room for', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const most = Math.min(10, meeting.client.room);
        expect(most).toBeGreaterThan(0);
        meeting.serve = answering(meeting, DOWNLOAD);
        const all = Array.from({ length: most }, () => meeting.ask(UPLOAD));
        expect(meeting.client.streams).toBe(most);
        meeting.run();
        for (const asking of all) judgeAnswer(asking, DOWNLOAD);
        expect([meeting.client.streams, meeting.client.uses]).toEqual([0, most]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a receiver that holds back a request to its end holds up no later exchange', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        meeting.serve = (serving) => {
          serving.stuck = true;
          serving.onEvent = (event) => {
            if (event === 'end') serving.respond(meeting, DOWNLOAD);
          };
          serving.read();
        };
        for (let i = 1; i <= 3; i++) {
          const asking = meeting.ask({ method: 'POST', body: { size: 1, known: true } });
          meeting.run();
          judgeAnswer(asking, DOWNLOAD);
          expect(meeting.client.uses).toBe(i);
        }
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a response whose last bytes wait for their receiver holds up no other exchange that there is room for', () => {
      overSeeds(
        (seed) => {
          const meeting = new Meeting(pair, seed);
          meeting.serve = answering(meeting, { body: { size: 1, known: seed % 8 === 0 } });
          const first = meeting.ask({});
          first.stuck = true;
          meeting.run(() => first.ends > 0);
          if (meeting.client.room > 0) {
            const second = meeting.ask({});
            meeting.run();
            expect([second.status, second.ends, second.bytes]).toEqual([200, 1, 1]);
          }
          meeting.run();
          first.stream.resume();
          meeting.run();
          expect([first.ends, first.bytes, meeting.client.room > 0, meeting.gone]).toEqual([1, 1, true, []]);
          expect(meeting.leftBehind()).toEqual(NOTHING);
        },
        [0, 4, 8, 12, 16, 20],
      );
    });

    test('the rest of a response is discarded, and another exchange follows if there is room', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        meeting.serve = answering(meeting, { body: { size: 5000, known: seed % 2 === 0 } });
        const first = meeting.ask({});
        first.onEvent = (event) => {
          if (event === 'data' && !first.gone) {
            first.gone = true;
            first.stream.discard();
          }
        };
        meeting.run();
        expect([first.ends, first.failed]).toEqual([0, null]);
        expect(meeting.client.room > 0).toBe(meeting.gone.length === 0);
        if (meeting.client.room > 0) {
          const second = meeting.ask(UPLOAD);
          meeting.serve = answering(meeting, DOWNLOAD);
          meeting.run();
          judgeAnswer(second, DOWNLOAD);
        }
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('a response that does not wait for the request', () => {
    test.each([
      ['of known length', { early: true, body: { size: 20_000, known: true } }],
      ['of unknown length', { early: true, body: { size: 20_000, known: false, trailers: [['X-T', 'u']] } }],
      ['without content', { early: true }],
    ] as const)('%s is whole, and so is the request that is read', (_, answer) => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const request = { method: 'POST', body: { size: 20_000, known: seed % 2 === 0 } };
        meeting.serve = answering(meeting, answer);
        const asking = meeting.ask(request);
        asking.slowness = meeting.turns.random();
        meeting.run();
        judgeAnswer(asking, answer);
        judgePart(meeting.served[0]!, request.body);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a local reply, though the body is never read', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        meeting.serve = (serving) => reply(serving, () => serving.stream.localReply(problemReply(403)));
        const asking = meeting.ask({ method: 'POST', body: { size: 200_000, known: seed % 2 === 0 } });
        meeting.run();
        expect([asking.status, asking.ends]).toEqual([403, 1]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('replies that are ready', () => {
    const kept = Buffer.from('kept as bytes\r\n'.repeat(2000));
    const fields = FieldList.of([
      ['X-A', 'b'],
      ['x-a', 'c'],
    ]);
    test.each(['GET', 'HEAD'])('local and cached ones, to a %s', (method) => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const local = problemReply(503, [['Retry-After', '1']]);
        const text = CachedReply.of(200, '', fields, 'text', null);
        const bytes = CachedReply.of(203, '', fields, '', kept);
        const send = [
          (serving: Serving) => serving.stream.localReply(local),
          (serving: Serving) => serving.stream.cachedReply(text),
          (serving: Serving) => serving.stream.cachedReply(bytes),
        ];
        // Each twice: the second time the codec has its memo.
        for (const [i, content] of [
          local.bodyBytes,
          text.bodyBytes,
          kept,
          local.bodyBytes,
          text.bodyBytes,
          kept,
        ].entries()) {
          meeting.serve = (serving) => reply(serving, () => send[i % 3]!(serving));
          const asking = meeting.ask({ method });
          asking.slowness = meeting.turns.random();
          meeting.run();
          expect([asking.status, asking.ends]).toEqual([[503, 200, 203][i % 3], 1]);
          expect(asking.content.equals(method === 'HEAD' ? Buffer.alloc(0) : content)).toBe(true);
          const fields = ownless(asking.fields).filter(([name]) => name !== 'content-type');
          if (i % 3 === 0) expect(fields).toEqual([['retry-after', '1']]);
          else
            expect(fields).toEqual([
              ['x-a', 'b'],
              ['x-a', 'c'],
            ]);
          const bytesOut = meeting.served[i]!.stream.bytesOut;
          if (method === 'HEAD') expect(bytesOut).toBe(0);
        }
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('retirement', () => {
    test.each(['client', 'server'] as const)(
      'the %s retires within an exchange, which ends as if nothing was',
      (side) => {
        overSeeds((seed) => {
          const meeting = new Meeting(pair, seed);
          meeting.serve = answering(meeting, DOWNLOAD);
          const asking = meeting.ask(UPLOAD);
          meeting.run(() => meeting.served.length > 0);
          meeting[side].retire();
          meeting.run();
          judgeRequest(meeting.served[0]!, UPLOAD);
          judgeAnswer(asking, DOWNLOAD);
          expect([meeting.client.room, meeting.gone.length]).toEqual([0, 1]);
          meeting.pass(3000);
          expect(meeting.closed).toBe(1);
          expect(meeting.leftBehind()).toEqual(NOTHING);
        });
      },
    );

    test.each(['client', 'server'] as const)('the %s retires while idle', (side) => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const asking = meeting.ask({});
        meeting.run();
        judgeAnswer(asking, {});
        meeting[side].retire();
        meeting.run();
        expect([meeting.client.room, meeting.gone]).toEqual([0, ['idle']]);
        meeting.pass(3000);
        expect(meeting.closed).toBe(1);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a patient server serves the first request of a new connection, and no other', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        meeting.server.retire(true);
        const asking = meeting.ask({});
        meeting.run();
        judgeAnswer(asking, {});
        expect([meeting.client.room, meeting.gone.length]).toEqual([0, 1]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a response that must be the last one', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const download = { body: { size: 60_000, known: seed % 2 === 0 } };
        const answer = answering(meeting, download);
        meeting.serve = (serving) => {
          serving.stream.closing = true;
          answer(serving);
        };
        const asking = meeting.ask(UPLOAD);
        asking.slowness = meeting.turns.random();
        meeting.run();
        judgeAnswer(asking, download);
        expect([meeting.client.room, meeting.gone.length]).toEqual([0, 1]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('an idle connection ends at the deadline that its owner sets', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed);
        const asking = meeting.ask({});
        meeting.run();
        judgeAnswer(asking, {});
        meeting.client.deadline = meeting.deadlines.now + 500;
        meeting.pass(400);
        expect(meeting.gone).toEqual([]);
        meeting.pass(400);
        expect(meeting.gone).toEqual(['idle']);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('limits', () => {
    const limits = { headerSize: 4000, headerCount: 40, uriSize: 500, bodySize: 10_000 };
    test.each([
      ['too many fields', { fields: many(60) }, 431],
      ['a field that is too long', { fields: [['X-A', 'v'.repeat(5000)]] }, 431],
      ['a target that is too long', { path: `/${'a'.repeat(600)}` }, 414],
      ['a body that turns out to be too much', { method: 'POST', body: { size: 40_000, known: false } }, 413],
    ] as const)('a request with %s', (_, request, status) => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { limits });
        const asking = meeting.ask(request);
        meeting.run();
        expect([asking.status, asking.ends, asking.failed]).toEqual([status, 1, null]);
        const left = meeting.served.map((serving) => serving.left?.status);
        expect([...meeting.refusals, ...left]).toEqual([status]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a request at its limits', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { limits });
        const request = { method: 'POST', path: `/${'a'.repeat(499)}`, body: { size: 10_000, known: true } };
        const asking = meeting.ask(request);
        meeting.run();
        judgeRequest(meeting.served[0]!, request);
        judgeAnswer(asking, {});
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    const endless = Array.from({ length: 100 }, () => [103, [['Link', '</a>']]] as const);
    test.each([
      ['too many fields', { fields: many(60) }, 'response_head_too_large'],
      ['a field that is too long', { fields: [['X-A', 'v'.repeat(5000)]] }, 'response_head_too_large'],
      ['endless informational responses', { informational: endless }, 'bad_response'],
    ] as const)('a response with %s', (_, answer, code) => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { rules: { headerSize: 4000, headerCount: 40 } });
        meeting.serve = answering(meeting, answer);
        const asking = meeting.ask({});
        meeting.run();
        expect([asking.failed?.code, asking.ends]).toEqual([code, 0]);
        expect(asking.informationals.length).toBeLessThan(40);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('time', () => {
    /** Nothing happens before `ms`, and then it does. */
    const after = (meeting: Meeting, ms: number, over: () => boolean): void => {
      meeting.run();
      meeting.pass(ms - 300);
      expect(over()).toBe(false);
      meeting.pass(ms);
      expect(over()).toBe(true);
    };
    const forever: MeetingOptions = {
      timeouts: { header: 1e9, body: 1e9, idle: 1e9, send: 1e9 },
      clientTimeouts: { firstByte: 1e9, idle: 1e9, stream: 1e9 },
    };

    test('a response that does not begin', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, clientTimeouts: { firstByte: 2000, idle: 1e9 } });
        meeting.serve = (serving) => serving.read();
        const asking = meeting.ask(UPLOAD);
        after(meeting, 2000, () => asking.failed?.code === 'first_byte_timeout');
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a response that does not go on', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, clientTimeouts: { firstByte: 1e9, idle: 2000 } });
        meeting.serve = (serving) => {
          serving.respond(meeting, DOWNLOAD);
          serving.answer!.most = 100;
        };
        const asking = meeting.ask({});
        after(meeting, 2000, () => asking.failed?.code === 'response_timeout');
        expect(asking.bytes).toBe(100);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a stream of events may be silent for longer', () => {
      overSeeds((seed) => {
        const clientTimeouts = { firstByte: 1e9, idle: 2000, stream: 5000 };
        const meeting = new Meeting(pair, seed, { ...forever, clientTimeouts });
        meeting.serve = (serving) => {
          const fields = [['Content-Type', 'text/event-stream']] as const;
          serving.respond(meeting, { fields, body: { size: 500, known: false } });
          serving.answer!.most = 100;
        };
        const asking = meeting.ask({});
        after(meeting, 5000, () => asking.failed?.code === 'response_timeout');
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a request body that does not go on', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, timeouts: { ...forever.timeouts, body: 2000 } });
        const asking = meeting.ask(UPLOAD);
        asking.body!.most = 1000;
        after(meeting, 2000, () => meeting.served[0]!.left?.code === 'body_timeout');
        expect([asking.status, asking.ends, meeting.served[0]!.bytes]).toEqual([408, 1, 1000]);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a 100 that does not come', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, clientTimeouts: { firstByte: 2000, idle: 1e9 } });
        meeting.serve = () => {};
        const asking = meeting.ask({ ...UPLOAD, expects: true });
        after(meeting, 2000, () => asking.failed?.code === 'first_byte_timeout');
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a client that waits for its 100 is not late', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, timeouts: { ...forever.timeouts, body: 2000 } });
        meeting.serve = (serving) => {
          serving.onEvent = (event) => {
            if (event === 'end') serving.respond(meeting, {});
          };
          serving.read();
        };
        const asking = meeting.ask({ ...UPLOAD, expects: true });
        meeting.run();
        meeting.pass(5000);
        expect(meeting.served[0]!.left).toBe(null);
        meeting.served[0]!.informational(100, []);
        meeting.run();
        judgeAnswer(asking, { informational: [[100, []]] });
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a new connection without a request, and one that was used', () => {
      overSeeds((seed) => {
        const timeouts = { ...forever.timeouts, header: 2000, idle: 4000 };
        const unused = new Meeting(pair, seed, { ...forever, timeouts });
        after(unused, 2000, () => unused.gone.length === 1);
        expect(unused.leftBehind()).toEqual(NOTHING);
        const used = new Meeting(pair, seed, { ...forever, timeouts });
        const asking = used.ask({});
        used.run();
        judgeAnswer(asking, {});
        after(used, 4000, () => used.gone.length === 1);
        expect(used.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a client that takes no more of its response', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, timeouts: { ...forever.timeouts, send: 2000 } });
        meeting.serve = answering(meeting, { body: { size: 300_000, known: seed % 2 === 0 } });
        const asking = meeting.ask({});
        asking.stuck = true;
        meeting.run();
        after(meeting, 2000, () => meeting.served[0]!.left?.code === 'client_stalled');
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('a server that takes no more of its request', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { ...forever, clientTimeouts: { firstByte: 1e9, idle: 2000 } });
        meeting.serve = (serving) => {
          serving.stuck = true;
          serving.read();
        };
        const asking = meeting.ask({ method: 'POST', body: { size: 300_000, known: seed % 2 === 0 } });
        meeting.run();
        after(meeting, 2000, () => asking.failed?.code === 'send_timeout');
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });

  describe('backpressure', () => {
    const capacity = 10_000;
    const size = 1_000_000;
    /** The network, a part that its writer has begun, a read at the other side, and what a codec adds. */
    const most = capacity + 65_536 + capacity + 2000;

    test('of a request that is not taken', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { capacity });
        meeting.serve = (serving) => {
          serving.stuck = true;
          serving.read();
        };
        const asking = meeting.ask({ method: 'POST', body: { size, known: seed % 2 === 0 } });
        meeting.run();
        expect(asking.body!.sent).toBeLessThan(most);
        expect(meeting.served[0]!.bytes).toBeGreaterThan(0);
        asking.abort();
        meeting.run();
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });

    test('of a request that is not read yet', () => {
      overSeeds(
        (seed) => {
          const meeting = new Meeting(pair, seed, { capacity });
          meeting.serve = () => {};
          const asking = meeting.ask({ method: 'POST', body: { size, known: seed % 2 === 0 } });
          meeting.run();
          expect(asking.body!.sent).toBeLessThan(most);
          // Then it is, and nothing is lost.
          const [serving] = meeting.served;
          serving!.onEvent = (event) => {
            if (event === 'end') serving!.respond(meeting, {});
          };
          serving!.read();
          meeting.run();
          expect(serving!.bytes).toBe(size);
          judgeAnswer(asking, {});
          expect(meeting.leftBehind()).toEqual(NOTHING);
        },
        [0, 3, 4, 7],
      );
    });

    test('of a response that is not taken', () => {
      overSeeds((seed) => {
        const meeting = new Meeting(pair, seed, { capacity });
        meeting.serve = answering(meeting, { body: { size, known: seed % 2 === 0 } });
        const asking = meeting.ask({});
        asking.stuck = true;
        meeting.run();
        expect(meeting.served[0]!.answer!.sent).toBeLessThan(most);
        expect(asking.bytes).toBeGreaterThan(0);
        asking.abort();
        meeting.run();
        expect(meeting.served[0]!.left).not.toBe(null);
        expect(meeting.leftBehind()).toEqual(NOTHING);
      });
    });
  });
});

/** Sends a reply that is complete by itself. */
function reply(serving: Serving, send: () => void): void {
  serving.stream.owner = null;
  send();
  serving.done();
}
