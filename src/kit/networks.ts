/** Sets of IP addresses with set operations, to find the newly allowed and newly denied addresses of a plan. Cold. */
import { isIPv4 } from 'node:net';
import type { AclRules } from './address-set.ts';

/** An inclusive range of addresses. */
type Range = readonly [from: bigint, to: bigint];

/** IPv4 is mapped into IPv6 as `::ffff:0:0/96`, so that one number line covers both. */
const MAPPED = 0xffffn << 32n;
const LAST_MAPPED = MAPPED + 0xffffffffn;
const LAST = (1n << 128n) - 1n;

export class Networks {
  static readonly ALL = new Networks([[0n, LAST]]);
  static readonly NONE = new Networks([]);
  /** In ascending order; no two ranges overlap or touch. */
  readonly #ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  /** `networks` are CIDRs or single addresses that the plan has checked. */
  static of(networks: readonly string[]): Networks {
    return new Networks(joined(networks.map(rangeOf)));
  }

  /** The addresses that an ACL allows: the deny list applies first, then a non-empty allow list, then the default. */
  static allowedBy({ allow, deny, default: other }: AclRules): Networks {
    const asked = allow.length > 0 ? Networks.of(allow) : other === 'allow' ? Networks.ALL : Networks.NONE;
    return asked.without(Networks.of(deny));
  }

  get empty(): boolean {
    return this.#ranges.length === 0;
  }

  /** Reports whether the set contains every address. */
  get all(): boolean {
    return this.#ranges.length === 1 && this.#ranges[0]![0] === 0n && this.#ranges[0]![1] === LAST;
  }

  without(other: Networks): Networks {
    const left: Range[] = [];
    let i = 0;
    const holes = other.#ranges;
    for (const [from, to] of this.#ranges) {
      let at = from;
      while (i < holes.length && holes[i]![1] < at) i++;
      for (let j = i; j < holes.length && holes[j]![0] <= to; j++) {
        const [holeFrom, holeTo] = holes[j]!;
        if (holeFrom > at) left.push([at, holeFrom - 1n]);
        at = holeTo + 1n;
      }
      if (at <= to) left.push([at, to]);
    }
    return new Networks(left);
  }

  and(other: Networks): Networks {
    return this.without(this.without(other));
  }

  /** Returns the smallest list of networks that covers the set, at most `most`, in address order. */
  cidrs(most: number): { readonly networks: string[]; readonly more: boolean } {
    const networks: string[] = [];
    for (const range of this.#ranges.flatMap(byFamily)) {
      let [from] = range;
      while (from <= range[1]) {
        if (networks.length === most) return { networks, more: true };
        let bits = 0n;
        // The largest block that begins here and stays within the range.
        while (bits < 128n && (from & ((2n << bits) - 1n)) === 0n && from + (2n << bits) - 1n <= range[1]) bits++;
        networks.push(textOf(from, bits));
        from += 1n << bits;
      }
    }
    return { networks, more: false };
  }

  /** Describes the set for people: a few networks, or all but a few. */
  toString(): string {
    if (this.all) return 'every address';
    if (this.empty) return 'no address';
    const others = Networks.ALL.without(this).#few(2);
    if (others !== null) return `every address but ${others}`;
    const whole = this.#few(4);
    if (whole !== null) return whole;
    const four = this.and(IPV4);
    return [four.#within(IPV4, 'IPv4'), this.without(IPV4).#within(IPV6, 'IPv6')]
      .filter((text) => text !== '')
      .join('; ');
  }

  #few(most: number): string | null {
    const { networks, more } = this.cidrs(most);
    return more ? null : networks.join(', ');
  }

  #within(family: Networks, name: string): string {
    if (this.empty) return '';
    const others = family.without(this);
    if (others.empty) return `all of ${name}`;
    const text = this.#few(4);
    if (text !== null) return text;
    const but = others.#few(4);
    return but === null ? `${this.cidrs(4).networks.join(', ')} and more` : `all of ${name} but ${but}`;
  }
}

function rangeOf(network: string): Range {
  const [address = '', bits] = network.split('/');
  const four = isIPv4(address);
  const first = four ? MAPPED + ipv4(address) : ipv6(address);
  const width = bits === undefined ? 0n : BigInt((four ? 32 : 128) - Number(bits));
  const from = (first >> width) << width;
  return [from, from + (1n << width) - 1n];
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  // RFC 4291 §2.2: the last two groups may be written as IPv4.
  const written = text.replace(/\d+\.\d+\.\d+\.\d+$/, (four) => {
    const value = ipv4(four);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = written.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function joined(ranges: readonly Range[]): Range[] {
  const out: [bigint, bigint][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = out.at(-1);
    if (last === undefined || from > last[1] + 1n) out.push([from, to]);
    else if (to > last[1]) last[1] = to;
  }
  return out;
}

function byFamily([from, to]: Range): Range[] {
  const parts: Range[] = [
    [from, to < MAPPED ? to : MAPPED - 1n],
    [from > MAPPED ? from : MAPPED, to < LAST_MAPPED ? to : LAST_MAPPED],
    [from > LAST_MAPPED ? from : LAST_MAPPED + 1n, to],
  ];
  return parts.filter(([first, last]) => first <= last);
}

function textOf(from: bigint, bits: bigint): string {
  const four = from >= MAPPED && from <= LAST_MAPPED;
  const length = (four ? 32n : 128n) - bits;
  const text = four ? text4(from - MAPPED) : text6(from);
  return length === (four ? 32n : 128n) ? text : `${text}/${length}`;
}

function text4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
}

/** RFC 5952 §4: lower case, with the first of the longest runs of zeros compressed. */
function text6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  let [start, length] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  if (length === 1) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

const IPV4 = Networks.of(['::ffff:0:0/96']);
const IPV6 = Networks.ALL.without(IPV4);
