/**
 * Closes a WebSocket tunnel with a Close frame to both sides (RFC 6455 §5.5.1). Hot to watch, cold to close.
 *
 * A Close frame may stand only between two frames. If a frame is incomplete, its rest is forwarded first; data behind
 * the Close frame in the same direction is dropped. The tunnel is closed when both sides have answered with a Close
 * frame, or their time is up.
 */
import { randomBytes } from 'node:crypto';
import { closeFrame, FrameReader } from '../http/websocket.ts';
import type { Tunnel, TunnelFlow, TunnelWatcher } from '../net/tunnel.ts';

/** Milliseconds that both sides have to complete a frame and to answer. */
const GRACE = 2000;

/** The frames from one side. */
class Speech implements TunnelWatcher {
  readonly frames = new FrameReader();
  readonly #flow: TunnelFlow;
  readonly #heard: () => void;
  /** The Close frame for the other side, in place of all further frames. */
  #close: Buffer | null = null;
  #said = false;

  constructor(flow: TunnelFlow, heard: () => void) {
    this.#flow = flow;
    this.#heard = heard;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    const { frames } = this;
    if (this.#close === null) {
      frames.read(bytes, start, end, false);
      this.#flow.pass(bytes, start, end);
      return;
    }
    let at = start;
    if (!this.#said) {
      at = frames.read(bytes, start, end, true);
      this.#flow.pass(bytes, start, at);
      if (frames.between) this.#say();
    }
    frames.read(bytes, at, end, false);
    if (frames.closed) this.#heard();
  }

  /** A side that has sent a Close frame itself gets none from the gateway. */
  end(close: Buffer): void {
    if (this.frames.closed) return;
    this.#close = close;
    if (this.frames.between) this.#say();
  }

  #say(): void {
    this.#said = true;
    if (!this.frames.closed) this.#flow.pass(this.#close!, 0, this.#close!.length);
  }
}

export class WebSocketGoodbye {
  readonly #tunnel: Tunnel;
  readonly #client: Speech;
  readonly #upstream: Speech;

  constructor(tunnel: Tunnel) {
    const heard = (): void => this.#heard();
    this.#tunnel = tunnel;
    this.#client = new Speech(tunnel.fromClient, heard);
    this.#upstream = new Speech(tunnel.fromUpstream, heard);
    tunnel.fromClient.watcher = this.#client;
    tunnel.fromUpstream.watcher = this.#upstream;
  }

  /** `why`: the error code of the tunnel if a side does not answer. */
  say(code: number, why: string): void {
    this.#tunnel.expire(GRACE, why);
    // Towards the upstream it is masked like a client's frame; towards the client it is a server's frame.
    this.#client.end(closeFrame(code, randomBytes(4)));
    this.#upstream.end(closeFrame(code, null));
  }

  #heard(): void {
    if (this.#client.frames.closed && this.#upstream.frames.closed) this.#tunnel.close('');
  }
}
