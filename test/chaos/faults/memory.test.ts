/** Memory that is not there any more when it is sent: dgram sends it as it looks then, empty. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { Socket } from '../../../src/socket/socket';
import { hostile } from '../model/hostile';
import { uncaughtDuring } from '../support/uncaught';

const victim = { close() {}, send() {}, bind() {} };
const gone = hostile.filter(({ name }) => /memory that/.test(name));

/** → lengths of what arrives, and what send() or its callback say */
async function sent(create: () => dgram.Socket, make: () => unknown, early: boolean): Promise<unknown[]> {
  const sink = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(sink, 'listening');
  const socket = create();
  const log: unknown[] = [];
  const never = new Promise((done) => setTimeout(done, 1000, 'never'));
  socket.on('error', (error) => log.push(error.name));
  if (!early) await once(socket.bind(0, '127.0.0.1'), 'listening');
  const arrived = once(sink, 'message');
  try {
    const said = new Promise<unknown>((done) => {
      socket.send(make() as string, sink.address().port, '127.0.0.1', (error, bytes) => done(error?.name ?? bytes));
    });
    log.push(await Promise.race([said, never]));
    log.push(await Promise.race([arrived.then(([msg]) => msg.length), never]));
  } catch (error) {
    log.push((error as Error).name);
  }
  socket.close();
  sink.close();
  return log;
}

describe.each(gone)('$name', ({ make }) => {
  const ours = () => new Socket({ type: 'udp4' }) as unknown as dgram.Socket;
  const victimised = () => make(victim);

  test('is sent as dgram sends it', async () => {
    const theirs = await sent(() => dgram.createSocket('udp4'), victimised, false);
    expect([theirs, await sent(ours, victimised, false)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  // dgram of Node 20 throws here, on a later tick, and never calls back.
  test('and likewise before the socket is bound', async () => {
    const log: unknown[] = [];
    const nobodys = await uncaughtDuring(async () => {
      log.push(...(await sent(ours, victimised, true)));
    });
    expect([log, nobodys]).toEqual([[0, 0], []]);
  });
});

test('sendSync() of a message whose getter closes the socket says that it is closed', async () => {
  const socket = new Socket({ type: 'udp4' });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  const message = Object.defineProperty(['a', 'b'], 1, { get: () => `${socket.close()}` });
  const send = () => socket.sendSync(message, { port: 9, address: '127.0.0.1' });
  expect(send).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
});
