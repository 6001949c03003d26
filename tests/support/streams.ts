/** Streams that go on for as long as the test wants: upgraded ones and tcp ones, each of which echoes. */
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
