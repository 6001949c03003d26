/** A set of IP networks, and the three-step rule of an ACL. Cold to build, hot to ask. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

export class AddressSet {
  readonly #list = new BlockList();
  readonly #empty: boolean;
  #lastAddress = '';
  #lastAnswer = false;

  /** CIDRs or single addresses, already checked by the plan. */
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

  /** `address` as text; one that is no IP address (a Unix socket's peer) is in no set. */
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

/** Deny list first, then a non-empty allow list, then the default. */
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
