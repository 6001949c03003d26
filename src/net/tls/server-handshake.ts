/**
 * The start of a TLS connection: reads its ClientHello, chooses a certificate, and lets OpenSSL do the handshake. Hot.
 *
 *     hello ─┬─ in its turn ──▶ handshake ──▶ onSecured
 *            ├─ not ours to decrypt ──▶ onRelay
 *            ├─ no TLS ──▶ onPlain
 *            └─ refused, too slow, broken ──▶ onTlsFailed
 */
import { NOWHERE } from '../../kit/places.ts';
import type { ByteStreamHandler } from '../byte-stream.ts';
import { IGNORE } from '../byte-stream.ts';
import type { Deadlines, Timed } from '../deadlines.ts';
import type { Transport } from '../transport.ts';
import { type ClientHello, ClientHelloReader } from './client-hello.ts';
import type { PendingChoice, ServerTls } from './server-tls.ts';
import type { Handshake, HandshakeObserver, TlsOptions } from './handshake.ts';
import type { HandshakeQueue, QueuedHandshake } from './handshake-queue.ts';
import { startTls } from './start-tls.ts';
import type { TlsInfo } from './tls-info.ts';

/** What to do with a connection: its TLS decrypts it; it is relayed as it is; or alert unrecognized_name. */
export type HelloVerdict = ServerTls | 'relay' | 'refuse';

export interface ServerHandshakeObserver {
  /** Decides by the ClientHello, before anything is negotiated. Called once, first. */
  onHello(hello: ClientHello): HelloVerdict;
  /** The observer owns the transport; `early`: the bytes that have been read from it. Sets the transport's handler. */
  onRelay(transport: Transport, early: Buffer): void;
  /** The connection is encrypted from now on. Sets the transport's handler. */
  onSecured(transport: Transport, info: TlsInfo): void;
  /** The client speaks something other than TLS; `early`: its bytes so far. The observer owns the transport. */
  onPlain(transport: Transport, early: Buffer): void;
  /** The connection is closed; `code` says why. */
  onTlsFailed(code: string): void;
}

/** How a connection ends that an authority has made to see the certificate of a challenge (RFC 8737). */
const CHALLENGE = 'acme_challenge';

/** For the handshake itself, after a certificate was waited for (ms). */
const PATIENCE = 10_000;

/** Fatal alerts, before anything is encrypted (RFC 8446 §6.2). */
const DECODE_ERROR = '\x15\x03\x01\x00\x02\x02\x32';
const UNRECOGNIZED_NAME = '\x15\x03\x01\x00\x02\x02\x70';

export class ServerHandshake implements ByteStreamHandler, Timed, HandshakeObserver, QueuedHandshake {
  deadline: number;
  timedPlace = NOWHERE;
  queueState: QueuedHandshake['queueState'] = 'out';
  before: QueuedHandshake | null = null;
  behind: QueuedHandshake | null = null;
  activeSince = 0;
  #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #observer: ServerHandshakeObserver;
  readonly #queue: HandshakeQueue;
  /** The most handshakes at once; 0: no limit. */
  readonly #limit: number;
  readonly #reader = new ClientHelloReader();
  #hello: ClientHello | null = null;
  /** null: as long as it waits for the ClientHello. */
  #tls: ServerTls | null = null;
  /** A certificate that was waited for. */
  #obtained: TlsOptions | null = null;
  /** null: the ClientHello is not complete. */
  #handshake: Handshake | null = null;
  /** An authority looks at the certificate, and nothing follows. */
  #challenge = false;
  /** It has seen it: the connection ends. */
  #ending = false;
  #over = false;

