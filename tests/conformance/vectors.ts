/** The vectors of tests/corpora/smuggling, typed. What each member means is told in tests/corpora/README.md. */
import { readFileSync } from 'node:fs';

export interface RequestVector {
  readonly name: string;
  readonly raw: string;
  readonly fill?: number;
  readonly expect: {
    readonly forwarded: number;
    readonly refused?: readonly number[];
    readonly body?: string;
    readonly has?: readonly string[];
    readonly lacks?: readonly string[];
    readonly then?: 'close' | 'end';
  };
  readonly why: string;
}

export interface ResponseVector {
  readonly name: string;
  readonly method?: string;
  readonly raw: string;
  readonly fill?: number;
  readonly end?: boolean;
  readonly later?: string;
  readonly expect: {
    readonly refused?: readonly number[];
    readonly status?: number;
    readonly cut?: boolean;
    readonly interim?: readonly number[];
    readonly body?: string;
    readonly has?: readonly string[];
    readonly lacks?: readonly string[];
    readonly reused?: boolean;
  };
  readonly why: string;
}

function load<T>(name: string): T[] {
  // The files are data of this repository, checked by the tests that read them.
  return JSON.parse(readFileSync(new URL(`../corpora/smuggling/${name}.json`, import.meta.url), 'utf8')) as T[];
}

export const REQUEST_FILES = ['framing', 'chunked', 'syntax', 'targets', 'fields', 'pipelines'] as const;

export function requestVectors(file: (typeof REQUEST_FILES)[number]): RequestVector[] {
  return load(file);
}

export function responseVectors(): ResponseVector[] {
  return load('responses');
}

/** The bytes of a vector, as Latin-1. */
export function bytesOf({ raw, fill = 0 }: { readonly raw: string; readonly fill?: number }): string {
  return raw + 'a'.repeat(fill);
}
