/** In which order a complete reply is settled and sent, with and without hooks. */
import { describe, expect, test } from 'vitest';
import { BodyFilter } from '../../src/http/body-filter.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import type { Fields } from '../../src/http/fields.ts';
import { LocalReply } from '../../src/http/local-reply.ts';
import type { ServerStream } from '../../src/http/server-stream.ts';
import { type GatewayError, POLICY_FAILED } from '../../src/kit/errors.ts';
import type { BoundHooks } from '../../src/policies/policy.ts';
import { sendLocalReply } from '../../src/proxy/complete-reply.ts';
import type { FailedHook, FilterChain } from '../../src/proxy/filter-chain.ts';
import type { RespondingExchange } from '../../src/proxy/responding-exchange.ts';
import { exchange } from '../support/exchange.ts';

class Upper extends BodyFilter {
  data(bytes: Buffer, start: number, end: number): boolean {
    const text = Buffer.from(bytes.toString('latin1', start, end).toUpperCase());
    return this.next.data(text, 0, text.length);
  }

  end(trailers: Fields | null): void {
    this.next.end(trailers);
  }
}

/** An exchange whose log has what becomes of it. */
function replied(x: Exchange): { owner: RespondingExchange; log: string[]; sent: LocalReply[] } {
  const log: string[] = [];
  const sent: LocalReply[] = [];
  const stream = {
    bytesOut: 0,
    localReply: (reply: LocalReply) => {
      log.push(`reply ${reply.status}`);
      sent.push(reply);
    },
    head: ({ status }: { status: number }) => log.push(`head ${status}`),
    data: (bytes: Buffer, start: number, end: number) => log.push(`data ${bytes.toString('latin1', start, end)}`) > 0,
    end: () => log.push('end'),
    flush: () => {},
  } as unknown as ServerStream;
  const owner = {
    x,
    stream,
    over: false,
    explain: null,
    responseFilters: null as FilterChain | null,
    context: { shared: { date: { line: () => 'Date: now\r\n' } } },
    settle(bytes?: number) {
      owner.over = true;
      log.push(bytes === undefined ? 'settled' : `settled ${bytes}`);
    },
    hookFailed({ error }: FailedHook) {
      owner.over = true;
      log.push(`failed ${error.code}`);
    },
    data: (bytes: Buffer, start: number, end: number) => owner.responseFilters!.data(bytes, start, end),
    endResponse: (trailers: Fields | null) => owner.responseFilters!.end(trailers),
    refuse: ({ code }: GatewayError) => log.push(`refused ${code}`),
  };
  return { owner: owner as unknown as RespondingExchange, log, sent };
}

const GREETING = new LocalReply(200, [['X-Made-By', 'test']], 'hello');
const NONE: BoundHooks['local'] = [];

describe('a local reply', () => {
  test('without hooks is sent as it is, after the exchange has been settled', () => {
    const { owner, log, sent } = replied(exchange());
    sendLocalReply(owner, GREETING, NONE, false);
    expect(log).toEqual(['settled 5', 'reply 200']);
    expect(sent[0]).toBe(GREETING);
  });

  test('to a HEAD has no content to count', () => {
    const { owner, log } = replied(exchange({ method: 'HEAD' }));
    sendLocalReply(owner, GREETING, NONE, false);
    expect(log).toEqual(['settled 0', 'reply 200']);
  });

  test('passes the hooks, which leave the prepared one unchanged', () => {
    const { owner, log, sent } = replied(exchange());
    const hook = (x: Exchange): undefined => {
      x.response!.status = 203;
      x.response!.fields.add('X-Seen', 'yes');
    };
    sendLocalReply(owner, GREETING, [hook], false);
    expect(log).toEqual(['settled 5', 'reply 203']);
    expect(owner.x.status).toBe(203);
    expect(sent[0]).not.toBe(GREETING);
    expect(GREETING.status).toBe(200);
  });

  test('passes the filters of hooks, and is settled when they have sent its end', () => {
    const { owner, log } = replied(exchange());
    sendLocalReply(owner, GREETING, [() => new Upper()], false);
    expect(log).toEqual(['head 200', 'data HELLO', 'settled', 'end']);
  });

  test('is not sent if a hook ends the exchange, and later hooks do not run', () => {
    const { owner, log } = replied(exchange());
    const never = (): undefined => {
      log.push('ran');
    };
    sendLocalReply(owner, GREETING, [() => POLICY_FAILED, never], false);
    expect(log).toEqual(['failed policy_failed']);
  });
});