  /** `timeout` in ms; `limit`: the most handshakes at once, 0: no limit. */
  constructor(
    transport: Transport,
    deadlines: Deadlines,
    timeout: number,
    queue: HandshakeQueue,
    limit: number,
    observer: ServerHandshakeObserver,
  ) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#queue = queue;
    this.#limit = limit;
    this.#observer = observer;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
    transport.handler = this;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#ending) {
      this.onEnd();
      return;
    }
    const hello = this.#reader.push(bytes, start, end);
    if (hello === null) return;
    if (hello === 'not_tls') {
      this.#hand();
      this.#observer.onPlain(this.#transport, this.#reader.received);
    } else if (typeof hello === 'string') this.#refuse(hello === 'malformed' ? DECODE_ERROR : '', `tls_hello_${hello}`);
    else this.#decide(hello);
  }

  #decide(hello: ClientHello): void {
    const verdict = this.#observer.onHello(hello);
    if (verdict === 'relay') {
      this.#hand();
      this.#observer.onRelay(this.#transport, this.#reader.received);
      return;
    }
    if (verdict === 'refuse') {
      this.#unrecognized();
      return;
    }
    this.#tls = verdict;
    this.#hello = hello;
    this.#queue.enter(this, this.#limit);
  }

  /** The transport is the observer's from now on. */
  #hand(): void {
    this.#end();
    this.#transport.handler = IGNORE;
  }

  begin(): void {
    if (this.#obtained !== null) {
      this.#start(this.#obtained);
      return;
    }
    const choice = this.#tls!.choose(this.#hello!);
    if (choice === null) this.#unrecognized();
    else if ('wait' in choice) this.#await(choice);
    else if ('challenge' in choice) {
      this.#challenge = true;
      this.#start(choice.challenge);
    } else this.#start(choice);
  }

  makeRoom(): void {
    this.onDeadline();
  }

  /** The certificate is being obtained. Until then, the client has nothing to say. */
  #await({ wait, options }: PendingChoice): void {
    this.deadline = this.#deadlines.now + wait + PATIENCE;
    this.#queue.leave(this);
    void options.then((chosen) => {
      if (this.#over) return;
      this.#obtained = chosen;
      if (chosen === null) this.#unrecognized();
      else this.#queue.enter(this, this.#limit);
    });
  }

  #unrecognized(): void {
    this.#refuse(UNRECOGNIZED_NAME, 'tls_unrecognized_name');
  }

  #start(options: TlsOptions): void {
    const handshake = startTls(this.#transport, this.#reader.received, options, this);
    if (!this.#over && !this.#ending) this.#handshake = handshake;
  }

  onDrain(): void {}

  onEnd(): void {
    this.#transport.destroy();
    this.#fail(this.#ending ? CHALLENGE : 'client_gone');
  }

  onClose(): void {
    this.#fail(this.#ending ? CHALLENGE : 'client_gone');
  }

  onDeadline(): void {
    this.cancel();
    this.#observer.onTlsFailed(this.#ending ? CHALLENGE : 'tls_handshake_timeout');
  }

  onSecured(transport: Transport, info: TlsInfo): void {
    if (this.#challenge) {
      this.#endAfterChallenge(transport);
      return;
    }
    this.#end();
    this.#observer.onSecured(transport, info);
  }

  /** The last message of the handshake may still be on its way, so the connection is not simply cut. */
  #endAfterChallenge(transport: Transport): void {
    this.#queue.leave(this);
    this.#transport = transport;
    this.#handshake = null;
    this.#ending = true;
    transport.handler = this;
    transport.end();
  }

  onHandshakeFailed(code: string): void {
    this.#fail(code === 'ECONNRESET' || code === 'EPIPE' ? 'client_gone' : code);
  }

  /** Closes the connection; the observer gets no further calls. */
  cancel(): void {
    if (this.#over) return;
    this.#end();
    if (this.#handshake === null) this.#transport.destroy();
    else this.#handshake.cancel();
  }

  #refuse(alert: string, code: string): void {
    if (alert !== '') this.#transport.writeText(alert);
    this.#transport.destroy();
    this.#fail(code);
  }

  #fail(code: string): void {
    if (this.#over) return;
    this.#end();
    this.#observer.onTlsFailed(code);
  }

  #end(): void {
    this.#over = true;
    this.#queue.leave(this);
    this.#deadlines.delete(this);
  }
}
