/** Segmentation offload on real sockets: runs leave as one message and arrive as what they were. Linux. */
import { once } from 'node:events';
import { createSocket, type Socket } from '../../src/index';
import type { SocketOptions } from '../../src/types';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

async function bound(options: SocketOptions, address: string): Promise<Socket> {
  const socket = createSocket(options);
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

/** Everything that `count` datagrams bring, in order. */
function gather(socket: Socket, count: number): Promise<string[]> {
  const texts: string[] = [];
  return new Promise((resolve) => {
    socket.on('message', (msg, rinfo) => {
      expect(rinfo.size).toBe(msg.length);
      expect(rinfo.destination?.address).toBe('127.0.0.2');
      texts.push(String(msg));
      if (texts.length === count) resolve(texts);
    });
  });
}

onLinux('segmentation offload', () => {
  test.each([
    ['glued together by the kernel and taken apart again (gro)', true],
    ['one by one', false],
  ])('a run of equal datagrams arrives as it was sent, %s', async (_, gro) => {
    const server = await bound({ type: 'udp4', gro }, '0.0.0.0');
    const client = await bound({ type: 'udp4' }, '127.0.0.1');
    const texts = Array.from({ length: 100 }, (_, i) => String(i).padStart(1000, '.'));
    texts.push('short', '', 'x'.repeat(1000));
    const heard = gather(server, texts.length);
    const sent = await new Promise((resolve, reject) => {
      const port = server.address().port;
      client.sendMany(
        texts.map((msg) => ({ msg, port, address: '127.0.0.2' })),
        (error, count) => (error ? reject(error) : resolve(count)),
      );
    });
    expect(sent).toBe(texts.length);
    expect(await heard).toEqual(texts);
    expect(client.stats()).toMatchObject({ datagramsOut: texts.length, sendErrors: 0 });
    expect(client.stats().systemCallsOut).toBeLessThan(5);
    expect(server.stats()).toMatchObject({ datagramsIn: texts.length, truncated: 0 });
    if (gro) expect(server.stats().systemCallsIn).toBeLessThan(texts.length);
    await Promise.all([server, client].map((socket) => socket[Symbol.asyncDispose]()));
  });

  test('datagrams of 65507 bytes are no run', async () => {
    const server = await bound({ type: 'udp4', gro: true }, '0.0.0.0');
    const client = await bound({ type: 'udp4' }, '127.0.0.1');
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(65507));
    const heard = gather(server, texts.length);
    for (const text of texts) client.send(text, server.address().port, '127.0.0.2');
    expect(await heard).toEqual(texts);
    expect(client.stats()).toMatchObject({ datagramsOut: 3, sendErrors: 0 });
    await Promise.all([server, client].map((socket) => socket[Symbol.asyncDispose]()));
  });
});
