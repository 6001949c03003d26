/** A WebSocket that sends back every frame it gets, unmasked (RFC 6455 §5). Only as much as a trial of the gateway needs. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** A longer frame ends the connection. */
const LONGEST = 1024 * 1024;

export function acceptSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers['sec-websocket-key'];
  if (key === undefined || !(request.url ?? '').startsWith('/socket')) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let waiting: Buffer = head;
  const read = (part: Buffer): void => {
    waiting = Buffer.concat([waiting, part]);
    for (let used = answerFrame(waiting, socket); used !== 0; used = answerFrame(waiting, socket)) {
      waiting = waiting.subarray(used);
    }
  };
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  socket.on('data', read);
  read(Buffer.alloc(0));
}

/** Answers the frame at the start of `bytes` if it is complete; returns its length, or 0. */
function answerFrame(bytes: Buffer, socket: Duplex): number {
  if (bytes.length < 2) return 0;
  const opcode = bytes[0]! & 15;
  const masked = (bytes[1]! & 128) !== 0;
  let length = bytes[1]! & 127;
  let start = 2;
  if (length >= 126) {
    const width = length === 126 ? 2 : 8;
    if (bytes.length < 2 + width) return 0;
    length = width === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    start += width;
  }
  if (length > LONGEST || !masked) {
    socket.destroy();
    return 0;
  }
  if (bytes.length < start + 4 + length) return 0;
  const mask = bytes.subarray(start, start + 4);
  const content = Buffer.from(bytes.subarray(start + 4, start + 4 + length)).map((byte, i) => byte ^ mask[i & 3]!);
  socket.write(frame((bytes[0]! & 240) | (opcode === PING ? PONG : opcode), content));
  if (opcode === CLOSE) socket.end();
  return start + 4 + length;
}

function frame(first: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = first;
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, content]);
}
