/**
 * A config that is pushed: it takes effect together with its file, so that the file stays what is in effect. Cold.
 *
 * See docs/adr/0018-push-writes-the-file.md. It is refused if it was made from another config than what is in effect by
 * then, and where the file is not ours to write.
 */
import { createHash } from 'node:crypto';
import { configError, errorAt } from '../../config/problem.ts';
import { decodeText, readText } from '../../config/read-text.ts';
import { codeOf, prepareReplacement, whyNotReplace } from '../../config/replace.ts';
import type { InEffect } from './applier.ts';
import type { Compiled } from '../compile/compile.ts';
import { RefusedError } from './refused-error.ts';

/** A strong entity tag (RFC 9110 §8.8.3). */
function tagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('hex')}"`;
}

/** A config of one file as it is written. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly tag: string;
}

const SEVERAL = 'the config is made of several files';

/** A text: why it is not shown. */
export function sourceOf(file: string, { texts, openSecrets }: InEffect): Source | string {
  const text = texts.get(file);
  if (text === undefined || texts.size !== 1) return SEVERAL;
  return openSecrets.length > 0 ? configError(openSecrets, new Map()).report : { file, text, tag: tagOf(text) };
}

export class Push {
  readonly #file: string;
  readonly #text: ReturnType<typeof decodeText>;
  readonly #expected: (tag: string) => boolean;
  readonly #inEffect: () => InEffect;

  /** `expected`: whether it was made from what has this tag. `inEffect`: whatever is so when it is called. */
  constructor(file: string, bytes: Uint8Array, expected: (tag: string) => boolean, inEffect: () => InEffect) {
    this.#file = file;
    this.#text = decodeText(bytes);
    this.#expected = expected;
    this.#inEffect = inEffect;
  }

  /** To be read in the place of the file. */
  get texts(): ReadonlyMap<string, string> {
    return new Map([[this.#file, this.#written]]);
  }

  get #written(): string {
    return typeof this.#text === 'string' ? this.#text : '';
  }

  /** At its turn. Throws a RefusedError if it can't be any more. */
  admit(): void {
    const { texts } = this.#inEffect();
    if (texts.size !== 1) throw new RefusedError('file', `${SEVERAL}: a push would replace but one of them`);
    const current = texts.get(this.#file) ?? '';
    if (!this.#expected(tagOf(current)))
      throw new RefusedError('stale', 'made from another config than what is in effect');
    this.#checkFile(current);
    if (typeof this.#text === 'string') return;
    const problem = errorAt({ file: this.#file, line: 1, column: 1 }, '', this.#text.why);
    const { report, problems } = configError([problem], new Map());
    throw new RefusedError('parse', report, problems);
  }

  /** It has no problems. Throws a RefusedError if it can't be all the same. */
  judge({ texts, openSecrets }: Compiled): void {
    if (texts.size !== 1) throw new RefusedError('file', 'a config that is pushed may include no other files');
    if (openSecrets.length === 0) return;
    const { report, problems } = configError(openSecrets, new Map());
    throw new RefusedError('validate', report, problems);
  }

  /** Nothing else can fail any more: writes the file. Throws a RefusedError if that can't be. */
  async seal(): Promise<void> {
    const current = this.#inEffect().texts.get(this.#file) ?? '';
    if (this.#written === current) return;
    const why = await whyNotReplace(this.#file);
    if (why !== null) throw new RefusedError('file', `the config file can't be kept in step: ${why}`);
    try {
      const replacement = await prepareReplacement(this.#file, this.#written);
      try {
        this.#checkFile(current);
      } catch (error) {
        await replacement.abort();
        throw error;
      }
      await replacement.commit();
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw new RefusedError('file', `the config file can't be kept in step: ${codeOf(error)}`);
    }
  }

  /** Somebody's edit that is not in effect, or not yet, must not be lost. */
  #checkFile(current: string): void {
    if (readText(this.#file) !== current)
      throw new RefusedError('file', 'the config file holds another config than what is in effect');
  }
}
