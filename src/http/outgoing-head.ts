/**
 * The head of a request as the gateway sends it on, before the endpoint and its protocol are known. Hot.
 *
 * Made once for each forwarded request: what belongs to the client's hop is removed (RFC 9110 §7.6), and what the
 * gateway adds is known. The codec of each attempt encodes it.
 */
import type { Connection } from '../net/connection.ts';
import type { Exchange } from './exchange.ts';
import { Fields } from './fields.ts';
import { stripHopByHop } from './hop-by-hop.ts';
import { ownRequestLines } from './identity.ts';
import { EXPECT, TE } from './known.ts';
import { HTTP_1_0, type RequestHead } from './message.ts';

export class OutgoingHead {
  /** The request as the hooks left it. `path` and `authority` below replace its own. */
  readonly request: RequestHead;
  readonly authority: string;
  readonly path: string;
  /** The protocols that the client offers to upgrade to, or ''. */
  readonly offered: string;
  /** Both the client and the gateway take trailers (RFC 9110 §6.5.1, §10.1.4). */
  readonly takesTrailers: boolean;
  /** The client waits for a 100 before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** The gateway's own fields, as lines that end in CRLF. */
  readonly ownLines: string;

  private constructor(
    request: RequestHead,
    authority: string,
    path: string,
    offered: string,
    takesTrailers: boolean,
    expectsContinue: boolean,
    ownLines: string,
  ) {
    this.request = request;
    this.authority = authority;
    this.path = path;
    this.offered = offered;
    this.takesTrailers = takesTrailers;
    this.expectsContinue = expectsContinue;
    this.ownLines = ownLines;
  }

  /** Prepares the exchange's request for its next hop. `offered`: the protocols to upgrade to, or ''. */
  static of(x: Exchange, offered: string): OutgoingHead {
    const { fields } = x;
    const takesTrailers = fields.has(TE) && offersTrailers(x);
    stripHopByHop(fields, 0);
    // RFC 9110 §10.1.1: Expect is ignored in an HTTP/1.0 request.
    if (x.version === HTTP_1_0) fields.removeKnown(EXPECT);
    const expects = x.version !== HTTP_1_0 && fields.has(EXPECT);
    // An HTTP/1.0 client may omit Host: the local address stands for it.
    const authority = x.authority === '' ? localAuthority(x.connection) : x.authority;
    const path = x.receivedPath === '' ? x.path : x.receivedPath;
    return new OutgoingHead(x, authority, path, offered, takesTrailers, expects, ownRequestLines(x));
  }

  /** A copy with fields of its own, which outlives the exchange. `lines`: further lines, each with its CRLF. */
  copy(lines: string): OutgoingHead {
    const { method, scheme, authority, path, query, version, bodyLength } = this.request;
    const fields = new Fields();
    fields.copy(this.request.fields);
    const request = { method, scheme, authority, path, query, version, bodyLength, fields };
    const { offered, takesTrailers, ownLines } = this;
    return new OutgoingHead(request, this.authority, this.path, offered, takesTrailers, false, ownLines + lines);
  }
}

/**
 * Does the client accept trailers (RFC 9110 §6.5.1)? HTTP/1.0 clients do not: they have no chunked coding to carry
 * them.
 */
function offersTrailers({ fields, version }: Exchange): boolean {
  if (version === HTTP_1_0) return false;
  const codings = fields.known(TE) ?? '';
  return codings === 'trailers' || /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(codings);
}

/** The address that the client has connected to. */
export function localAuthority({ localAddress, localPort }: Connection): string {
  if (localPort === 0) return 'localhost';
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
