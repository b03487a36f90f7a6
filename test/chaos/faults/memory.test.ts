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

test.each([
  ['alone', {}],
  ['joined by the kernel', { gro: true }],
])('a datagram that there is no memory for, %s, is counted, its socket hears of it, and the others come', async (_, options) => {
  const socket = new Socket({ type: 'udp4', ...options });
  const sender = new Socket({ type: 'udp4' });
  for (const one of [socket, sender]) await once(one.bind(0, '127.0.0.1'), 'listening');
  const heard: number[] = [];
  const errors: Error[] = [];
  socket.on('message', (msg) => heard.push(msg[0] as number)).on('error', (error) => errors.push(error));
  const allocate = jest.spyOn(Buffer, 'allocUnsafeSlow');
  const real = Buffer.allocUnsafe; // not through the spy again
  allocate.mockImplementationOnce(real).mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const to = { port: socket.address().port, address: '127.0.0.1' };
  for (let i = 0; i < 5; i++) sender.sendSync(Buffer.alloc(1000, i), to);
  for (let i = 0; i < 2000 && heard.length + errors.length < 5; i++) await new Promise((done) => setTimeout(done, 1));
  allocate.mockRestore();
  expect([heard, errors.map(({ message }) => message)]).toEqual([[0, 2, 3, 4], ['Array buffer allocation failed']]);
  expect(socket.stats()).toMatchObject({ datagramsIn: 5, discarded: 1 });
  for (const one of [socket, sender]) one.close();
});

test('sendSync() of a message whose getter closes the socket says that it is closed', async () => {
  const socket = new Socket({ type: 'udp4' });
  await once(socket.bind(0, '127.0.0.1'), 'listening');
  const message = Object.defineProperty(['a', 'b'], 1, { get: () => `${socket.close()}` });
  const send = () => socket.sendSync(message, { port: 9, address: '127.0.0.1' });
  expect(send).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
});
