/** One-off requests of tests that do not care about the bytes. */
import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface AskOptions extends http.RequestOptions {
  readonly body?: string;
}

/** On a connection of its own. */
export function get(port: number, path = '/', options: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

export async function getJson<T>(port: number, path: string): Promise<T> {
  // What the admin pages hold is the test's business to know.
  return JSON.parse((await get(port, path)).body) as T;
}
