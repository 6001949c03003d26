/** `POST /backends/POOL/ENDPOINT/drain|disable|enable`: an operator's word about one endpoint. Cold. */
import type { IncomingMessage } from 'node:http';
import type { Gateway } from '../runtime/gateway.ts';
import { commandEndpoint, type EndpointView } from '../runtime/inventory.ts';

const DUTIES = { drain: 'draining', disable: 'disabled', enable: 'enabled' } as const;

/** null: the path is another page's. */
const PATH = /^\/backends\/([^/]+)\/([^/]+)\/(drain|disable|enable)$/;

export function isCommand(path: string): boolean {
  return PATH.test(path);
}

/** Does a browser send it for a page of somebody else's? Whoever can reach the admin port must not lend it to any site. */
export function fromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.host;
}

/** Does it; answers with the endpoint as it is now, or null if there is none of that name. */
export function command(gateway: Gateway, path: string): EndpointView | null {
  const [, pool = '', endpoint = '', word] = PATH.exec(path) ?? [];
  try {
    // One of the three: the pattern says so.
    const duty = DUTIES[word as keyof typeof DUTIES];
    return commandEndpoint(gateway, decodeURIComponent(pool), decodeURIComponent(endpoint), duty);
  } catch {
    // Not percent-encoded as it should be: nothing is called that.
    return null;
  }
}
