/** The address that the peer sees an answer come from, on every modelled system. design.md §5 */
import { models, PORT, World } from './world';

describe.each(models)('%s', (name) => {
  let world: World;
  beforeEach(() => {
    world = new World(name);
  });
  afterEach(() => world.close());

  test.each(['10.0.0.1', '10.0.0.2', '10.0.0.3'])('udp4: %s answers as itself', async (address) => {
    const { messages, answers } = await world.bind({ type: 'udp4' });
    world.near.send(address, PORT, 'one');
    world.far.send(address, PORT, 'two');
    await world.quiet();
    expect(answers).toEqual([null, null]);
    expect(world.near.heard).toEqual([`ONE from ${address}`]);
    expect(world.far.heard).toEqual([`TWO from ${address}`]);
    expect(messages[0].rinfo).toMatchObject({
      address: '10.0.0.9',
      port: 4000,
      localAddress: address,
      destination: { address, port: PORT, ifindex: 3, interface: world.machine.byIndex(3)?.name },
    });
  });
});
