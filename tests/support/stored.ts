/** Heads of stored responses, made by hand. */
import { FieldList } from '../../src/http/field-list.ts';
import type { StoredHead } from '../../src/cache/store/stored-response.ts';

/** Fresh for an hour from the clock's beginning, unless it is said otherwise. */
export function storedHead(parts: Partial<StoredHead>): StoredHead {
  return {
    scope: 'r',
    varyNames: [],
    variant: '',
    status: 200,
    reason: 'OK',
    fields: FieldList.of([['Date', 'x']]),
    etag: undefined,
    modified: undefined,
    lastModified: Number.NaN,
    date: 0,
    bornAt: 0,
    lifetime: 3600,
    neverFresh: false,
    forAuthorized: false,
    noCache: false,
    mustRevalidate: false,
    staleWhileRevalidate: -1,
    staleIfError: -1,
    tags: [],
    ...parts,
  };
}
