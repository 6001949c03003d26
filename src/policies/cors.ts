/**
 * The CORS protocol of the Fetch standard ("CORS protocol"): answers preflights, adds the CORS fields to responses. Hot
 * after bind.
 *
 * Responses to origins that are not allowed go without CORS fields, and the browser keeps them from the script. The
 * backend's own CORS fields are removed: the config is the only source.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { LocalReply } from '../http/local-reply.ts';
import { OTHER } from '../http/known.ts';
import { addVary } from '../http/vary.ts';
import { compileRegex } from '../kit/linear-regex.ts';
import type { CorsPolicyPlan } from '../plan/types/cors.ts';
import type { Policy } from './policy.ts';

/** The response hook adds the fields, as to every local reply. */
const PREFLIGHT_ANSWER = new LocalReply(204, [], '');

const VARY_ORIGIN = 'Vary: Origin\r\n';
/** Another origin, or a request that is no preflight, would get another answer. */
const VARY_PREFLIGHT = 'Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n';
const VARY_NETWORK =
  'Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network\r\n';

const CORS_FIELDS = 'access-control-';
const TOKENS = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

class Cors {
  readonly #plan: CorsPolicyPlan;
  readonly #any: boolean;
  readonly #patterns: readonly RegExp[];
  /** The field lines of every allowed response but Access-Control-Allow-Origin. */
  readonly #lines: readonly string[];
  /** The same, of every allowed preflight. */
  readonly #preflightLines: readonly string[];
  readonly #varyPreflight: string;

  constructor(plan: CorsPolicyPlan) {
    const { origins, patterns, methods, headers, exposeHeaders, credentials, maxAge, privateNetwork } = plan;
    this.#plan = plan;
    this.#any = origins[0] === '*';
    this.#patterns = patterns.map(compileRegex);
    const permits = credentials ? [line('Credentials', 'true')] : [];
    this.#lines =
      exposeHeaders.length > 0 ? [...permits, line('Expose-Headers', exposeHeaders.join(', '), '')] : permits;
    this.#preflightLines = [
      ...permits,
      ...(methods === null ? [] : [line('Methods', methods.join(', '))]),
      ...(headers === null || headers.length === 0 ? [] : [line('Headers', headers.join(', '))]),
      ...(maxAge === null ? [] : [line('Max-Age', String(maxAge / 1000), '')]),
    ];
    this.#varyPreflight = privateNetwork ? VARY_NETWORK : VARY_PREFLIGHT;
  }

  allows(origin: string): boolean {
    if (this.#any || this.#plan.origins.includes(origin)) return true;
    for (const pattern of this.#patterns) if (pattern.test(origin)) return true;
    return false;
  }

  response(x: Exchange): void {
    if (x.response === null) return;
    const { fields } = x.response;
    fields.removePrefixed(CORS_FIELDS);
    if (isPreflight(x)) this.#preflight(x, fields);
    else this.#actual(x.fields.get('origin'), fields);
  }

  #actual(origin: string | undefined, fields: Fields): void {
    // Every request gets the same answer, so that caches need to store one only.
    if (this.#any) fields.addLine(line('Origin', '*'), OTHER);
    else {
      addVary(fields, 'origin', VARY_ORIGIN);
      if (origin === undefined || !this.allows(origin)) return;
      fields.addLine(line('Origin', origin), OTHER);
    }
    for (const one of this.#lines) fields.addLine(one, OTHER);
  }

  #preflight(x: Exchange, fields: Fields): void {
    const origin = x.fields.get('origin') ?? '';
    fields.addLine(this.#varyPreflight, OTHER);
    if (!this.allows(origin)) return;
    fields.addLine(line('Origin', this.#any ? '*' : origin), OTHER);
    for (const one of this.#preflightLines) fields.addLine(one, OTHER);
    const { methods, headers, privateNetwork } = this.#plan;
    // Where anything is allowed, the answer names what was asked for: a literal `*` is no wildcard for requests with
    // credentials, and never stands for Authorization.
    if (methods === null) permit(fields, 'Methods', x.fields.get('access-control-request-method'));
    if (headers === null) permit(fields, 'Headers', x.fields.get('access-control-request-headers'));
    if (privateNetwork && x.fields.get('access-control-request-private-network') === 'true')
      fields.addLine(line('Private-Network', 'true'), OTHER);
  }
}

/** `name`: what follows `Access-Control-Allow-`, or after another prefix `Access-Control-`. */
function line(name: string, value: string, allow = 'Allow-'): string {
  return `Access-Control-${allow}${name}: ${value}\r\n`;
}

function permit(fields: Fields, name: string, asked: string | undefined): void {
  if (asked !== undefined && TOKENS.test(asked)) fields.addLine(line(name, asked), OTHER);
}

/** A CORS-preflight request: OPTIONS with both fields. Any other OPTIONS is a request for the backend. */
function isPreflight({ method, fields }: Exchange): boolean {
  return (
    method === 'OPTIONS' &&
    fields.get('access-control-request-method') !== undefined &&
    fields.get('origin') !== undefined
  );
}

export const cors: Policy<CorsPolicyPlan> = {
  bind: (plan) => {
    const rules = new Cors(plan);
    return {
      request: (x) => (isPreflight(x) ? PREFLIGHT_ANSWER : undefined),
      response: (x) => rules.response(x),
    };
  },
  why: (plan, x) => {
    const origin = x.fields.get('origin');
    if (origin === undefined) return 'the request has no Origin';
    const asked = isPreflight(x) ? 'answers the preflight: ' : '';
    if (!new Cors(plan).allows(origin))
      return `${asked}${origin} is not allowed, so browsers keep the response from it`;
    return `${asked}${origin} is allowed`;
  },
};
