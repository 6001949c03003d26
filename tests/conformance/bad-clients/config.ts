/** The gateway that the bad clients come to: a listener for each kind, and one origin behind three pools. */
import { HURRIED, IMPATIENT, KINDS, LIMITS, TIMEOUTS } from './kinds.ts';

export interface Addresses {
  /** Of a kind's listener. */
  readonly listener: (name: string) => string;
  readonly admin: string;
  readonly origin: number;
  /** The access log's file. */
  readonly log: string;
}

export function badClientsConfig({ listener, admin, origin, log }: Addresses): Record<string, unknown> {
  const pool = (timeouts: object): object => ({
    endpoints: [`127.0.0.1:${origin}`],
    timeouts: { first_byte: '10s', idle: '10s', ...timeouts },
    keepalive: { idle: '1s' },
  });
  return {
    version: 1,
    admin: { address: admin },
    logging: { access: { path: log } },
    listeners: Object.fromEntries(
      KINDS.map(({ name, limits, timeouts }) => [
        name,
        { address: listener(name), limits: { ...LIMITS, ...limits }, timeouts: { ...TIMEOUTS, ...timeouts } },
      ]),
    ),
    pools: { origin: pool({}), impatient: pool(IMPATIENT), hurried: pool(HURRIED) },
    routes: [
      { name: 'hello', match: { path: '/hello' }, respond: { body: 'hello' } },
      { name: 'impatient', match: { path: '/impatient' }, pool: 'impatient' },
      { name: 'hurried', match: { path: '/hurried' }, pool: 'hurried' },
      { name: 'rest', match: {}, pool: 'origin' },
    ],
  };
}
