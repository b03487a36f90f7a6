/** The programs in C: a load that says something else than it does would make every table wrong. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { answerOf, Program } from '../children';
import type { Echoed } from '../scenarios/echo';

const cc = process.env.CC ?? 'cc';
const skip =
  process.platform !== 'linux' || spawnSync(cc, ['--version']).status !== 0 ? 'needs Linux and a C compiler' : false;

describe('programs in C', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-native-'));
  after(() => rmSync(folder, { recursive: true }));

  const built = (name: string): string => {
    const program = join(folder, name);
    execFileSync(cc, ['-O2', '-Wall', '-Wextra', '-o', program, join(__dirname, '../native', `${name}.c`)]);
    return program;
  };
  const [load, server] = skip === false ? [built('load'), built('server')] : ['', ''];

  /** A server in JavaScript that echoes and keeps what it hears. */
  async function echoing(body: (port: number, heard: Map<string, number[]>, socket: Socket) => Promise<void>) {
    const socket = createSocket('udp4');
    const heard = new Map<string, number[]>();
    socket.on('message', (msg: Buffer, { address, port }: RemoteInfo) => {
      const peer = `${address}:${port}`;
      heard.set(peer, [...(heard.get(peer) ?? []), msg.length]);
      socket.send(msg, port, address);
    });
    socket.bind(0, '0.0.0.0');
    await once(socket, 'listening');
    try {
      await body(socket.address().port, heard, socket);
    } finally {
      socket.close();
    }
  }

  const run = (...words: string[]) => answerOf<Echoed>([load, 'warm=0', ...words]);

  test('a thousand peers are a thousand pairs of address and port, each heard equally often', () =>
    echoing(async (port, heard) => {
      const { wrong } = await run('host=127.0.0.1', `ports=${port}`, 'peers=1000', 'inflight=64', 'ms=500');
      assert.equal(heard.size, 1000);
      assert.equal(wrong, 0);
      const times = [...heard.values()].map(({ length }) => length);
      assert.ok(Math.max(...times) - Math.min(...times) <= 2, `${Math.min(...times)} to ${Math.max(...times)} times`);
    }));

  test('an answer from another address than the asked one is noticed, with one peer and with many', () =>
    echoing(async (port) => {
      const many = await run('host=127.0.0.5', `ports=${port}`, 'peers=100', 'rate=2000', 'ms=100');
      assert.ok(many.wrong > 0);
      const one = await run('host=127.0.0.5', `ports=${port}`, 'rate=2000', 'ms=100');
      assert.equal(one.echoed, 0);
    }));

  test('the mix has every size of its list', () =>
    echoing(async (port, heard) => {
      await run('host=127.0.0.1', `ports=${port}`, 'sizes=dns', 'inflight=32', 'ms=100');
      const sizes = new Set([...heard.values()].flat());
      assert.equal(Math.min(...sizes), 45);
      assert.equal(Math.max(...sizes), 1232);
      assert.equal(sizes.size, 20);
    }));

  test('a burst is lost where nobody answers, and counted', () =>
    echoing(async (port, _heard, socket) => {
      socket.removeAllListeners('message');
      const { sent, lost } = await run('host=127.0.0.1', `ports=${port}`, 'burst=100', 'gap=20', 'ms=40', 'peers=10');
      assert.ok(sent >= 200 && sent % 100 === 0, `${sent} sent`);
      assert.equal(lost, sent);
    }));

  for (const how of ['many', 'segments']) {
    for (const size of [100, 1200, 65507]) {
      test(`C sends datagrams of the size it was told, how=${how}: ${size} bytes`, () =>
        echoing(async (port, _heard, socket) => {
          const sizes = new Set<number>();
          socket.removeAllListeners('message');
          socket.on('message', (msg: Buffer) => sizes.add(msg.length));
          const program = new Program([server]);
          try {
            await program.hear();
            const { sent } = await program.ask<{ sent: number }>(`send how=${how} size=${size} port=${port} ms=20`);
            assert.ok(sent > 0);
            while (sizes.size === 0) await once(socket, 'message');
            assert.deepEqual([...sizes], [size]);
          } finally {
            await program.stop();
          }
        }));
    }
  }

  for (const offload of ['', 'gso=1', 'gso=1 gro=1']) {
    for (const what of ['inflight=64', 'inflight=64 peers=100', 'inflight=64 sizes=dns']) {
      test(`C's answers are whole and from the asked address: ${offload || 'no offloads'}, ${what}`, async () => {
        const program = new Program([server, ...offload.split(' ')]);
        try {
          const { ports } = await program.hear<{ ports: number[] }>();
          const words = [`ports=${ports[0]}`, `pid=${program.pid}`, 'ms=60', ...what.split(' ')];
          // A machine that holds the server up for 200 ms makes the load think that something was lost.
          for (let tries = 3; tries > 0; tries--) {
            const { echoed, wrong, lost, serverCpuNs } = await run('host=127.0.0.5', ...words);
            assert.equal(wrong, 0);
            assert.ok(echoed > 0 && serverCpuNs > 0);
            if (lost === 0) return;
          }
          assert.fail('some are lost every time');
        } finally {
          await program.stop();
        }
      });
    }
  }
});
