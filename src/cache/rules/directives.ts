/**
 * Cache-Control directives of a response (RFC 9111 §5.2.2) and of a request (§5.2.1). Hot.
 *
 * Of duplicate, contradictory or malformed directives the most restrictive reading counts (§4.2.1): an invalid lifetime
 * is 0, an invalid "private" is private, and an invalid directive that would permit something is ignored.
 */
import { DirectiveReader, deltaSeconds, isTokenChar } from './directive-reader.ts';
import { memoized } from '../../kit/memoized.ts';

export interface ResponseDirectives {
  readonly noStore: boolean;
  /** Without field names. */
  readonly noCache: boolean;
  /** The fields that no-cache names, in lower case. */
  readonly noCacheFields: readonly string[];
  /** Without field names. */
  readonly private: boolean;
  /** The fields that private names, in lower case. */
  readonly privateFields: readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly immutable: boolean;
  /** Seconds; -1: absent. */
  readonly maxAge: number;
  /** Seconds; -1: absent. */
  readonly sMaxage: number;
  /** Seconds; -1: absent (RFC 5861 §3). */
  readonly staleWhileRevalidate: number;
  /** Seconds; -1: absent (RFC 5861 §4). */
  readonly staleIfError: number;
}

export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  /** Seconds; -1: absent. */
  readonly maxAge: number;
  /** Seconds; -1: absent. */
  readonly minFresh: number;
  /** Seconds; -1: absent; Infinity: any staleness. */
  readonly maxStale: number;
  /** Seconds; -1: absent. */
  readonly staleIfError: number;
}

type Writable<T> = { -readonly [key in keyof T]: T[key] };

const NO_NAMES: readonly string[] = Object.freeze([]);

/** A response without directives. */
export const NO_RESPONSE_DIRECTIVES: ResponseDirectives = Object.freeze(emptyResponse());

/** A request without directives; reuse.ts compares it by identity. */
export const NO_REQUEST_DIRECTIVES: RequestDirectives = Object.freeze(emptyRequest());

/** Directives to fill in; also for targeted.ts. */
export function emptyResponse(): Writable<ResponseDirectives> {
  return {
    noStore: false,
    noCache: false,
    noCacheFields: NO_NAMES,
    private: false,
    privateFields: NO_NAMES,
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    immutable: false,
    maxAge: -1,
    sMaxage: -1,
    staleWhileRevalidate: -1,
    staleIfError: -1,
  };
}

function emptyRequest(): Writable<RequestDirectives> {
  return {
    noStore: false,
    noCache: false,
    onlyIfCached: false,
    maxAge: -1,
    minFresh: -1,
    maxStale: -1,
    staleIfError: -1,
  };
}

const parseResponse = memoized(readResponse);
const parseRequest = memoized(readRequest);
const parsePragma = memoized(readPragma);

/** The directives of a response's Cache-Control, all its lines joined. */
export function responseDirectives(value: string | undefined): ResponseDirectives {
  return value === undefined ? NO_RESPONSE_DIRECTIVES : parseResponse(value);
}

/**
 * The directives of a request's Cache-Control, all its lines joined; Pragma counts only without one (RFC 9111 §5.4).
 */
export function requestDirectives(cacheControl: string | undefined, pragma: string | undefined): RequestDirectives {
  if (cacheControl !== undefined) return parseRequest(cacheControl);
  return pragma === undefined ? NO_REQUEST_DIRECTIVES : parsePragma(pragma);
}

function readResponse(text: string): ResponseDirectives {
  const found = emptyResponse();
  const reader = new DirectiveReader(text);
  while (reader.next()) noteResponse(found, reader);
  if (reader.torn) {
    // After an unmatched quotation mark the meaning of the text is unknown: it permits nothing.
    found.maxAge = 0;
    if (found.sMaxage > 0) found.sMaxage = 0;
    found.staleWhileRevalidate = found.staleIfError = -1;
    found.public = found.mustUnderstand = found.immutable = false;
  }
  return Object.freeze(found);
}

