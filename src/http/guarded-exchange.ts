/**
 * The exchange as code that the gateway does not know sees it. Hot where used.
 *
 *     hook ──▶ GuardedExchange ──▶ Exchange
 *                 ├─ GuardedFields ──▶ Fields             every write is checked before it takes effect, and throws
 *                 └─ GuardedHead ────▶ ResponseHead       what is wrong with it into the hook that writes
 *
 * A hook may freeze these objects, redefine their members or give them more: the gateway works with those behind them.
 * The types hold for TypeScript only, so each write checks its type too.
 */
import { isIP } from 'node:net';
import { isOurs } from '../kit/own-fields.ts';
import { isFieldName, isFieldValue, isFinalStatus, isLength, isPath, isQuery, isReason } from './checked-edits.ts';
import { NO_LENGTH, noField } from './checked-edits.ts';
import type { Exchange, Rewritten } from './exchange.ts';
import { Fields } from './fields.ts';
import type { ResponseHead } from './message.ts';

function must(holds: boolean, problem: string): void {
  if (!holds) throw new TypeError(problem);
}

function mustBeText(name: string, value: unknown): void {
  must(typeof value === 'string', `${name} is a text`);
}

/** Throws if it is no field that such code may write. */
function mustBeField(name: unknown, value: unknown): void {
  must(isFieldName(name) && isFieldValue(value), noField(name, value));
  must(!isOurs(name as string), `${String(name)} is the gateway's own to write`);
}

/** The fields of a message. */
export class GuardedFields {
  #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  /** The fields behind it, which it has no longer; null: it is none. */
  static taken(fields: unknown): Fields | null {
    if (typeof fields !== 'object' || fields === null || !(#fields in fields)) return null;
    const taken = fields.#fields;
    fields.#fields = new Fields();
    return taken;
  }

  get(name: string): string | undefined {
    mustBeText('the name of a field', name);
    return this.#fields.get(name);
  }

  add(name: string, value: string): void {
    mustBeField(name, value);
    this.#fields.add(name, value);
  }

  set(name: string, value: string): void {
    mustBeField(name, value);
    this.#fields.set(name, value);
  }

  /** Adds `name: value` and CRLF. */
  addLine(line: string): void {
    mustBeText('a line', line);
    const at = line.indexOf(':');
    const value = line.slice(at + 1).replace(/^ /, '');
    must(at > 0 && value.endsWith('\r\n'), noField(line, ''));
    this.add(line.slice(0, at), value.slice(0, -2));
  }

  remove(name: string): void {
    mustBeText('the name of a field', name);
    this.#fields.remove(name);
  }

  removePrefixed(prefix: string): void {
    mustBeText('the prefix of names', prefix);
    this.#fields.removePrefixed(prefix);
  }

  /** Calls back with every field, in order. */
  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.pairs) visit(name, value);
  }

  /** All fields, in order. */
  get pairs(): [name: string, value: string][] {
    const pairs: [string, string][] = [];
    this.#fields.forEach((name, value) => pairs.push([name, value]));
    return pairs;
  }

  [Symbol.iterator](): Iterator<[name: string, value: string]> {
    return this.pairs[Symbol.iterator]();
  }

  /** All fields, as lines that end in CRLF. */
  lines(): string {
    return this.#fields.lines();
  }
}

/** The head of a response. */
export class GuardedHead {
  readonly #head: ResponseHead;
  readonly #fields: GuardedFields;

  constructor(head: ResponseHead) {
    this.#head = head;
    this.#fields = new GuardedFields(head.fields);
  }

  /** Is it of that head? Static: a hook may have redefined its members. */
  static isOf(own: GuardedHead, head: ResponseHead): boolean {
    return own.#head === head;
  }

  get fields(): GuardedFields {
    return this.#fields;
  }

  get status(): number {
    return this.#head.status;
  }

  set status(status: number) {
    must(isFinalStatus(status), 'the status is none of a final response');
    this.#head.status = status;
  }

  get reason(): string {
    return this.#head.reason;
  }

  set reason(reason: string) {
    must(isReason(reason), 'the reason is no text of one line');
    this.#head.reason = reason;
  }

  get length(): number {
    return this.#head.length;
  }

  set length(length: number) {
    must(isLength(length), NO_LENGTH);
    this.#head.length = length;
  }
}

/** The same object for each hook of an exchange, so that hooks can tell exchanges apart and keep something with one. */
export function guardedExchange(x: Exchange): GuardedExchange {
  return (x.guarded ??= new GuardedExchange(x)) as GuardedExchange;
}

