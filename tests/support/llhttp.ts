/** Node's own parser, llhttp, in its strict mode and without sockets: the other reader that ours is compared with. */
import { METHODS } from 'node:http';
import { createRequire } from 'node:module';

export interface LlhttpMessage {
  /** Of a request: its method and target. Of a response: its status and reason. */
  readonly first: string;
  readonly second: string;
  readonly major: number;
  readonly minor: number;
  body: string;
  /** It has been read to its end. */
  whole: boolean;
  /** It asks for another protocol: what follows may not be HTTP. */
  readonly upgrade: boolean;
}

export interface LlhttpReading {
  readonly messages: LlhttpMessage[];
  /** Why it refused to read on, or ''. */
  readonly refusal: string;
  /** Where in the bytes that was. */
  readonly at: number;
}

type Callback = (...args: never[]) => number | void;

interface HttpParser {
  [callback: number]: Callback | null;
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Buffer): number | (Error & { reason: string; bytesParsed: number });
  finish(): undefined | (Error & { reason: string });
  close(): void;
}

interface HttpCommon {
  readonly HTTPParser: {
    new (): HttpParser;
    readonly REQUEST: number;
    readonly RESPONSE: number;
    readonly kOnHeaders: number;
    readonly kOnHeadersComplete: number;
    readonly kOnBody: number;
    readonly kOnMessageComplete: number;
    readonly kLenientNone: number;
  };
}

// Not part of Node's public types; it is what node:http itself is made of.
const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as HttpCommon;

/** Methods by llhttp's number for them: it is asked, since the lists that Node exports are in another order. */
const methodNames: string[] = [];
for (const name of METHODS) {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {}, 1024, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnHeadersComplete] = (_: never, __: never, ___: never, method: number) => {
    methodNames[method] = name;
    return 0;
  };
  parser.execute(Buffer.from(`${name} ${name === 'CONNECT' ? 'a:1' : '/'} HTTP/1.1\r\n\r\n`));
  parser.close();
}

/** A refusal without a reason: what is wrong came within a message that asks for an upgrade. */
export const WRONG_UPGRADE = 'something within an upgrade';

/** Larger than any head that is tried. */
const MOST_HEADER = 1 << 20;

/**
 * Reads requests (or responses, which it takes for answers to GET). After an upgrade it reads on as if the peer had not
 * agreed to it. `end`: the connection ends after the bytes.
 */
export function llhttp(bytes: Buffer, type: 'request' | 'response', end = false): LlhttpReading {
  const messages: LlhttpMessage[] = [];
  let parser = parserInto(messages, type);
  let at = 0;
  let refusal = '';
  while (at < bytes.length) {
    const result = parser.execute(bytes.subarray(at));
    if (typeof result !== 'number') {
      refusal = result.reason;
      at += result.bytesParsed;
      break;
    }
    at += result;
    if (at === bytes.length) break;
    // It stops early only behind a message that asks for an upgrade, or if it is wrong: Node keeps the reason to itself.
    if (messages.at(-1)?.whole !== true) {
      refusal = WRONG_UPGRADE;
      break;
    }
    parser.close();
    parser = parserInto(messages, type);
  }
  if (refusal === '' && end) refusal = parser.finish()?.reason ?? '';
  parser.close();
  return { messages, refusal, at };
}

function parserInto(messages: LlhttpMessage[], type: 'request' | 'response'): HttpParser {
  const parser = new HTTPParser();
  parser.initialize(
    type === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE,
    {},
    MOST_HEADER,
    HTTPParser.kLenientNone,
  );
  // Where a head has many fields, its target comes before the head is complete.
  let url = '';
  parser[HTTPParser.kOnHeaders] = (_: never, early: string) => {
    if (early !== '') url = early;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    _: never,
    method: number,
    target: string | undefined,
    status: number,
    reason: string,
    upgrade: boolean,
  ) => {
    const first = type === 'request' ? methodNames[method]! : String(status);
    const second = type === 'request' ? target || url : reason;
    url = '';
    messages.push({ first, second, major, minor, body: '', whole: false, upgrade });
    return 0;
  };
  parser[HTTPParser.kOnBody] = (part: Buffer) => void (messages.at(-1)!.body += part.toString('latin1'));
  parser[HTTPParser.kOnMessageComplete] = () => void (messages.at(-1)!.whole = true);
  return parser;
}
