/** What may be done to sockets, in any order, with any arguments. */
import type { SocketOptions } from '../../../src/types';
import { fc } from '../../fuzz/settings';
import { CALLS, type Fault } from '../support/faulty';
import { message } from './hostile';
import { ANSWER, type Deed, PEER, type World } from './world';

/** A command on a world; named, so that a counterexample can be read. */
class Command implements fc.AsyncCommand<object, World> {
  readonly #name: string;
  readonly #run: (world: World) => void | Promise<void>;

  constructor(name: string, run: (world: World) => void | Promise<void>) {
    this.#name = name;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_: object, world: World): Promise<void> {
    world.commands++;
    await this.#run(world);
  }

  toString(): string {
    return this.#name;
  }
}

const command = (name: string, run: (world: World) => void | Promise<void>) => new Command(name, run);
const which = fc.nat(2);

const options: fc.Arbitrary<Partial<SocketOptions>> = fc.record(
  {
    reuseAddr: fc.boolean(),
    stickySource: fc.boolean(),
    recvTTL: fc.boolean(),
    gro: fc.boolean(),
    gso: fc.boolean(),
    batch: fc.constantFrom(1, 2, 64),
    maxDatagramSize: fc.constantFrom(64, 2048, 65535),
    recvBufferSize: fc.constantFrom(4096),
    replyInterface: fc.constantFrom('route', 'ingress'),
    accept: fc.constantFrom(
      () => true,
      () => false,
      { destinations: ['192.0.2.0/24'] },
    ),
  },
  { requiredKeys: [] },
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom(1, 4, 9, 11, 12, 22, 88, 90, 98, 99, 101, 105, 107, 111, 113).map((errno) => ({ errno })),
  fc.constantFrom<Fault>({ short: 1 }, { short: 2 }, { short: 3 }, { control: 'none' }, { control: 'ctrunc' }),
  fc.constantFrom<Fault>({ control: 'half' }, { control: 'noise' }, { name: 'none' }, { name: 'unknown' }),
);

const deed = fc.constantFrom<Deed>('close', 'throw', 'send', 'reply', 'connect', 'deafen', 'bind');

type Callback = (error: Error | null) => void;

const sends = fc
  .tuple(which, message, fc.constantFrom('send', 'reply', 'sendMany', 'options', 'offset', 'sync'))
  .map(([index, { name, make }, how]) =>
    command(`${how}(${name}) on ${index}`, (world) => {
      const slot = world.slot(index);
      const { socket } = slot;
      const msg = make(world.victim(slot)) as string;
      const calls: Record<typeof how, (callback: Callback) => void> = {
        send: (callback) => socket.send(msg, 4321, PEER, callback),
        reply: (callback) => socket.reply(msg, ANSWER, callback),
        options: (callback) =>
          socket.send(msg, { port: 4321, address: PEER, localAddress: '192.0.2.1', ttl: 3 }, callback),
        sync: (callback) => {
          socket.sendSync(msg, { port: 4321, address: PEER });
          callback(null);
        },
        offset: (callback) => socket.send(msg, 0, 2, 4321, PEER, callback),
        sendMany: (callback) =>
          socket.sendMany(
            [
              { msg: 'first', port: 4321, address: PEER },
              { msg, port: 4321, address: PEER },
            ],
            callback,
          ),
      };
      world.call(
        slot,
        how,
        (callback) => calls[how](callback as Callback),
        how === 'sendMany' ? 2 : 1,
        how !== 'reply' && how !== 'sendMany',
      );
    }),
  );

/** Objects whose getters act on the socket that they are handed to. */
const traps = fc
  .tuple(
    which,
    fc.constantFrom('port', 'address', 'localAddress', 'destination', 'ttl'),
    fc.constantFrom<'close' | 'send' | 'bind'>('close', 'send', 'bind'),
    fc.constantFrom('reply', 'options', 'sendMany'),
  )
  .map(([index, key, act, how]) =>
    command(`${how} with a ${key} that does ${act} on ${index}`, (world) => {
      const slot = world.slot(index);
      const { socket } = slot;
      const victim = world.victim(slot);
      const sound: Record<string, unknown> = { ...ANSWER, ttl: 5, msg: 'trap' };
      const trap = Object.defineProperty({ ...sound }, key, {
        enumerable: true,
        get() {
          victim[act]();
          return sound[key];
        },
      });
      const calls: Record<string, (callback: Callback) => void> = {
        reply: (callback) => socket.reply('trap', trap as never, callback),
        options: (callback) => socket.send('trap', trap as never, callback),
        sendMany: (callback) => socket.sendMany([trap as never], callback),
      };
      world.call(slot, how, (callback) => calls[how]?.(callback as Callback), 1, how === 'options');
    }),
  );