/** Members without a setter can't be replaced. */
export class GuardedExchange {
  readonly #x: Exchange;
  readonly #fields: GuardedFields;
  #head: GuardedHead | null = null;

  constructor(x: Exchange) {
    this.#x = x;
    this.#fields = new GuardedFields(x.fields);
  }

  get method(): string {
    return this.#x.method;
  }

  get target(): string {
    return this.#x.target;
  }

  get authority(): string {
    return this.#x.authority;
  }

  get host(): string {
    return this.#x.host;
  }

  get scheme(): 'http' | 'https' {
    return this.#x.scheme;
  }

  get version(): number {
    return this.#x.version;
  }

  get fields(): GuardedFields {
    return this.#fields;
  }

  /** null: it is not known yet. */
  get response(): GuardedHead | null {
    const { response } = this.#x;
    if (response === null) return null;
    if (this.#head === null || !GuardedHead.isOf(this.#head, response)) this.#head = new GuardedHead(response);
    return this.#head;
  }

  get connection(): object {
    const { clientAddress, clientPort, localAddress, localPort, listener, secure, tls } = this.#x.connection;
    const { serverName = '', version = '', cipher = '', client = null } = tls ?? {};
    // A copy: other exchanges of the connection need the certificate, too.
    const session = tls === null ? null : { serverName, version, cipher, client: client && Object.assign({}, client) };
    return { clientAddress, clientPort, localAddress, localPort, listener, secure, tls: session };
  }

  get claims(): object | null {
    const { claims } = this.#x;
    return claims && { ...claims };
  }

  get path(): string {
    return this.#x.path;
  }

  set path(path: string) {
    mustBeText('path', path);
    must(isPath(path), 'the path is no path');
    this.#x.path = path;
  }

  get routedPath(): string {
    return this.#x.routedPath;
  }

  set routedPath(path: string) {
    mustBeText('routedPath', path);
    this.#x.routedPath = path;
  }

  get receivedPath(): string {
    return this.#x.receivedPath;
  }

  /** '': the path is sent in its place. */
  set receivedPath(path: string) {
    mustBeText('receivedPath', path);
    must(path === '' || isPath(path), 'the received path is no path');
    this.#x.receivedPath = path;
  }

  get query(): string {
    return this.#x.query;
  }

  set query(query: string) {
    mustBeText('query', query);
    must(isQuery(query), 'the query is no query');
    this.#x.query = query;
  }

  get bodyLength(): number {
    return this.#x.bodyLength;
  }

  set bodyLength(length: number) {
    must(isLength(length), NO_LENGTH);
    this.#x.bodyLength = length;
  }

  get clientAddress(): string {
    return this.#x.clientAddress;
  }

  set clientAddress(address: string) {
    must(typeof address === 'string' && isIP(address) !== 0, 'clientAddress is an IP address');
    this.#x.clientAddress = address;
  }

  get rewritten(): readonly Rewritten[] | null {
    const { rewritten } = this.#x;
    return rewritten && rewritten.map(({ from, to }) => ({ from, to }));
  }

  set rewritten(rewritten: readonly Rewritten[] | null) {
    const problem = 'rewritten is null or a list of prefixes, from and to';
    must(rewritten === null || Array.isArray(rewritten), problem);
    this.#x.rewritten =
      rewritten &&
      Array.from(rewritten, (prefixes) => {
        // Each is read once: a getter may return something else the next time.
        const { from, to } = prefixes ?? {};
        must(typeof from === 'string' && typeof to === 'string' && [from, to].every(isPathOrNone), problem);
        return { from, to };
      });
  }

  get route(): string {
    return this.#x.route;
  }

  get endpoint(): string {
    return this.#x.endpoint;
  }

  get status(): number {
    return this.#x.status;
  }

  get error(): string {
    return this.#x.error;
  }

  set error(error: string) {
    mustBeText('error', error);
    this.#x.error = error;
  }

  get startedAt(): number {
    return this.#x.startedAt;
  }

  get upstreamAt(): number {
    return this.#x.upstreamAt;
  }

  get bytesIn(): number {
    return this.#x.bytesIn;
  }

  get bytesOut(): number {
    return this.#x.bytesOut;
  }

  get generation(): number {
    return this.#x.generation;
  }

  note(name: string, word: string): void {
    mustBeText('the name of a note', name);
    mustBeText('a note', word);
    this.#x.note(name, word);
  }

  noted(name: string): string {
    return this.#x.noted(name);
  }
}

function isPathOrNone(path: string): boolean {
  return path === '' || isPath(path);
}
