/** Runs of equal datagrams to one peer: one message to the kernel where it segments, and apart where it refuses. */
import { models, World } from './world';

describe.each(models.filter((name) => /^(linux|android)/.test(name)))('%s', (name) => {
  let world: World;
  beforeEach(() => {
    world = new World(name);
  });
  afterEach(() => world.close());

  test('a run of equal datagrams is one message, and every callback hears of its own', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    const sent: number[] = [];
    const texts = ['aaaa', 'bbbb', 'cccc', 'dd', 'eeee', 'ffff', ''];
    for (const text of texts) {
      socket.send(text, { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.2' }, (error, bytes) => {
        if (error === null) sent.push(bytes);
      });
    }
    await world.quiet();
    expect(world.near.heard).toEqual(texts.map((text) => `${text} from 10.0.0.2`));
    expect(sent).toEqual([4, 4, 4, 2, 4, 4, 0]);
    expect(socket.stats()).toMatchObject({ datagramsOut: 7, bytesOut: 22, systemCallsOut: 1, sendErrors: 0 });
  });

  test('a run that is refused goes one by one, in its place, and that peer gets no run again', async () => {
    const { socket, sock } = await world.bind({ type: 'udp4' });
    const to = { port: 4000, address: '10.0.0.9', localAddress: '10.0.0.1' };
    sock.refuseSegments = 'EIO';
    const errors: unknown[] = [];
    for (const text of ['before', '1', '2', '3', 'after that']) socket.send(text, to, (error) => errors.push(error));
    await world.quiet();
    expect(world.near.heard).toEqual(['before', '1', '2', '3', 'after that'].map((text) => `${text} from 10.0.0.1`));
    expect(errors).toEqual([null, null, null, null, null]);
    expect(socket.getSendQueueCount()).toBe(0);
    const calls = socket.stats().systemCallsOut;
    for (const text of ['1', '2', '3']) socket.send(text, to);
    await world.quiet();
    expect(socket.stats()).toMatchObject({ systemCallsOut: calls + 1, datagramsOut: 8, sendErrors: 0 });
  });

  test('a source that has vanished does not look like a kernel that cannot segment', async () => {
    const { socket } = await world.bind({ type: 'udp4' });
    world.machine.removeAddress('10.0.0.2');
    const codes: unknown[] = [];
    const send = (localAddress: string) =>
      socket.send('x', { port: 4000, address: '10.0.0.9', localAddress }, (error) =>
        codes.push((error as NodeJS.ErrnoException | null)?.code),
      );
    for (let i = 0; i < 3; i++) send('10.0.0.2');
    await world.quiet();
    expect(codes).toEqual(['EADDRNOTAVAIL', 'EADDRNOTAVAIL', 'EADDRNOTAVAIL']);
    const calls = socket.stats().systemCallsOut;
    for (let i = 0; i < 3; i++) send('10.0.0.1');
    await world.quiet();
    expect(socket.stats().systemCallsOut).toBe(calls + 1);
    expect(world.near.heard).toEqual(Array(3).fill('x from 10.0.0.1'));
  });

  test("an error that is not about the run is its first datagram's, and the others leave", async () => {
    const { socket, sock } = await world.bind({ type: 'udp4' });
    const codes: unknown[] = [];
    const send = () =>
      socket.send('x', 4000, '10.0.0.9', (error) => codes.push((error as NodeJS.ErrnoException | null)?.code));
    sock.refusals.push('ECONNREFUSED');
    for (let i = 0; i < 3; i++) send();
    await world.quiet();
    expect(codes).toEqual(['ECONNREFUSED', undefined, undefined]);
    const calls = socket.stats().systemCallsOut;
    for (let i = 0; i < 3; i++) send();
    await world.quiet();
    // The peer takes runs as before.
    expect(socket.stats()).toMatchObject({ systemCallsOut: calls + 1, datagramsOut: 5, sendErrors: 1 });
    expect(world.near.heard).toHaveLength(5);
  });

  test('gso: false sends them apart', async () => {
    const { socket, sock } = await world.bind({ type: 'udp4', gso: false });
    sock.refuseSegments = 'EIO';
    for (let i = 0; i < 3; i++) socket.send('x', 4000, '10.0.0.9');
    await world.quiet();
    expect(world.near.heard).toHaveLength(3);
    expect(socket.stats()).toMatchObject({ systemCallsOut: 1, datagramsOut: 3 });
  });
});
