/** DNS-01 (RFC 8555 §8.4): a TXT record that a hook makes and removes. Cold. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { asAcmeError } from '../client/acme-error.ts';
import type { Solver } from '../client/order.ts';
import { pause } from '../client/patience.ts';

export interface TxtRecord {
  /** `_acme-challenge.example.com`, without a dot at its end. */
  readonly name: string;
  readonly value: string;
}

/** Makes and removes records at an operator's name server. Rejects with an AcmeError. */
export interface DnsHook {
  /** A name may have several values at once. */
  add(record: TxtRecord, stop: AbortSignal): Promise<void>;
  remove(record: TxtRecord, stop: AbortSignal): Promise<void>;
}

export interface DnsSolverParts {
  readonly hook: DnsHook;
  /** From the record's creation until the authority is asked to look (ms). */
  readonly wait: number;
  readonly clock: Clock;
  /** Called for a record that can't be removed. */
  readonly leftover: (record: TxtRecord, reason: string) => void;
}

export function dnsSolver({ hook, wait, clock, leftover }: DnsSolverParts): Solver {
  // Hooks change one zone: one at a time.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = last.then(act, act);
    last = mine.catch(() => {});
    return mine;
  };
  return {
    type: 'dns-01',
    async present({ identifier, keyAuthorization }, stop) {
      const value = createHash('sha256').update(keyAuthorization).digest('base64url');
      const record = { name: `_acme-challenge.${identifier.value}`, value };
      const remove = async (): Promise<void> => {
        try {
          // Even when the gateway stops: the record would stay for ever.
          await inTurn(() => hook.remove(record, new AbortController().signal));
        } catch (error) {
          leftover(record, asAcmeError(error).message);
        }
      };
      await inTurn(() => hook.add(record, stop));
      try {
        await pause(clock, wait, stop);
      } catch (error) {
        await remove();
        throw error;
      }
      return remove;
    },
  };
}
