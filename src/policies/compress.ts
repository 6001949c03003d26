/** Compresses responses with a coding that the client accepts. Hot after bind; the implementation is in http/coding/. */
import { chooseCoding } from '../http/coding/accept-encoding.ts';
import { encodingFilter } from '../http/coding/encoding-filter.ts';
import { type Encoder, encoderOf } from '../http/coding/encoders.ts';
import { knowsWeakly, removeDigests, weakenEntityTag } from '../http/coding/representation.ts';
import { DirectiveReader } from '../cache/rules/directive-reader.ts';
import type { BodyFilter } from '../http/body-filter.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH } from '../http/known.ts';
import { type ResponseHead, UNKNOWN_LENGTH } from '../http/message.ts';
import { addVary } from '../http/vary.ts';
import { memoized } from '../kit/memoized.ts';
import type { CompressPlan } from '../plan/types/coding.ts';
import type { Policy } from './policy.ts';

const VARY_LINE = 'Vary: Accept-Encoding\r\n';

export const compress: Policy<CompressPlan> = {
  bind: ({ encodings, minimumSize, types }) => {
    const codings = encodings.map(({ coding }) => coding);
    const encoders = encodings.map(({ coding, level }) => encoderOf(coding, level));
    const choose = memoized((acceptEncoding) => {
      const coding = chooseCoding(acceptEncoding, codings);
      return { encoder: coding === null ? null : encoders[codings.indexOf(coding)]! };
    });
    const coded = mediaTypeTest(types);
    return {
      response: (x) => {
        const head = x.response;
        if (head === null || head.status < 200) return undefined;
        if (head.status === 304) {
          notModified(x, head.fields, coded);
          return undefined;
        }
        if (!mayBeCoded(x.method, head, coded, minimumSize)) return undefined;
        addVary(head.fields, 'accept-encoding', VARY_LINE);
        // A part of the plain representation: it has the plain one's tag.
        if (head.status === 206 || isKeptAsIs(x.fields)) return undefined;
        const { encoder } = choose(x.fields.get('accept-encoding') ?? '');
        return encoder === null ? undefined : encode(x, head, encoder);
      },
    };
  },
  why: ({ encodings }, x) => {
    const codings = encodings.map(({ coding }) => coding);
    if (isKeptAsIs(x.fields)) return 'the request says no-transform';
    const coding = chooseCoding(x.fields.get('accept-encoding'), codings);
    if (coding === null) return `the client accepts none of ${codings.join(', ')}`;
    return `${coding}, if the response has a listed type, no coding yet, and enough content`;
  },
};

/** Gives the response a coding. Returns undefined for a HEAD, which has the same fields and no content. */
function encode(x: Exchange, head: ResponseHead, encoder: Encoder): BodyFilter | undefined {
  let filter: BodyFilter | undefined;
  if (x.method !== 'HEAD') {
    const made = encodingFilter(encoder, head.length);
    if (made === null) return undefined;
    filter = made;
    head.length = UNKNOWN_LENGTH;
  }
  const { fields } = head;
  fields.removeKnown(CONTENT_LENGTH);
  fields.removeKnown(ACCEPT_RANGES);
  removeDigests(fields);
  weakenEntityTag(fields);
  fields.addLine(encodingLine[encoder.coding], CONTENT_ENCODING);
  return filter;
}

const encodingLine = {
  zstd: 'Content-Encoding: zstd\r\n',
  br: 'Content-Encoding: br\r\n',
  gzip: 'Content-Encoding: gzip\r\n',
} as const;

/**
 * A 304 has the fields that tell the client's stored response from others as a 200 would have them (RFC 9110 §15.4.5),
 * but seldom a Content-Type. If the client has named the weak form of the tag only, it got that from here.
 */
function notModified(x: Exchange, fields: Fields, coded: (type: string) => boolean): void {
  const tag = fields.get('etag');
  if (tag !== undefined && knowsWeakly(x.fields.get('if-none-match'), tag)) weakenEntityTag(fields);
  const type = fields.get('content-type');
  if (fields.has(CONTENT_ENCODING) || saysNoTransform(fields)) return;
  if (type === undefined || coded(type)) addVary(fields, 'accept-encoding', VARY_LINE);
}

/** Could the response to some client have a coding? */
function mayBeCoded(
  method: string,
  { status, fields, length }: ResponseHead,
  coded: (type: string) => boolean,
  minimumSize: number,
): boolean {
  // RFC 9110 §15.3.5, §15.3.6: they have no content. §9.3.6: what follows is no content.
  if (status === 204 || status === 205 || (method === 'CONNECT' && status < 300)) return false;
  const type = fields.get('content-type');
  if (type === undefined || !coded(type)) return false;
  if (fields.has(CONTENT_ENCODING) || saysNoTransform(fields)) return false;
  if (status === 206) return true;
  const size = method === 'HEAD' ? Number(fields.get('content-length') ?? UNKNOWN_LENGTH) : length;
  if (size === 0 || (size !== UNKNOWN_LENGTH && size < minimumSize)) return false;
  return fields.get('content-range') === undefined;
}

/** The client has asked for content that is not transformed (RFC 9111 §5.2.1.6). */
function isKeptAsIs(fields: Fields): boolean {
  return fields.has(CACHE_CONTROL) && saysNoTransform(fields);
}

/** RFC 9110 §7.7. */
function saysNoTransform(fields: Fields): boolean {
  const value = fields.get('cache-control');
  if (value === undefined || !/no-transform/i.test(value)) return false;
  const directives = new DirectiveReader(value);
  while (directives.next()) if (directives.name === 'no-transform') return true;
  return false;
}

/** Returns a test for the values of Content-Type, with or without parameters. */
function mediaTypeTest(types: readonly string[]): (type: string) => boolean {
  const alternatives = types.map((type) => type.replaceAll(/[.+$^]/g, String.raw`\$&`).replaceAll('*', '[^;,/ \\t]+'));
  const pattern = new RegExp(`^(?:${alternatives.join('|')})[ \\t]*(?:;|$)`, 'i');
  return (type) => pattern.test(type);
}
