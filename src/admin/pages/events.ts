/** `GET /events`: a stream of server-sent events (the HTML standard, §9.2). Cold. */
import type { Page } from '../page.ts';

/** Milliseconds between two heartbeats. */
const HEARTBEAT = 15_000;
/** Unread bytes after which the gateway disconnects a slow reader. */
const MOST_BEHIND = 1024 * 1024;

export const events: Page = {
  path: '/events',
  GET: ({ gateway }, { message }, response) => {
    const head = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
    response.writeHead(200, head);
    if (message.method === 'HEAD') {
      response.end();
      return null;
    }
    const write = (text: string): void => {
      response.write(text);
      if (response.writableLength > MOST_BEHIND) response.destroy();
    };
    write(': prozy\n\n');
    const stop = gateway.events.listen((event) => write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
    const heartbeat = gateway.clock.every(HEARTBEAT, () => write(':\n\n'));
    response.on('close', () => {
      stop();
      heartbeat.cancel();
    });
    return null;
  },
};
