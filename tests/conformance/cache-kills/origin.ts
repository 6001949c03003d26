/** An origin whose bodies say themselves what they are: of which URL, in which version, and whether all of it is there. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export class VersionedOrigin implements AsyncDisposable {
  /** By URL; a POST makes another one. */
  readonly versions = new Map<string, number>();
  readonly port: number;
  readonly #server: http.Server;

  private constructor(server: http.Server, versions: Map<string, number>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.versions = versions;
  }

  static async open(): Promise<VersionedOrigin> {
    const versions = new Map<string, number>();
    const server = http.createServer({ keepAliveTimeout: 60_000 }, ({ method, url = '' }, response) => {
      const version = (versions.get(url) ?? 0) + (method === 'POST' ? 1 : 0);
      versions.set(url, version);
      response.setHeader('cache-control', 'max-age=100000');
      response.setHeader('cache-tag', tagOf(url));
      response.setHeader('x-version', version);
      response.end(method === 'POST' ? '' : bodyOf(url, version));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new VersionedOrigin(server, versions);
  }

  versionOf(url: string): number {
    return this.versions.get(url) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** URLs are `/<tag>/<size>/<n>`. */
export const tagOf = (url: string): string => url.split('/')[1] ?? '';

function bodyOf(url: string, version: number): string {
  const size = Number(url.split('/')[2]);
  const seed = createHash('sha1').update(`${url} ${version}`).digest('hex');
  const filler = seed.repeat(Math.ceil(size / seed.length)).slice(0, size);
  return `${url} ${version} ${createHash('sha1').update(filler).digest('hex')} ${filler}`;
}

/** The version that a body is of; null: it is not what an origin has sent for that URL. */
export function versionIn(url: string, body: string): number | null {
  const [of, version, digest, filler = ''] = body.split(' ');
  if (of !== url || filler.length !== Number(url.split('/')[2])) return null;
  return createHash('sha1').update(filler).digest('hex') === digest ? Number(version) : null;
}
