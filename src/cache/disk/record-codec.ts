/**
 * Encodes a stored response as the text on disk, and decodes it. Hot, once per write and per read.
 *
 * Times are monotonic in memory and wall-clock dates on disk. After a clock was set back, ages are unknown: a record
 * that was written later than now is revalidated before use.
 */
import { FieldList, type FieldPair } from '../../http/field-list.ts';
import type { Clock } from '../../kit/clock.ts';
import { type Part, type StoredHead, StoredResponse } from '../store/stored-response.ts';

/** How far a clock may go back without having been set (ms). */
const SLACK = 1000;

/** Which requests a response can answer. */
export const WHOLE = 0;
export const PART = 1;
/** It is the response to a HEAD. */
export const HEAD_ONLY = 2;

export function kindOf({ headOnly, part }: StoredResponse): number {
  if (headOnly) return HEAD_ONLY;
  return part === null ? WHOLE : PART;
}

/** A head in JSON. */
type WrittenHead = Omit<StoredHead, 'fields'> & { readonly fields: readonly FieldPair[] };

/** The text in front of the body. */
export interface Written {
  readonly key: string;
  readonly head: WrittenHead;
  readonly part: Part | null;
  readonly headOnly: boolean;
  readonly length: number;
  /** Epoch ms. */
  readonly bornAt: number;
  readonly writtenAt: number;
}

export function writtenForm(key: string, { head, part, headOnly, length }: StoredResponse, clock: Clock): string {
  const writtenAt = clock.wall();
  // JSON turns a NaN into null; `restored` reverses that.
  return JSON.stringify({
    key,
    head: { ...head, fields: head.fields.pairs },
    part,
    headOnly,
    length,
    bornAt: writtenAt - (clock.now() - head.bornAt),
    writtenAt,
  } satisfies Written);
}

/** null: the text is invalid. */
export function readForm(text: string): Written | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isWritten(value) ? value : null;
}

/** Conditions for the restored response besides its own data. */
export interface Terms {
  /** The response is revalidated before use. */
  readonly doubtful: boolean;
  /** Epoch ms from which on it is stale in any case. */
  readonly staleFrom: number;
  readonly statusHeader: boolean;
  readonly clock: Clock;
}

/** `body`: null for the response to a HEAD. */
export function restored(written: Written, body: Buffer | null, terms: Terms): StoredResponse {
  const { clock, staleFrom } = terms;
  const { head, part, length, bornAt, writtenAt } = written;
  const wall = clock.wall();
  const doubtful = terms.doubtful || wall < writtenAt - SLACK || wall < bornAt - SLACK;
  const said = head.lifetime;
  const lifetime = staleFrom === Number.POSITIVE_INFINITY ? said : Math.min(said, (staleFrom - 1 - bornAt) / 1000);
  return new StoredResponse(
    {
      ...head,
      fields: FieldList.of(head.fields),
      lastModified: head.lastModified ?? Number.NaN,
      date: head.date ?? Number.NaN,
      etag: head.etag,
      bornAt: clock.now() - (wall - bornAt),
      lifetime: Math.max(0, lifetime),
      noCache: head.noCache || doubtful,
      mustRevalidate: head.mustRevalidate || doubtful,
    },
    body,
    part,
    length,
    terms.statusHeader,
  );
}

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const text = (value: unknown): boolean => typeof value === 'string';
const number = (value: unknown): boolean => typeof value === 'number';
const flag = (value: unknown): boolean => typeof value === 'boolean';
const texts = (value: unknown): boolean => Array.isArray(value) && value.every(text);
const pairs = (value: unknown): boolean =>
  Array.isArray(value) && value.every((pair) => texts(pair) && (pair as string[]).length === 2);
const orNothing = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const orNull = (is: (value: unknown) => boolean) => (value: unknown) => value === null || is(value);
const has = (shape: Shape) => (value: unknown) => {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Record<string, unknown>;
  return Object.keys(shape).every((name) => shape[name]!(record[name]));
};

const HEAD = has({
  scope: text,
  varyNames: texts,
  variant: text,
  status: number,
  reason: text,
  fields: pairs,
  etag: orNothing(text),
  modified: orNothing(text),
  lastModified: orNull(number),
  date: orNull(number),
  lifetime: number,
  neverFresh: flag,
  forAuthorized: flag,
  noCache: flag,
  mustRevalidate: flag,
  staleWhileRevalidate: number,
  staleIfError: number,
  tags: texts,
});

const WRITTEN = has({
  key: text,
  head: HEAD,
  part: orNull(has({ first: number, last: number, complete: number, sound: flag })),
  headOnly: flag,
  length: number,
  bornAt: number,
  writtenAt: number,
});

function isWritten(value: unknown): value is Written {
  return WRITTEN(value);
}