function noteResponse(found: Writable<ResponseDirectives>, { name, argument, malformed }: DirectiveReader): void {
  const bare = !malformed && argument === null;
  switch (name) {
    case 'max-age':
      found.maxAge = strictest(found.maxAge, lifetime(argument, malformed));
      break;
    case 's-maxage':
      found.sMaxage = strictest(found.sMaxage, lifetime(argument, malformed));
      break;
    case 'no-store':
      found.noStore = true;
      break;
    case 'no-cache': {
      const names = malformed ? null : fieldNames(argument);
      if (names === null) found.noCache = true;
      else found.noCacheFields = [...found.noCacheFields, ...names];
      break;
    }
    case 'private': {
      const names = malformed ? null : fieldNames(argument);
      if (names === null) found.private = true;
      else found.privateFields = [...found.privateFields, ...names];
      break;
    }
    case 'must-revalidate':
      found.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      found.proxyRevalidate = true;
      break;
    case 'public':
      found.public ||= bare;
      break;
    case 'must-understand':
      found.mustUnderstand ||= bare;
      break;
    case 'immutable':
      found.immutable ||= bare;
      break;
    case 'stale-while-revalidate':
      found.staleWhileRevalidate = strictest(found.staleWhileRevalidate, grace(argument, malformed));
      break;
    case 'stale-if-error':
      found.staleIfError = strictest(found.staleIfError, grace(argument, malformed));
      break;
    default: // Unknown extensions are ignored (RFC 9111 §5.2.3).
  }
}

function readRequest(text: string): RequestDirectives {
  const found = emptyRequest();
  const reader = new DirectiveReader(text);
  let says = false;
  while (reader.next()) says = noteRequest(found, reader) || says;
  return says ? Object.freeze(found) : NO_REQUEST_DIRECTIVES;
}

/** Returns whether the directive is known. */
function noteRequest(found: Writable<RequestDirectives>, { name, argument, malformed }: DirectiveReader): boolean {
  switch (name) {
    case 'no-cache':
      found.noCache = true;
      return true;
    case 'no-store':
      found.noStore = true;
      return true;
    case 'only-if-cached':
      found.onlyIfCached = true;
      return true;
    case 'max-age':
      found.maxAge = strictest(found.maxAge, lifetime(argument, malformed));
      return true;
    case 'min-fresh':
      found.minFresh = Math.max(found.minFresh, grace(argument, malformed));
      return true;
    case 'max-stale': {
      const allowed = argument === null && !malformed ? Number.POSITIVE_INFINITY : grace(argument, malformed);
      found.maxStale = strictest(found.maxStale, allowed);
      return true;
    }
    case 'stale-if-error':
      found.staleIfError = strictest(found.staleIfError, grace(argument, malformed));
      return true;
    default:
      return false;
  }
}

function readPragma(text: string): RequestDirectives {
  const reader = new DirectiveReader(text);
  while (reader.next()) if (reader.name === 'no-cache') return Object.freeze({ ...emptyRequest(), noCache: true });
  return NO_REQUEST_DIRECTIVES;
}

/** Seconds of a directive that restricts: 0 if invalid (RFC 9111 §4.2.1). */
function lifetime(argument: string | null, malformed: boolean): number {
  return malformed || argument === null ? 0 : Math.max(0, deltaSeconds(argument));
}

/** Seconds of a directive that permits: -1 if invalid. */
function grace(argument: string | null, malformed: boolean): number {
  return malformed || argument === null ? -1 : deltaSeconds(argument);
}

/** The smaller of the values that are present. */
function strictest(before: number, now: number): number {
  if (before < 0) return now;
  return now < 0 ? before : Math.min(before, now);
}

/** The field names in the argument of no-cache and private (RFC 9111 §5.2.2.4, §5.2.2.7), or null if it names none. */
export function fieldNames(argument: string | null): readonly string[] | null {
  if (argument === null) return null;
  const names: string[] = [];
  for (const part of argument.split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '') continue;
    for (let i = 0; i < name.length; i++) if (!isTokenChar(name.charCodeAt(i))) return null;
    names.push(name);
  }
  return names.length === 0 ? null : names;
}
