/** A config that comes from no file: what a Kubernetes or an xDS source is to the reloader. */
import type { ConfigSource, GivenTexts, Notice } from '../../src/config/config-source.ts';

export class MemorySource implements ConfigSource {
  readonly root = '/nowhere/gateway.json';
  readonly secondLook = 0;
  readonly unsettled = false;
  closed = false;
  text: string;
  #hint: (by: Notice) => void = () => {};

  constructor(config: object) {
    this.text = JSON.stringify(config);
  }

  /** The server sends another document. */
  send(config: object | string): void {
    this.text = typeof config === 'string' ? config : JSON.stringify(config);
    this.#hint('watch');
  }

  async read(): Promise<GivenTexts> {
    return new Map([[this.root, this.text]]);
  }

  listen(_clock: unknown, hint: (by: Notice) => void): void {
    this.#hint = hint;
  }

  follow(): void {}

  holds(text: string): boolean {
    return this.text === text;
  }

  async replace(current: string, text: string): Promise<string | null> {
    if (this.text !== current) return 'the server holds another config';
    this.text = text;
    return null;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
