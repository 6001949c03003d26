/** Decodes the content of requests before they are forwarded. Hot after bind; the implementation is in http/coding/. */
import { codingsIn } from '../http/coding/codings.ts';
import { decodingFilter } from '../http/coding/decoding-filter.ts';
import { removeDigests } from '../http/coding/representation.ts';
import { CONTENT_ENCODING, CONTENT_LENGTH } from '../http/known.ts';
import { problemReply } from '../http/local-reply.ts';
import { UNKNOWN_LENGTH } from '../http/message.ts';
import type { DecompressPlan } from '../plan/types/coding.ts';
import type { Policy } from './policy.ts';

/** More codings of one content than this are an attack, or a mistake. */
const MOST_CODINGS = 3;

export const decompress: Policy<DecompressPlan> = {
  bind: ({ encodings, maxSize, maxRatio }) => {
    const limits = { maxSize, maxRatio };
    // RFC 9110 §15.5.16: the field tells which codings would have been accepted.
    const unsupported = problemReply(415, [['Accept-Encoding', encodings.join(', ')]]);
    return {
      request: (x) => {
        const value = x.fields.known(CONTENT_ENCODING);
        if (value === undefined || x.bodyLength === 0) return undefined;
        return codingsIn(value, encodings, MOST_CODINGS) === null ? unsupported : undefined;
      },
      forward: (x) => {
        const value = x.fields.known(CONTENT_ENCODING);
        if (value === undefined || x.bodyLength === 0) return undefined;
        const codings = codingsIn(value, encodings, MOST_CODINGS);
        // null: a policy behind this one has added a coding.
        if (codings === null) return undefined;
        x.fields.removeKnown(CONTENT_ENCODING);
        if (codings.length === 0) return undefined;
        x.fields.removeKnown(CONTENT_LENGTH);
        removeDigests(x.fields);
        x.bodyLength = UNKNOWN_LENGTH;
        return decodingFilter(codings, limits);
      },
    };
  },
  why: ({ encodings }, x) => {
    const value = x.fields.known(CONTENT_ENCODING);
    if (value === undefined) return 'the request has no Content-Encoding';
    if (x.bodyLength === 0) return 'the request has no content';
    if (codingsIn(value, encodings, MOST_CODINGS) === null) return `decodes only ${encodings.join(', ')}`;
    return 'decodes the content';
  },
};
