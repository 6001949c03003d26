/**
 * What trusted proxies say about a request, in Forwarded (RFC 7239) or X-Forwarded-*. Hot behind such proxies.
 *
 * identity.ts calls this once for each request from a trusted proxy that has such fields. Chains are read from the
 * right, where the nearest proxy appends. Entries to the left of the first untrusted address are not believed.
 */
import type { AddressSet } from '../kit/address-set.ts';
import { parseAuthority } from './authority.ts';
import type { Exchange } from './exchange.ts';
import { bareAddress, type ForwardedElement, forwardedNode, hostAndProto, parseForwarded } from './forwarded.ts';
import { FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO } from './known.ts';

type Scheme = 'http' | 'https';

export interface Claims {
  /** Addresses from the client on, in the form of X-Forwarded-For; '' if the proxies sent none. */
  readonly chain: string;
  /** The same chain in the form of Forwarded. */
  readonly forwarded: string;
  /** The last address that is not a trusted proxy's; the peer's address if the chain is empty. */
  readonly client: string;
  /** The host and scheme that the client requested, if the proxies say so; else ''. The scheme is http or https. */
  readonly host: string;
  readonly proto: Scheme | '';
  readonly port: string;
}

/** `x` must still have the fields as received. */
export function claimsOf(x: Exchange, trusted: AddressSet): Claims {
  const { fields, identity } = x;
  const believe = identity.believe;
  const chain = believe === 'forwarded' ? undefined : fields.known(X_FORWARDED_FOR);
  const forwarded = chain !== undefined || believe === 'x_forwarded' ? undefined : fields.known(FORWARDED);
  const elements = forwarded === undefined ? null : parseForwarded(forwarded);
  if (elements !== null) return ofForwarded(x, forwarded!, elements, trusted);
  const peer = x.connection.clientAddress;
  if (believe === 'forwarded') return { chain: '', forwarded: '', client: peer, host: '', proto: '', port: '' };
  return ofXForwarded(x, chain ?? '', trusted);
}

type Nodes = readonly string[];

/**
 * Returns the index of the client's node, or -1 if the peer itself is the client. Reads from the right: the client is
 * the first node that is not a trusted proxy. If a node is not an address, the client is the node to its right.
 */
function clientIn(nodes: Nodes, trusted: AddressSet): number {
  for (let i = nodes.length - 1; i >= 0; i--) {
    const address = bareAddress(nodes[i]!);
    if (address === null) return i + 1 < nodes.length ? i + 1 : -1;
    if (!trusted.has(address)) return i;
  }
  return nodes.length > 0 ? 0 : -1;
}

function ofForwarded(
  x: Exchange,
  forwarded: string,
  elements: readonly ForwardedElement[],
  trusted: AddressSet,
): Claims {
  const { fields, connection } = x;
  const nodes = elements.map(({ node }) => node);
  const peer = connection.clientAddress;
  const at = clientIn(nodes, trusted);
  // A proxy that hides its client still reports the requested host and scheme.
  const element = elements[at < 0 ? elements.length - 1 : at]!;
  const either = x.identity.believe === 'either';
  const host = element.host !== '' || !either ? element.host : lastOf(fields.known(X_FORWARDED_HOST));
  const proto = element.proto !== '' || !either ? element.proto : lastOf(fields.known(X_FORWARDED_PROTO));
  return {
    chain: nodes.map((node) => bareAddress(node) ?? 'unknown').join(', '),
    forwarded,
    client: at < 0 ? peer : (bareAddress(nodes[at]!) ?? peer),
    host: checkedHost(host),
    proto: checkedProto(proto),
    port: either ? (fields.known(X_FORWARDED_PORT) ?? '') : '',
  };
}

function ofXForwarded(x: Exchange, chain: string, trusted: AddressSet): Claims {
  const { fields, connection } = x;
  const nodes = chain === '' ? [] : chain.split(',').map((node) => node.trim());
  const peer = connection.clientAddress;
  const at = clientIn(nodes, trusted);
  const host = checkedHost(ofHop(fields.known(X_FORWARDED_HOST), at, nodes.length));
  const proto = checkedProto(ofHop(fields.known(X_FORWARDED_PROTO), at, nodes.length));
  let forwarded = '';
  if (x.identity.send !== 'x_forwarded') {
    for (let i = 0; i < nodes.length; i++) {
      forwarded += `${i === 0 ? '' : ', '}for=${forwardedNode(bareAddress(nodes[i]!) ?? '')}`;
      if (i === (at < 0 ? nodes.length - 1 : at)) forwarded += hostAndProto(host, proto);
    }
  }
  const client = at < 0 ? peer : (bareAddress(nodes[at]!) ?? peer);
  return { chain, forwarded, client, host, proto, port: fields.known(X_FORWARDED_PORT) ?? '' };
}

/** Returns the client's value if the list has one for each hop, else the last, which the nearest proxy wrote. */
function ofHop(list: string | undefined, hop: number, hops: number): string {
  if (list === undefined || !list.includes(',')) return list ?? '';
  const values = list.split(',');
  return (values[values.length === hops && hop >= 0 ? hop : values.length - 1] ?? '').trim();
}

function lastOf(list: string | undefined): string {
  return ofHop(list, -1, 0);
}

function checkedHost(host: string): string {
  return host !== '' && parseAuthority(host) !== null ? host : '';
}

function checkedProto(proto: string): Scheme | '' {
  const lower = proto.toLowerCase();
  if (lower === 'https' || lower === 'wss') return 'https';
  return lower === 'http' || lower === 'ws' ? 'http' : '';
}
