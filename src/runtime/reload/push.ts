/**
 * A pushed config: it takes effect together with its source, so that the source stays the config in effect. Cold.
 *
 * See docs/adr/0018-push-writes-the-file.md. A push is refused if it is based on another config than the one in effect
 * by then, or if the gateway may not write the source.
 */
import { createHash } from 'node:crypto';
import { configError, errorAt } from '../../config/problem.ts';
import { type ConfigSource, HOLDS_ANOTHER } from '../../config/config-source.ts';
import { decodeText } from '../../config/read-text.ts';
import type { InEffect } from './outcomes.ts';
import type { Compiled } from '../compile/compile.ts';
import { RefusedError } from './refused-error.ts';

/** A strong entity tag (RFC 9110 §8.8.3). */
function tagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('hex')}"`;
}

/** A config of one file, as written. */
export interface WrittenConfig {
  readonly file: string;
  readonly text: string;
  readonly tag: string;
}

const SEVERAL = 'the config is made of several files';

/** Whether the config is one file, apart from the modules that it names. */
function isSingle({ texts, moduleFiles }: Pick<InEffect, 'texts' | 'moduleFiles'>): boolean {
  return texts.size - moduleFiles.size === 1;
}

/** Returns the source, or a text that says why it is not shown. */
export function writtenConfigOf(file: string, inEffect: InEffect): WrittenConfig | string {
  const { texts, openSecrets } = inEffect;
  const text = texts.get(file);
  if (text === undefined || !isSingle(inEffect)) return SEVERAL;
  return openSecrets.length > 0 ? configError(openSecrets, new Map()).report : { file, text, tag: tagOf(text) };
}

export class Push {
  readonly #source: ConfigSource;
  readonly #text: ReturnType<typeof decodeText>;
  readonly #expected: (tag: string) => boolean;
  readonly #inEffect: () => InEffect;

  /**
   * `expected`: whether the push is based on the config with this tag. `inEffect`: returns the config in effect at the
   * call.
   */
  constructor(source: ConfigSource, bytes: Uint8Array, expected: (tag: string) => boolean, inEffect: () => InEffect) {
    this.#source = source;
    this.#text = decodeText(bytes);
    this.#expected = expected;
    this.#inEffect = inEffect;
  }

  /** The text to compile instead of the file's. */
  get texts(): ReadonlyMap<string, string> {
    return new Map([[this.#source.root, this.#written]]);
  }

  get #written(): string {
    return typeof this.#text === 'string' ? this.#text : '';
  }

  /** Called when the turn of the push comes. Throws a RefusedError if the push is no longer possible. */
  admit(): void {
    const inEffect = this.#inEffect();
    const { texts } = inEffect;
    if (!isSingle(inEffect)) throw new RefusedError('file', `${SEVERAL}: a push would replace only one of them`);
    const current = texts.get(this.#source.root) ?? '';
    if (!this.#expected(tagOf(current)))
      throw new RefusedError('stale', 'based on another config than the one in effect');
    if (!this.#source.holds(current)) throw new RefusedError('file', HOLDS_ANOTHER);
    if (typeof this.#text === 'string') return;
    const problem = errorAt({ file: this.#source.root, line: 1, column: 1 }, '', this.#text.why);
    const { report, problems } = configError([problem], new Map());
    throw new RefusedError('parse', report, problems);
  }

  /** Checks a config that has no problems. Throws a RefusedError if it still can't be pushed. */
  judge(compiled: Compiled): void {
    const { openSecrets } = compiled;
    if (!isSingle(compiled)) throw new RefusedError('file', 'a pushed config must not include other files');
    if (openSecrets.length === 0) return;
    const { report, problems } = configError(openSecrets, new Map());
    throw new RefusedError('validate', report, problems);
  }

  /** Writes the source, once no other step can fail. Throws a RefusedError if it can't be written. */
  async seal(): Promise<void> {
    const current = this.#inEffect().texts.get(this.#source.root) ?? '';
    if (this.#written === current) return;
    const why = await this.#source.replace(current, this.#written);
    if (why !== null) throw new RefusedError('file', why);
  }
}
