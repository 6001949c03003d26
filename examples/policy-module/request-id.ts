/** Gives each request an id: the backend and the client learn it, and a page ends with it as a comment. */
import { randomUUID } from 'node:crypto';
import { BodyFilter, type Fields, type Policy } from 'prozy';

export const schema = {
  type: 'object',
  additionalProperties: false,
  properties: { header: { type: 'string', pattern: '^[a-z0-9-]+$', default: 'x-request-id' } },
};

interface Config {
  readonly header: string;
}

/** Passes a body on as it comes, and appends a text. */
class Appended extends BodyFilter {
  readonly #text: Buffer;

  constructor(text: Buffer) {
    super();
    this.#text = text;
  }

  // The result goes back: false asks the source to wait.
  data(bytes: Buffer, start: number, end: number): boolean {
    return this.next.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.next.data(this.#text, 0, this.#text.length);
    this.next.end(trailers);
  }
}

export default {
  bind({ header }) {
    return {
      request(x) {
        x.fields.set(header, randomUUID());
        return undefined;
      },
      // Once the head of the response is known. The filter that it returns sees the body.
      response(x) {
        const head = x.response!;
        const id = x.fields.get(header) ?? '';
        head.fields.set(header, id);
        const { fields, status } = head;
        const isPage = /^text\/html\b/i.test(fields.get('content-type') ?? '');
        // A part of a page, or a page in a coding, cannot be appended to. HEAD has no body.
        if (!isPage || status !== 200 || x.method === 'HEAD' || fields.get('content-encoding') !== undefined)
          return undefined;
        const text = Buffer.from(`<!-- ${header}: ${id} -->\n`);
        // The body gets longer; of an unknown length (-1) it stays unknown. It is another body than the tag says.
        if (head.length >= 0) head.length += text.length;
        fields.remove('etag');
        return new Appended(text);
      },
    };
  },
} satisfies Policy<Config>;
