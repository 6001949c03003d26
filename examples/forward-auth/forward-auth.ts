/** Asks an authorization service about each request: it admits the request, or its response goes to the client. */
import { LocalReply, type Policy, problemReply } from 'prozy';

const NAMES = { type: 'array', items: { type: 'string', pattern: '^[a-z0-9-]+$' } };

/** The settings: prozy checks them when it checks the config, and fills in the defaults. */
export const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    path: { type: 'string', pattern: '^/', default: '/verify' },
    asks_with: { ...NAMES, default: ['authorization', 'cookie'] },
    identity: { ...NAMES, default: ['x-user'] },
  },
};

interface Config {
  /** The path at the service. */
  readonly path: string;
  /** Request fields that the service gets. */
  readonly asks_with: readonly string[];
  /** Fields of the service's response that the backend gets. */
  readonly identity: readonly string[];
}

/** Response fields that the client gets if the service refuses. */
const PASSED = ['www-authenticate', 'location', 'set-cookie', 'content-type'];

export default {
  bind({ path, asks_with: asked, identity }, scope) {
    const auth = scope.pool('auth');
    return {
      async request(x, context) {
        // A client must not name its own identity.
        for (const name of identity) x.fields.remove(name);
        const fields = [
          ['x-forwarded-method', x.method],
          ['x-forwarded-uri', x.path + x.query],
          ...asked.map((name) => [name, x.fields.get(name) ?? ''] as const).filter(([, value]) => value !== ''),
        ] as const;
        const answer = await context.send(auth, { path, fields });
        if (answer.error !== null) {
          // For the access log. The client gets a 502, 503 or 504.
          x.error = answer.error.code;
          return problemReply(answer.error.status);
        }
        const named = (names: readonly string[]): (readonly [string, string])[] => {
          const found: (readonly [string, string])[] = [];
          answer.fields.forEach((...field) => names.includes(field[0].toLowerCase()) && found.push(field));
          return found;
        };
        if (answer.status < 200 || answer.status > 299)
          return new LocalReply(answer.status, named(PASSED), answer.body.toString());
        for (const [name, value] of named(identity)) x.fields.set(name, value);
        return undefined;
      },
    };
  },
  guards: () => true,
} satisfies Policy<Config>;
