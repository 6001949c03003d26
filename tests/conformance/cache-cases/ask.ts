/** The client of the table's cases: one request, and all of what comes back, broken or not. */
import http from 'node:http';

export interface Got {
  readonly status: number;
  /** By name in lower case; lines of the same name joined. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
  readonly interim: readonly number[];
  /** The response did not end as it should have. */
  readonly broken: boolean;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly lines: readonly string[];
  readonly content: string | undefined;
}

function joined(raw: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const before = fields.get(name);
    fields.set(name, before === undefined ? raw[i + 1]! : `${before}, ${raw[i + 1]}`);
  }
  return fields;
}

const NOTHING: Got = { status: 0, fields: new Map(), body: '', interim: [], broken: true };

export function ask(agent: http.Agent, port: number, { method, path, lines, content }: Question): Promise<Got> {
  return new Promise((resolve) => {
    const interim: number[] = [];
    const request = http.request({ agent, host: '127.0.0.1', port, method, path, headers: lines, timeout: 5000 });
    request.on('information', ({ statusCode }) => interim.push(statusCode));
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(NOTHING));
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (part: string) => (body += part));
      response.on('error', () => {});
      response.on('close', () => {
        const { statusCode: status = 0, rawHeaders, complete } = response;
        resolve({ status, fields: joined(rawHeaders), body, interim, broken: !complete });
      });
    });
    request.end(content);
  });
}