const setters = fc
  .tuple(
    which,
    fc.constantFrom(
      'setTTL',
      'setBroadcast',
      'setMulticastTTL',
      'setRecvBufferSize',
      'addMembership',
      'dropMembership',
      'setMulticastInterface',
    ),
    fc.constantFrom<unknown>(1, 0, -1, 256, '239.0.0.1', 'x', null, undefined, {}),
  )
  .map(([index, name, value]) =>
    command(`${name}(${JSON.stringify(value)}) on ${index}`, (world) => {
      const { socket } = world.slot(index);
      try {
        (socket as unknown as Record<string, (value: unknown) => void>)[name]?.(value);
      } catch (error) {
        world.expectable(name, error);
      }
    }),
  );

const simple = fc
  .tuple(
    which,
    fc.constantFrom(
      'address',
      'remoteAddress',
      'disconnect',
      'ref',
      'unref',
      'bindSync',
      'getSendQueueSize',
      'getRecvQueueSize',
      'pathMtu',
      'pause',
      'resume',
      'stats',
    ),
  )
  .map(([index, name]) =>
    command(`${name}() on ${index}`, (world) => {
      const { socket } = world.slot(index);
      try {
        (socket as unknown as Record<string, () => void>)[name]?.();
      } catch (error) {
        world.expectable(name, error);
      }
    }),
  );

const binds = fc
  .tuple(which, fc.constantFrom<unknown>(0, 5300, 70000, 'x'), fc.constantFrom(undefined, '127.0.0.1', '::1', ''))
  .map(([index, port, address]) =>
    command(`bind(${port}, ${address}) on ${index}`, (world) => {
      const slot = world.slot(index);
      world.call(slot, 'bind', () => slot.socket.bind(port as number, address), 0, true);
    }),
  );

/** A handle of libuv's; whose it is in the end is looked at in syscalls/every-call.test.ts. */
const handles = which.map((index) =>
  command(`bind(handle) on ${index}`, (world) => {
    const slot = world.slot(index);
    const fd = world.net.syscalls.open(5400);
    const close = () => world.net.syscalls.shut(fd);
    world.lent.add(fd);
    world.call(slot, 'bind', () => slot.socket.bind({ fd, recvStart() {}, close } as never), 0, true);
  }),
);

export const commands = [
  options.map((wanted) => command(`create(${JSON.stringify(wanted)})`, (world) => void world.create(wanted))),
  binds,
  sends,
  sends,
  traps,
  handles,
  setters,
  simple,
  fc
    .tuple(which, fc.constantFrom(4321, 0, 70000), fc.constantFrom(PEER, '::1', undefined))
    .map(([index, port, address]) =>
      command(`connect(${port}, ${address}) on ${index}`, (world) => {
        const slot = world.slot(index);
        world.call(slot, 'connect', (callback) => slot.socket.connect(port, address, callback as () => void), 0, true);
      }),
    ),
  which.map((index) => command(`close() on ${index}`, (world) => world.close(world.slot(index)))),
  fc
    .tuple(which, deed)
    .map(([index, what]) =>
      command(`${what} at the next message on ${index}`, (world) => void world.slot(index).deeds.push(what)),
    ),
  fc.integer({ min: 1, max: 100 }).map((count) => command(`${count} arrive`, (world) => world.arrive(count))),
  fc
    .tuple(fc.constantFrom(...CALLS), fc.array(fault, { minLength: 1, maxLength: 4 }))
    .map(([name, faults]) =>
      command(`${name} will meet ${JSON.stringify(faults)}`, (world) => world.plan(name, faults)),
    ),
  fc.constant(command('a turn', (world) => world.turn())),
  fc.constant(
    command('some turns', async (world) => {
      for (let i = 0; i < 4; i++) await world.turn();
    }),
  ),
];
