/**
 * A config that is pushed: it takes effect together with its file, so that the file stays what is in effect. Cold.
 *
 * See docs/adr/0018-push-writes-the-file.md. It is refused if it was made from another config than what is in effect by
 * then, and where the file is not ours to write.
 */
import { createHash } from 'node:crypto';
import { configError } from '../config/problem.ts';
import { readText } from '../config/read-text.ts';
import { codeOf, prepareReplacement, whyNotReplace } from '../config/replace.ts';
import type { Compiled } from './compile.ts';
import { type Given, RefusedError } from './given.ts';

/** What is in effect, as it was written. */
export type InEffect = Pick<Compiled, 'texts' | 'openSecrets'>;

/** A strong entity tag (RFC 9110 §8.8.3). */
export function tagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('hex')}"`;
}

export class Push implements Given {
  readonly trigger = 'push';
  readonly texts: ReadonlyMap<string, string>;
  readonly #file: string;
  readonly #text: string;
  readonly #expected: (tag: string) => boolean;
  readonly #inEffect: () => InEffect;

  /** `expected`: whether it was made from what has this tag. `inEffect`: whatever is so when it is called. */
  constructor(file: string, text: string, expected: (tag: string) => boolean, inEffect: () => InEffect) {
    this.#file = file;
    this.#text = text;
    this.#expected = expected;
    this.#inEffect = inEffect;
    this.texts = new Map([[file, text]]);
  }

  admit(): void {
    const { texts } = this.#inEffect();
    if (texts.size !== 1)
      throw new RefusedError('file', 'the config is made of several files: a push would replace but one of them');
    const current = texts.get(this.#file) ?? '';
    if (!this.#expected(tagOf(current)))
      throw new RefusedError('stale', 'made from another config than what is in effect');
    this.#checkFile(current);
  }

  judge({ texts, openSecrets }: Compiled): void {
    if (texts.size !== 1) throw new RefusedError('file', 'a config that is pushed may include no other files');
    if (openSecrets.length === 0) return;
    const { report, problems } = configError(openSecrets, new Map());
    throw new RefusedError('validate', report, problems);
  }

  async seal(): Promise<void> {
    const current = this.#inEffect().texts.get(this.#file) ?? '';
    if (this.#text === current) return;
    const why = await whyNotReplace(this.#file);
    if (why !== null) throw new RefusedError('file', `the config file can't be kept in step: ${why}`);
    try {
      const replacement = await prepareReplacement(this.#file, this.#text);
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
