/** A DNS server on loopback, over UDP and TCP, whose records a test may change at any time. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

type Type = 'A' | 'AAAA' | 'SRV';

export interface Service {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** What a name answers with, in place of records: a code, nothing at all, or an answer that does not fit into UDP. */
export type Illness = 'SERVFAIL' | 'REFUSED' | 'NXDOMAIN' | 'silence' | 'garbage';

const RCODES: Readonly<Record<string, number>> = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
/** RFC 1035 §4.2.1. */
const MOST_UDP = 512;

export class DnsServer implements AsyncDisposable {
  readonly port: number;
  /** Every question that came, as `TYPE name`. */
  readonly asked: string[] = [];
  /** Questions over TCP. */
  overTcp = 0;
  readonly #udp: dgram.Socket;
  readonly #tcp: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** By `TYPE name`. */
  readonly #records = new Map<string, Answer[]>();
  readonly #ill = new Map<string, Illness>();

  private constructor(udp: dgram.Socket, tcp: net.Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = udp.address().port;
    udp.on('message', (message, from) => {
      const response = this.#answer(decode(message));
      if (response === null) return;
      let bytes = Buffer.isBuffer(response) ? response : encode(response);
      if (!Buffer.isBuffer(response) && bytes.length > MOST_UDP)
        bytes = encode({ ...response, answers: [], flags: (response.flags ?? 0) | TRUNCATED_RESPONSE });
      udp.send(bytes, from.port, from.address);
    });
    tcp.on('connection', (socket) => this.#talk(socket));
  }

  static async open(): Promise<DnsServer> {
    for (;;) {
      const tcp = net.createServer();
      tcp.listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      const { port } = tcp.address() as net.AddressInfo;
      const udp = dgram.createSocket('udp4');
      udp.bind(port, '127.0.0.1');
      try {
        await once(udp, 'listening');
        return new DnsServer(udp, tcp);
      } catch {
        // Somebody has that port for UDP.
        tcp.close();
      }
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The addresses of a name, of either family. */
  set(name: string, addresses: readonly string[], ttl = 60): void {
    for (const type of ['A', 'AAAA'] as const) {
      const own = addresses.filter((address) => net.isIPv6(address) === (type === 'AAAA'));
      this.#records.set(
        `${type} ${name}`,
        own.map((data) => ({ type, name, ttl, data })),
      );
    }
    this.#ill.delete(name);
  }

  setServices(name: string, services: readonly Service[], ttl = 60): void {
    const records = services.map((data): Answer => ({ type: 'SRV', name, ttl, data }));
    this.#records.set(`SRV ${name}`, records);
    this.#ill.delete(name);
  }

  /** `question`: a name, or `TYPE name`. */
  fail(question: string, illness: Illness): void {
    this.#ill.set(question, illness);
  }

  heal(question: string): void {
    this.#ill.delete(question);
  }

  /** How often a name was asked for. */
  count(name: string, type: Type = 'A'): number {
    return this.asked.filter((one) => one === `${type} ${name}`).length;
  }

  #answer({ id = 0, questions = [] }: Packet): Packet | Buffer | null {
    const [question] = questions;
    if (question === undefined) return null;
    const { type, name } = question;
    const key = `${type} ${name}`;
    this.asked.push(key);
    const illness = this.#ill.get(key) ?? this.#ill.get(name);
    if (illness === 'silence') return null;
    if (illness === 'garbage') return Buffer.from([id >> 8, id & 255, 0x81, 0x80, 0, 1, 0, 9, 1, 2, 3]);
    const answers = this.#records.get(key);
    const known = answers !== undefined || [...this.#records.keys()].some((one) => one.endsWith(` ${name}`));
    const rcode = illness === undefined ? (known ? 0 : 3) : RCODES[illness]!;
    const flags = AUTHORITATIVE_ANSWER | rcode;
    return { type: 'response', id, flags, questions, answers: illness === undefined ? (answers ?? []) : [] };
  }

  #talk(socket: net.Socket): void {
    this.#sockets.add(socket);
    let bytes = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const end = 2 + bytes.readUInt16BE(0);
        const response = this.#answer(streamDecode(bytes.subarray(0, end)));
        bytes = bytes.subarray(end);
        this.overTcp++;
        if (response !== null && !Buffer.isBuffer(response)) socket.write(streamEncode(response));
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = Promise.all([once(this.#udp, 'close'), once(this.#tcp, 'close')]);
    this.#udp.close();
    this.#tcp.close();
    await closed;
  }
}
