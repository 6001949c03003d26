/** A set of IP networks, and the three-step rule of an ACL. Cold to build, hot to query. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

export class AddressSet {
  readonly #list = new BlockList();
  readonly #empty: boolean;
  #lastAddress = '';
  #lastAnswer = false;

  /** `networks` are CIDRs or single addresses that the plan has checked. */
  constructor(networks: readonly string[]) {
    this.#empty = networks.length === 0;
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  get empty(): boolean {
    return this.#empty;
  }

  /** Takes an address as text. Text that is not an IP address (the peer of a Unix socket) is in no set. */
  has(address: string): boolean {
    if (this.#empty) return false;
    if (address === this.#lastAddress) return this.#lastAnswer;
    this.#lastAddress = address;
    const plain = address.includes('%') ? address.slice(0, address.indexOf('%')) : address;
    this.#lastAnswer = isIPv4(plain)
      ? this.#list.check(plain, 'ipv4')
      : isIPv6(plain) && this.#list.check(plain, 'ipv6');
    return this.#lastAnswer;
  }
}

export interface AclRules {
  readonly default: 'allow' | 'deny';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** The deny list applies first, then a non-empty allow list, then the default. */
export class AddressAcl {
  readonly #deny: AddressSet;
  readonly #allow: AddressSet;
  readonly #default: boolean;

  constructor(rules: AclRules) {
    this.#deny = new AddressSet(rules.deny);
    this.#allow = new AddressSet(rules.allow);
    this.#default = rules.default === 'allow';
  }

  allows(address: string): boolean {
    if (this.#deny.has(address)) return false;
    return this.#allow.empty ? this.#default : this.#allow.has(address);
  }
}

/** Describes which of an ACL's rules decides about an address. Cold: it tests each network separately. */
export function decidingRule(rules: AclRules, address: string): string {
  const holding = (networks: readonly string[]): string | undefined =>
    networks.find((network) => new AddressSet([network]).has(address));
  const denied = holding(rules.deny);
  if (denied !== undefined) return `${address} is denied by ${denied}`;
  if (rules.allow.length === 0) return `${rules.default === 'allow' ? 'allowed' : 'denied'} by default`;
  const allowed = holding(rules.allow);
  return allowed === undefined ? `${address} is not on the allow list` : `${address} is allowed by ${allowed}`;
}

/** Unrelated public addresses. No private network contains all of a family's, and hardly any allow list does. */
const STRANGERS = [
  ['1.1.1.1', '100.128.0.1', '203.0.113.7'],
  ['2001:db8::1', '2400:cb00::1', '2a00:1450::1'],
];

/** Reports whether an ACL keeps strangers out: it must deny at least one of these addresses in each family. */
export function keepsStrangersOut(acl: AddressAcl): boolean {
  return STRANGERS.every((family) => family.some((address) => !acl.allows(address)));
}
