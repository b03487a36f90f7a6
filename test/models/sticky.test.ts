/** Sockets that answer with plain send(): from the address that the remote was heard on. On every modelled system. */
import { models, PORT, World } from './world';

describe.each(models)('%s', (name) => {
  let world: World;
  beforeEach(() => {
    world = new World(name);
  });
  afterEach(() => world.close());

  const dualStack = !name.startsWith('openbsd') && !name.startsWith('netbsd');
  const kinds = [
    ['udp4', { type: 'udp4' }, '10.0.0.2'],
    ['udp6', { type: 'udp6', ipv6Only: true }, '2001:db8::2'],
    ...(dualStack ? [['mapped', { type: 'udp6' }, '10.0.0.2'] as const] : []),
  ] as const;

  test.each(kinds)('send() leaves from where the remote was heard, %s', async (_, options, asked) => {
    const errors: unknown[] = [];
    await world.bind({ ...options, stickySource: true }, {}, ({ socket }, msg, { address, port }) =>
      socket.send(`<${msg}>`, port, address, (error) => errors.push(error)),
    );
    world.near.send(asked, PORT, 'x');
    await world.quiet();
    expect(errors).toEqual([null]);
    expect(world.near.heard).toEqual([`<x> from ${asked}`]);
  });

  test.each(kinds)('when that address has vanished, the kernel chooses, %s', async (_, options, asked) => {
    const { socket, messages } = await world.bind({ ...options, stickySource: true }, {}, () => {});
    world.near.send(asked, PORT, 'x');
    await world.quiet();
    world.machine.removeAddress(asked);
    const [{ rinfo }] = messages;
    const errors: unknown[] = [];
    socket.send('y', rinfo.port, rinfo.address, (error) => errors.push(error));
    await world.quiet();
    expect(errors).toEqual([null]);
    expect(world.near.heard).toEqual([`y from ${asked.replace(/2$/, '1')}`]);
  });

  test('a socket that connects to its remote keeps the address it was asked on, and its peer', async () => {
    const { socket, messages } = await world.bind({ type: 'udp4', stickySource: true }, {}, () => {});
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages).toHaveLength(1);
    await new Promise<void>((done) => socket.connect(4000, '10.0.0.9', done));
    socket.send('one');
    await world.quiet();
    socket.send('two');
    world.near.send('10.0.0.2', PORT, 'y');
    await world.quiet();
    expect(world.near.heard).toEqual(['one from 10.0.0.2', 'two from 10.0.0.2']);
    expect(messages.map(({ text }) => text)).toEqual(['x', 'y']);
    expect(socket.remoteAddress()).toMatchObject({ address: '10.0.0.9', port: 4000 });
  });
});
