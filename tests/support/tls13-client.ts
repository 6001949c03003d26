/** A TLS 1.3 client that seals its own records once the handshake is done: of any type and size, in any number. */
import { createCipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { until } from './gateway.ts';

export const HANDSHAKE_RECORD = 22;
export const DATA_RECORD = 23;
/** KeyUpdate, with the request that the peer does the same (RFC 8446 §4.6.3). */
export const KEY_UPDATE = Buffer.from([24, 0, 0, 1, 1]);

/** RFC 8446 §7.1. One block of SHA-256 is enough for all of it. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.from(
    `\0${String.fromCharCode(length)}${String.fromCharCode(name.length)}${name}\0\x01`,
    'latin1',
  );
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

export class Tls13Client implements AsyncDisposable {
  readonly tcp: net.Socket;
  /** What the server has sent. */
  text = '';
  closed = false;
  #secret: Buffer;
  #sequence = 0n;

  private constructor(tcp: net.Socket, secret: Buffer) {
    this.tcp = tcp;
    this.#secret = secret;
    tcp.on('close', () => (this.closed = true));
  }

  static async to(port: number): Promise<Tls13Client> {
    const tcp = net.connect(port, '127.0.0.1');
    await once(tcp, 'connect');
    tcp.on('error', () => {});
    // The TLS socket gets a stream between, so that the connection below stays ours to write to.
    const between = new Duplex({
      read() {},
      write: (part: Buffer, _coding, done) => void tcp.write(part, () => done()),
    });
    tcp.on('data', (part: Buffer) => between.push(part));
    tcp.on('close', () => between.push(null));
    const secure = tls.connect({ socket: between, rejectUnauthorized: false, ciphers: 'TLS_AES_128_GCM_SHA256' });
    let secret = '';
    secure.on('keylog', (line: Buffer) => {
      secret = /^CLIENT_TRAFFIC_SECRET_0 \S+ (\S+)/.exec(line.toString())?.[1] ?? secret;
    });
    secure.on('error', () => {});
    // Its ticket comes when the server has our Finished.
    await once(secure, 'session');
    const client = new Tls13Client(tcp, Buffer.from(secret, 'hex'));
    secure.on('data', (part: Buffer) => (client.text += part.toString('latin1')));
    return client;
  }

  /** A record. A KeyUpdate changes the keys of the next one. */
  seal(type: number, content: Buffer): Buffer {
    const nonce = expandLabel(this.#secret, 'iv', 12);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence++, 4);
    const header = Buffer.from([DATA_RECORD, 3, 3, 0, 0]);
    header.writeUInt16BE(content.length + 17, 3);
    const cipher = createCipheriv('aes-128-gcm', expandLabel(this.#secret, 'key', 16), nonce).setAAD(header);
    const sealed = Buffer.concat([
      header,
      cipher.update(Buffer.concat([content, Buffer.from([type])])),
      cipher.final(),
    ]);
    if (type === HANDSHAKE_RECORD && content[0] === KEY_UPDATE[0]) {
      this.#secret = expandLabel(this.#secret, 'traffic upd', 32);
      this.#sequence = 0n;
    }
    return Buffer.concat([sealed, cipher.getAuthTag()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tcp.destroy();
    await until(() => this.closed, 'the connection has closed');
  }
}
