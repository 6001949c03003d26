/**
 * An HTTP endpoint that makes and removes TXT records: `POST <url>/present|cleanup` with `{ fqdn, value }`, as lego's
 * `httpreq` calls it. Cold.
 */
import { AcmeError, textOf } from '../client/acme-error.ts';
import type { HttpClient } from '../client/http-client.ts';
import type { DnsHook, TxtRecord } from './dns01.ts';

/** `authorization`: the value of that field; null: none. */
export function webhook(url: string, authorization: string | null, http: HttpClient): DnsHook {
  const call = async (action: string, { name, value }: TxtRecord): Promise<void> => {
    const { status, body } = await http.send({
      method: 'POST',
      url: `${url.replace(/\/$/, '')}/${action}`,
      fields: {
        'content-type': 'application/json',
        ...(authorization === null ? {} : { authorization }),
      },
      body: JSON.stringify({ fqdn: `${name}.`, value }),
    });
    if (status < 200 || status > 299)
      throw new AcmeError('hook_failed', `${url} ${action}: status ${status} ${textOf(body)}`.trim(), { status });
  };
  return {
    add: (record) => call('present', record),
    remove: (record) => call('cleanup', record),
  };
}
