/** Listeners on Unix sockets whose path is taken: by what a killed process has left, or by somebody who listens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-unix-'));
  path = join(folder, 'web.sock');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A process that listens there. */
async function occupy(backlog = 16) {
  const script = `require('net').createServer((s) => s.on('error', () => {}).end('mine')).listen({path:${JSON.stringify(path)},backlog:${backlog}},()=>console.log(1))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

const configOf = (at: string, admin: string | null = null): object => ({
  version: 1,
  ...(admin === null ? {} : { admin: { address: `unix:${admin}` } }),
  listeners: { web: { address: at.includes(':') ? at : `unix:${at}` } },
  routes: [{ name: 'all', match: {}, respond: { body: 'here' } }],
});

function ask(socketPath: string, target = '/'): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: target, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
  });
}

test('what a killed process has left is taken over, and gone after the end', async () => {
  const owner = await occupy();
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  expect(lstatSync(path).isSocket()).toBe(true);
  {
    await using gateway = await testGateway(configOf(path));
    expect(gateway.running.gateway.addressOf('web')?.path).toBe(path);
    expect(await ask(path)).toBe(200);
  }
  expect(existsSync(path)).toBe(false);
});

test('the admin listener too, and on a reload', async () => {
  const owner = await occupy();
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  await using gateway = await testGateway(configOf('127.0.0.1:0'));
  await gateway.edit(configOf('127.0.0.1:0', path));
  expect(await ask(path, '/health')).toBe(200);
});

describe('nobody is put out', () => {
  test.each([
    ['who listens', 'SIGCONT'],
    ['who is stopped', 'SIGSTOP'],
  ] as const)('%s', async (_, signal) => {
    await using owner = await occupy(1);
    owner.child.kill(signal);
    const { ino } = lstatSync(path);
    await expect(testGateway(configOf(path))).rejects.toThrow(`listener web cannot have unix:${path}: EADDRINUSE`);
    owner.child.kill('SIGCONT');
    expect(lstatSync(path).ino).toBe(ino);
    const socket = net.connect({ path });
    let said = '';
    socket.on('data', (part: Buffer) => (said += part.toString()));
    await once(socket, 'end');
    expect(said).toBe('mine');
  });

  test('who is too busy to answer', async () => {
    await using owner = await occupy(1);
    owner.child.kill('SIGSTOP');
    // So many that the system tells the next one to come again.
    const waiting = Array.from({ length: 8 }, () => net.connect({ path }).on('error', () => {}));
    await once(waiting[0]!, 'connect');
    await expect(testGateway(configOf(path))).rejects.toThrow('EADDRINUSE');
    expect(existsSync(path)).toBe(true);
    for (const socket of waiting) socket.destroy();
  });

  test('a file, and a link to what is left, stay', async () => {
    writeFileSync(path, 'precious');
    await expect(testGateway(configOf(path))).rejects.toThrow('EADDRINUSE');
    expect(readFileSync(path, 'utf8')).toBe('precious');
    rmSync(path);
    const owner = await occupy();
    owner.child.kill('SIGKILL');
    await once(owner.child, 'exit');
    const link = join(folder, 'link.sock');
    symlinkSync(path, link);
    await expect(testGateway(configOf(link))).rejects.toThrow('EADDRINUSE');
    expect([existsSync(path), lstatSync(link).isSymbolicLink()]).toEqual([true, true]);
  });
});
