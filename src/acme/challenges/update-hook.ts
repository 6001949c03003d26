/** TXT records by dynamic updates (RFC 2136) of the primary server of a zone, over TCP, signed with TSIG. Cold. */
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import { systemReason } from '../../kit/system-reason.ts';
import { AcmeError } from '../client/acme-error.ts';
import {
  hasSoa,
  HEADER,
  RCODES,
  rcodeOf,
  signMessage,
  soaQuery,
  type TsigKey,
  updateMessage,
  verifyResponse,
} from './dns-message.ts';
import type { DnsHook, TxtRecord } from './dns01.ts';

export interface UpdateServer {
  readonly host: string;
  readonly port: number;
  /** null: updates are not signed. */
  readonly key: TsigKey | null;
  /** null: the closest name above the record for which the server has an SOA record. */
  readonly zone: string | null;
}

/** For one exchange (ms). */
const TIMEOUT = 10_000;

export function updateHook(server: UpdateServer, clock: Clock): DnsHook {
  const where = `${server.host}:${server.port}`;
  const change = async (record: TxtRecord, add: boolean, stop: AbortSignal): Promise<void> => {
    const zone = server.zone ?? (await zoneOf(server, record.name, clock, stop));
    const id = randomInt(0x1_0000);
    const plain = updateMessage(id, zone, record, add);
    const { key } = server;
    const signed = key === null ? { message: plain, mac: null } : signMessage(plain, key, clock.wall());
    const response = await exchange(server, signed.message, clock, stop);
    const rcode = rcodeOf(response);
    if (rcode !== 0)
      throw new AcmeError('hook_failed', `${where} answers ${RCODES[rcode] ?? rcode} to the update of ${zone}`);
    if (key !== null && !verified(response, key, signed.mac!, clock))
      throw new AcmeError('hook_failed', `the answer of ${where} is not signed by ${key.name}`);
  };
  return {
    add: (record, stop) => change(record, true, stop),
    remove: (record, stop) => change(record, false, stop),
  };
}

function verified(response: Buffer, key: TsigKey, mac: Buffer, clock: Clock): boolean {
  try {
    return verifyResponse(response, key, mac, clock.wall());
  } catch {
    return false;
  }
}

async function zoneOf(server: UpdateServer, name: string, clock: Clock, stop: AbortSignal): Promise<string> {
  const labels = name.split('.');
  for (let first = 1; first < labels.length; first++) {
    const zone = labels.slice(first).join('.');
    const response = await exchange(server, soaQuery(randomInt(0x1_0000), zone), clock, stop);
    try {
      if (rcodeOf(response) === 0 && hasSoa(response)) return zone;
    } catch {
      throw new AcmeError('hook_failed', `${server.host}:${server.port} sent a damaged answer`);
    }
  }
  throw new AcmeError('hook_failed', `${server.host}:${server.port} has no zone for ${name}`);
}

/** One message there and one back, each with its length before it (RFC 1035 §4.2.2). */
function exchange({ host, port }: UpdateServer, message: Buffer, clock: Clock, stop: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const parts: Buffer[] = [];
    const finish = (act: () => void): void => {
      timer.cancel();
      stop.removeEventListener('abort', stopped);
      socket.destroy();
      act();
    };
    const fail = (reason: string): void =>
      finish(() => reject(new AcmeError('hook_failed', `${host}:${port}: ${reason}`)));
    const timer = clock.after(TIMEOUT, () => fail(`no answer within ${TIMEOUT / 1000} s`));
    const stopped = (): void => fail('the gateway stops');
    stop.addEventListener('abort', stopped);
    socket.on('error', (error) => fail(systemReason(error)));
    socket.on('end', () => fail('it ended the connection without an answer'));
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      const bytes = Buffer.concat(parts);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const response = bytes.subarray(2, 2 + bytes.readUInt16BE(0));
      const ours = response.length >= HEADER && response.readUInt16BE(0) === message.readUInt16BE(0);
      if (ours) finish(() => resolve(response));
      else fail('the answer is to another question');
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
  });
}
