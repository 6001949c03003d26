/**
 * Damaged ClientHellos, read by the gateway and by OpenSSL: where OpenSSL goes on with a server name, the gateway has
 * read the same name, or refuses. Another name would choose another certificate, or another backend.
 */
import { setImmediate } from 'node:timers/promises';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../src/kit/random.ts';
import { ClientHelloReader } from '../../src/net/tls/client-hello.ts';
import { pem } from '../support/certificates.ts';
import { helloOf, inRecords } from '../support/client-hello.ts';

const secureContext = tls.createSecureContext({ ca: [], cert: pem('site.pem'), key: pem('site.key') });

/** The server name that OpenSSL goes on with, '' if it goes on without one; null: it refuses, or waits for more. */
async function openssl(bytes: Buffer): Promise<string | null> {
  let name = '';
  let answer = -1;
  const wire = new Duplex({
    read() {},
    write(part: Buffer, _coding, done) {
      if (answer < 0) answer = part[0]!;
      done();
    },
  });
  const socket = new tls.TLSSocket(wire, {
    isServer: true,
    secureContext,
    SNICallback: (asked, done) => {
      name = asked;
      done(null, secureContext);
    },
  });
  socket.on('error', () => {});
  wire.push(bytes);
  for (let i = 0; i < 4; i++) await setImmediate();
  socket.destroy();
  wire.destroy();
  // A handshake record is a ServerHello; the other answer is an alert.
  return answer === 22 ? name : null;
}

function damaged(hello: Buffer, random: Random): Buffer {
  const pick = (most: number): number => Math.floor(random() * most);
  let bytes: Buffer = Buffer.from(hello);
  for (let n = 1 + pick(3); n > 0; n--) {
    const at = pick(bytes.length);
    const kind = pick(6);
    if (kind === 0) bytes[at] = pick(256);
    else if (kind === 1) bytes[at]! ^= 1 << pick(8);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(4))]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(pick(256)), bytes.subarray(at)]);
    else if (kind === 4) bytes = inRecords(bytes, 1 + pick(bytes.length));
    else {
      // Within the name, or its lengths.
      const name = bytes.indexOf('example');
      if (name > 0) bytes[name - 12 + pick(24)] = pick(2) === 0 ? pick(256) : 0x2e;
    }
    if (bytes.length < 10) break;
  }
  return bytes;
}

test('the same name as OpenSSL, or a refusal', async () => {
  const hellos = [
    await helloOf({ servername: 'www.example.com', ALPNProtocols: ['h2', 'http/1.1'] }),
    await helloOf({ servername: 'shop.example.com', maxVersion: 'TLSv1.2' }),
    await helloOf({ servername: '' }),
  ];
  const random = seededRandom(1);
  const seen = { same: 0, stricter: 0, refused: 0 };
  for (let i = 0; i < 1500; i++) {
    const bytes = damaged(hellos[i % hellos.length]!, random);
    const ours = new ClientHelloReader().push(bytes, 0, bytes.length);
    const theirs = await openssl(bytes);
    if (theirs === null) seen.refused++;
    else if (ours === null || typeof ours === 'string') seen.stricter++;
    else {
      seen.same++;
      expect([i, bytes.toString('hex'), ours.serverName]).toEqual([i, bytes.toString('hex'), theirs.toLowerCase()]);
    }
  }
  // Worth something only if there are many of each.
  expect(seen.same).toBeGreaterThan(300);
  expect(seen.stricter).toBeGreaterThan(10);
  expect(seen.refused).toBeGreaterThan(300);
});
