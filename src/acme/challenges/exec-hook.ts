/**
 * A program that makes and removes TXT records: `program present|cleanup <fqdn> <value>`, as lego's `exec` calls it. Cold.
 */
import { spawn } from 'node:child_process';
import type { Clock } from '../../kit/clock.ts';
import { systemReason } from '../../kit/system-reason.ts';
import { AcmeError, textOf } from '../client/acme-error.ts';
import type { DnsHook, TxtRecord } from './dns01.ts';

/** Bytes of its output that a message may use. */
const MOST_OUTPUT = 4096;

/** `command`: an absolute path and its first arguments; no shell reads it. `timeout`: ms. */
export function execHook(command: readonly string[], timeout: number, clock: Clock): DnsHook {
  const [program = '', ...first] = command;
  const run = (action: string, { name, value }: TxtRecord, stop: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (reason: string): void => reject(new AcmeError('hook_failed', `${program} ${action}: ${reason}`));
      const child = spawn(program, [...first, action, `${name}.`, value], { stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      let ended = '';
      const end = (reason: string): void => {
        ended = reason;
        child.kill('SIGKILL');
      };
      const timer = clock.after(timeout, () => end(`it did not end within ${timeout / 1000} s`));
      const stopped = (): void => end('the gateway stops');
      stop.addEventListener('abort', stopped);
      child.stderr.on('data', (part: Buffer) => {
        said = (said + part.toString('utf8')).slice(-MOST_OUTPUT);
      });
      const done = (reason: string): void => {
        timer.cancel();
        stop.removeEventListener('abort', stopped);
        // A grandchild may hold the pipe open.
        child.stderr.destroy();
        if (reason === '') resolve();
        else fail(reason);
      };
      child.on('error', (error) => done(systemReason(error)));
      child.on('exit', (code, signal) => {
        if (ended !== '') done(ended);
        else if (code === 0) done('');
        else done(`it ended with ${code ?? signal}${said === '' ? '' : `: ${textOf(said.trim())}`}`);
      });
    });
  return {
    add: (record, stop) => run('present', record, stop),
    remove: (record, stop) => run('cleanup', record, stop),
  };
}
