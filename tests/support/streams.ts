/** Streams that go on for as long as the test wants: upgraded ones and tcp ones, each of which echoes. */
import { createHash } from 'node:crypto';
import type net from 'node:net';
import { answering, type Origin, rawOrigin } from './origin.ts';
import { until } from './gateway.ts';
import { RawClient } from './raw-client.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';

/** Changes protocols with whoever asks, and echoes. */
export function chatOrigin(): Promise<Origin> {
  return rawOrigin(
    answering((socket) => {
      socket.write(SWITCH);
      socket.on('data', (part: Buffer) => socket.write(part));
      socket.on('end', () => socket.end());
    }),
  );
}

/** An upgraded stream, open. `lines`: more header lines. */
export async function chat(port: number, path = '/', lines = ''): Promise<RawClient> {
  const client = await RawClient.to(port);
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: chat\r\n${lines}\r\n`);
  const { status } = await client.response();
  if (status !== 101) throw new Error(`no stream: ${status}`);
  return client;
}

let count = 0;

/** Does what is said come back? */
export async function echoes(client: RawClient): Promise<void> {
  const said = `said ${count++}`;
  client.send(said);
  await until(() => client.text.endsWith(said) || client.closed, 'the echo comes');
  if (client.closed) throw new Error(`the stream is closed: ${client.error}`);
}

/** Takes WebSockets and, unless told otherwise, says nothing. What the gateway sends is in `received`. */
export function webSocketOrigin(talk: (socket: net.Socket) => void = () => {}): Promise<Origin> {
  return rawOrigin((socket) => {
    socket.once('data', (head: Buffer) => {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(head.toString('latin1'))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      talk(socket);
    });
  });
}

/** A WebSocket client of somebody else's making, open; `closed` tells with which code it ends. */
export async function webSocket(port: number, path = '/'): Promise<{ socket: WebSocket; closed: Promise<number> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  return { socket, closed };
}

/** A WebSocket client that sends and reads bytes. */
export async function rawWebSocket(port: number, path = '/'): Promise<RawClient> {
  const client = await RawClient.to(port);
  client.send(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const { status } = await client.response();
  if (status !== 101) throw new Error(`no stream: ${status}`);
  client.text = '';
  return client;
}
