/**
 * How long an engine that backtracks may take for a regular expression, at worst. Cold.
 *
 * The pattern is read from its end. A repeat multiplies the cost of the part after it by the number of lengths that it can
 * have, unless a character must follow that it can't match itself: then only one length leads on, and the repeat only
 * adds the time to read it. The cost is `steps * length^degree`. It is an upper bound, never too low.
 */

export interface Cost {
  /** The power of the text's length. */
  readonly degree: number;
  readonly steps: number;
}

interface Item {
  /** The source of an atom that matches exactly one character; null for a group or an assertion. */
  readonly atom: string | null;
  /** Cost of the body of a group or of a lookaround. */
  readonly body: Cost | null;
  /** A lookaround leaves no choices open behind it. */
  readonly atomic: boolean;
  readonly min: number;
  readonly max: number;
}

const FREE: Cost = { degree: 0, steps: 1 };
/** A quantifier, greedy or lazy. */
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;
const GROUP = /\((?:\?(?:(<?[=!])|<[^>]*>|[ims-]*:))?/y;
const ATOM = /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|c[a-z]|[^])|\[(?:\\[^]|[^\]\\])*\]|[^]/iy;
const BEYOND_LATIN1 = /[^\p{ASCII}\x80-\xff]|\\u/u;
const ASSERTION = /\^|\$|\\[bB]/y;

/** `source` is a valid regular expression without flags. */
export function worstCost(source: string): Cost {
  const cost = new Reader(source).alternatives(true);
  // A search without ^ begins anew at each character.
  const anchored = topLevelBranches(source).every((branch) => branch.startsWith('^'));
  return anchored ? cost : { degree: cost.degree + 1, steps: cost.steps };
}

function topLevelBranches(source: string): string[] {
  const branches = [''];
  let depth = 0;
  for (let at = 0; at < source.length; ) {
    const part = matchAt(ATOM, source, at)![0];
    at += part.length;
    if (part === '(') depth++;
    else if (part === ')') depth--;
    if (part === '|' && depth === 0) branches.push('');
    else branches.push(branches.pop()! + part);
  }
  return branches;
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

class Reader {
  readonly #source: string;
  /** A modifier such as (?i:…) changes what an atom matches. */
  readonly #modified: boolean;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#modified = /\(\?[ims-]+:/.test(source);
  }

  /** Up to the parenthesis that closes them, or the end. `last`: nothing of the pattern follows. */
  alternatives(last: boolean): Cost {
    let degree = 0;
    let steps = 0;
    for (;;) {
      const cost = this.#costOf(this.#sequence(), last);
      degree = Math.max(degree, cost.degree);
      steps += cost.steps;
      const next = this.#source[this.#at++];
      if (next !== '|') return { degree, steps };
    }
  }

  #sequence(): Item[] {
    const items: Item[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) items.push(this.#item());
    return items;
  }

  #item(): Item {
    const source = this.#source;
    const assertion = matchAt(ASSERTION, source, this.#at);
    let atom: string | null = null;
    let body: Cost | null = null;
    let atomic = false;
    if (assertion !== null) this.#at += assertion[0].length;
    else if (source[this.#at] === '(') {
      const opening = matchAt(GROUP, source, this.#at)!;
      this.#at += opening[0].length;
      body = this.alternatives(false);
      atomic = opening[1] !== undefined;
    } else {
      atom = matchAt(ATOM, source, this.#at)![0];
      this.#at += atom.length;
    }
    const quantifier = matchAt(QUANTIFIER, source, this.#at);
    if (quantifier === null) return { atom, body, atomic, min: 1, max: 1 };
    this.#at += quantifier[0].length;
    const [, sign, from = '', comma, to = ''] = quantifier;
    if (sign !== undefined)
      return { atom, body, atomic, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    const min = Number(from);
    return {
      atom,
      body,
      atomic,
      min,
      max: comma === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to),
    };
  }

  #costOf(items: readonly Item[], last: boolean): Cost {
    let rest = FREE;
    for (let i = items.length - 1; i >= 0; i--) {
      const ends = last && items.slice(i + 1).every(({ atom, body }) => atom === null && body === null);
      rest = this.#before(items[i]!, items[i + 1], ends, rest);
    }
    return rest;
  }

  #before(item: Item, next: Item | undefined, ends: boolean, rest: Cost): Cost {
    const { atom, body, atomic, min, max } = item;
    if (atom === null && body === null) return rest;
    const unbounded = max === Number.POSITIVE_INFINITY;
    if (body !== null && atomic) return either(body, rest);
    if (body !== null) {
      // Each round of an unbounded repeat has its choices.
      if (unbounded && (body.degree > 0 || body.steps > 1)) return { degree: Number.POSITIVE_INFINITY, steps: 1 };
      if (!unbounded && max > 0)
        return {
          degree: rest.degree + body.degree * max,
          steps: rest.steps * body.steps ** max * (max - min + 1),
        };
    }
    const reading: Cost = unbounded ? { degree: 1, steps: 1 } : { degree: 0, steps: max };
    // Only one length leads on.
    if (max === min || ends || (atom !== null && this.#apart(atom, next))) return either(reading, rest);
    return { degree: rest.degree + reading.degree, steps: rest.steps * (unbounded ? 1 : max - min + 1) };
  }

  /** Does a character have to come next that `atom` can't match? */
  #apart(atom: string, next: Item | undefined): boolean {
    if (this.#modified || next === undefined || next.atom === null || next.min === 0) return false;
    // Only Latin-1 is tried below.
    if (BEYOND_LATIN1.test(atom + next.atom)) return false;
    const [one, other] = [new RegExp(`^${atom}$`), new RegExp(`^${next.atom}$`)];
    for (let code = 0; code <= 256; code++) {
      const character = String.fromCharCode(code < 256 ? code : 0x4e00);
      if (one.test(character) && other.test(character)) return false;
    }
    return true;
  }
}

/** One after the other. */
function either(one: Cost, other: Cost): Cost {
  return { degree: Math.max(one.degree, other.degree), steps: one.steps + other.steps };
}
