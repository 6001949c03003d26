/** The codecs that the suite judges. A new codec is one more line. */
import type { ClientCodec } from '../../../src/http/client-codec.ts';
import { DEFAULT_CLIENT_CODEC } from '../../../src/http/client-codecs.ts';
import type { ServerCodec } from '../../../src/http/server-codec.ts';
import { SERVER_CODECS } from '../../../src/http/server-codecs.ts';

export interface CodecPair {
  readonly server: ServerCodec;
  readonly client: ClientCodec;
}

export const CODECS: readonly CodecPair[] = [{ server: SERVER_CODECS.default, client: DEFAULT_CLIENT_CODEC }];
