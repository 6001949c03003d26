/** Admits requests that carry a known API key, and tells the backend whose it is. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Policy, problemReply } from 'prozy';

/** The settings: prozy checks them when it checks the config, and fills in the defaults. */
export const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['keys'],
  properties: {
    header: { type: 'string', pattern: '^[a-z0-9-]+$', default: 'x-api-key' },
    keys: { type: 'object', minProperties: 1, additionalProperties: { type: 'string', minLength: 8 } },
  },
};

interface Config {
  readonly header: string;
  /** Keys by the name of their owner. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Prepared once: a hook returns it as often as it likes. */
const UNKNOWN = problemReply(401, [['WWW-Authenticate', 'ApiKey']]);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export default {
  // Once per reload: whatever the settings alone decide is decided here.
  bind({ header, keys }) {
    const owners = Object.entries(keys).map(([owner, key]) => ({ owner, key: digest(key) }));
    return {
      // Once per request, before a pool is chosen.
      request(x) {
        const given = digest(x.fields.get(header) ?? '');
        const found = owners.find(({ key }) => timingSafeEqual(key, given));
        if (found === undefined) return UNKNOWN;
        x.fields.remove(header);
        x.fields.set('x-api-owner', found.owner);
        return undefined;
      },
    };
  },
  // For `prozy explain` and the tests of a config.
  why: ({ header }, x) => (x.fields.get(header) === undefined ? `there is no ${header}` : `${header} was read`),
} satisfies Policy<Config>;
