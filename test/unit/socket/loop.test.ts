import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { WRITABLE } from '../../../src/ffi/index';
import { kState } from '../../../src/socket/core';
import { runTicks } from '../../../src/socket/in/ticks';
import type { Socket } from '../../../src/socket/socket';
import type { ReceivedMessage, RemoteInfo } from '../../../src/types';
import { datagrams, FakeNet, heard, immediate, settled } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';
import { uncaught } from '../../support/uncaught';

const many = (count: number) => datagrams(...Array.from({ length: count }, (_, i) => String(i)));

test('messages come in order, one turn each: ticks and promises run between them', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const log: string[] = [];
  socket.on('message', (msg) => {
    log.push(`${msg}`);
    process.nextTick(() => log.push(`tick ${msg}`));
    Promise.resolve().then(() => log.push(`promise ${msg}`));
  });
  net.arrive(fd, many(3));
  expect(log).toEqual([]); // never from inside the poll callback
  await settled();
  expect(log).toEqual(['0', 'tick 0', 'promise 0', '1', 'tick 1', 'promise 1', '2', 'tick 2', 'promise 2']);
});

test('await once() in a loop sees every message of a batch', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  net.arrive(fd, many(20));
  const seen: string[] = [];
  while (seen.length < 20) seen.push(String((await once(socket, 'message'))[0]));
  expect(seen.at(-1)).toBe('19');
});

describe('when answers leave', () => {
  /** How many datagrams each system call took, and which messages had been delivered before it. */
  async function calls(count: number, answer: (net: FakeNet) => (msg: Buffer, rinfo: RemoteInfo) => void) {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ gso: false });
    const answered = answer(net);
    const log: [taken: number, delivered: number][] = [];
    let delivered = 0;
    net.host.syscalls.sendResult = (taken) => {
      log.push([taken, delivered]);
      return taken;
    };
    socket.on('message', (msg, rinfo) => {
      delivered++;
      answered.call(socket, msg, rinfo);
    });
    net.arrive(fd, many(count));
    await settled();
    expect(net.payloads).toEqual(Array.from({ length: count }, (_, i) => String(i)));
    return log;
  }
  const reply = () =>
    function (this: Socket, msg: Buffer, rinfo: RemoteInfo) {
      this.reply(msg, rinfo);
    };

  test('those of a small batch with one system call, after the last message', async () => {
    expect(await calls(7, reply)).toEqual([[7, 7]]);
  });

  test('those of a large batch in two halves, the first before the second is delivered', async () => {
    expect(await calls(8, reply)).toEqual([
      [4, 4],
      [4, 8],
    ]);
    expect(await calls(63, reply)).toEqual([
      [32, 32],
      [31, 63],
    ]);
  });

  test('a listener that sends more than it hears: once before the end, and at the end', async () => {
    for (const gso of [true, false]) {
      const net = new FakeNet();
      const { socket, fd } = await net.bound({ gso });
      socket.on('message', (msg) => {
        for (let i = 0; i < 5; i++) socket.send(msg, 9, '192.0.2.9');
      });
      net.arrive(fd, many(10));
      await settled();
      expect([socket.stats().datagramsOut, socket.stats().systemCallsOut]).toEqual([50, 2]);
    }
  });

  test('the halves of one batch say nothing about what is sent later', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo));
    net.arrive(fd, many(8));
    await settled();
    const { calls: made } = net.host.syscalls;
    made.length = 0;
    for (let i = 0; i < 12; i++) socket.send('x', 9, '192.0.2.9');
    await settled();
    expect(made.filter((call) => call === 'sendmmsg').length).toBe(1);
  });

  test('a proxy: what one socket hears leaves through another', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const { socket: other } = await net.bound();
    socket.on('message', (msg, rinfo) => other.send(msg, rinfo.port, rinfo.address));
    net.arrive(fd, many(7));
    await settled();
    net.arrive(fd, many(10));
    await settled();
    expect(net.payloads.length).toBe(17);
    expect(net.host.syscalls.calls.filter((call) => call === 'sendmmsg').length).toBe(3);
  });
});

test('listeners run in the async context that the socket was made in, also after promises have run', async () => {
  const store = new AsyncLocalStorage<string>();
  const net = new FakeNet();
  const { socket, fd } = await store.run('the socket', () => net.bound());
  const seen: (string | undefined)[] = [];
  const ids = new Set<number>();
  socket.on('message', () => {
    seen.push(store.getStore());
    ids.add(executionAsyncId());
    queueMicrotask(() => store.enterWith('a promise'));
    process.nextTick(() => store.enterWith('a tick'));
  });
  net.arrive(fd, many(3));
  await settled();
  expect(seen).toEqual(['the socket', 'the socket', 'the socket']);
  expect(ids.size).toBe(1);
});

(runTicks === undefined ? describe.skip : describe)('a slow listener', () => {
  test('hands the event loop back after a millisecond, and nothing is lost or out of order', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 32 });
    const perTurn: number[] = [];
    let inTurn = 0;
    const { texts } = heard(socket);
    socket.on('message', () => {
      net.now += 0.3;
      inTurn++;
    });
    net.arrive(fd, many(60));
    while (texts.length < 60) {
      await immediate();
      perTurn.push(inTurn);
      inTurn = 0;
    }
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(8);
    expect(texts).toEqual(Array.from({ length: 60 }, (_, i) => String(i)));
  });

  test('eight messages a turn where each takes longer, as a machine may only be busy', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const perTurn: number[] = [];
    let inTurn = 0;
    let total = 0;
    socket.on('message', () => {
      net.now += 5;
      inTurn++;
      total++;
    });
    net.arrive(fd, many(24));
    while (total < 24) {
      await immediate();
      perTurn.push(inTurn);
      inTurn = 0;
    }
    expect(Math.max(...perTurn)).toBe(8);
  });

  test('once it is known for slow, each answer leaves before the next message', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const left: number[] = [];
    socket.on('message', (msg, rinfo) => {
      left.push(net.payloads.length);
      net.now += 4;
      socket.reply(msg, rinfo);
    });
    net.arrive(fd, many(8));
    await settled();
    expect(left.slice(0, 8)).toEqual([0, 0, 0, 0, 4, 4, 4, 4]); // in halves
    net.arrive(fd, many(8));
    await settled();
    expect(left.slice(8)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('what it cannot get to stays with the kernel', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    socket.on('message', () => {
      net.now += 1;
    });
    net.arrive(fd, many(4));
    for (let i = 0; i < 20; i++) await immediate(); // by now it is known what a message costs
    net.arrive(fd, many(300));
    for (let i = 0; i < 3; i++) await immediate();
    expect(net.host.syscalls.sockets.get(fd)!.incoming.length).toBeGreaterThan(200);
  });
});

describe('behind a large batch', () => {
  test('the next one is received without another wake-up', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 4 });
    socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo));
    net.arrive(fd, many(7));
    await settled();
    const { calls } = net.host.syscalls;
    expect(calls.filter((call) => call === 'recvmmsg' || call === 'sendmmsg')).toEqual([
      'recvmmsg',
      'recvmmsg', // the kernel's queue is emptied first
      'sendmmsg',
    ]);
    expect(net.payloads.length).toBe(7);
  });

  test('behind a small one nothing is looked for', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 4 });
    heard(socket);
    net.arrive(fd, many(1));
    await settled();
    expect(net.host.syscalls.calls.filter((call) => call === 'recvmmsg').length).toBe(1);
  });

  test('an error comes after what came before it, and before what comes after', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 2 });
    const log: string[] = [];
    socket
      .on('message', (msg) => log.push(`${msg}`))
      .on('error', ({ code }: NodeJS.ErrnoException) => log.push(`${code}`));
    net.arrive(fd, [...many(2), -linux64.numbers.ECONNREFUSED]);
    await settled();
    net.arrive(fd, datagrams('later'));
    await settled();
    expect(log).toEqual(['0', '1', 'ECONNREFUSED', 'later']);
  });

  test('nothing more is delivered once receiving has been stopped; what was here comes first when it goes on', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 2 });
    const { texts } = heard(socket);
    socket.once('message', () => socket[kState].listen(false));
    net.arrive(fd, many(6));
    await settled();
    expect(texts).toEqual(['0']);
    socket[kState].listen(true);
    await settled();
    expect(texts).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('a socket that is closed before its turn takes nothing from the kernel', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    socket.on('messages', () => expect(true).toBe(false));
    net.arrive(fd, many(60));
    socket.close();
    await immediate();
    expect(socket.stats()).toMatchObject({ datagramsIn: 0, discarded: 0 }); // they are still the kernel's
  });

  test('a socket that was closed by its listener receives no more', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 2 });
    const texts: string[] = [];
    socket.on('message', (msg) => {
      texts.push(`${msg}`);
      if (texts.length === 2) socket.close();
    });
    const { calls } = net.host.syscalls;
    net.arrive(fd, many(6));
    await settled();
    const taken = calls.filter((call) => call === 'recvmmsg').length;
    await settled();
    expect(texts).toEqual(['0', '1']);
    expect(calls.filter((call) => call === 'recvmmsg').length).toBe(taken);
    const { datagramsIn, discarded } = socket.stats();
    expect(discarded).toBe(datagramsIn - 2);
  });

  test("'messages' come batch by batch, and one by one from when nobody listens for batches any more", async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 2 });
    const log: string[] = [];
    socket.once('messages', (batch: ReceivedMessage[]) => log.push(batch.map(({ msg }) => `${msg}`).join('+')));
    socket.on('message', (msg) => log.push(`${msg}`));
    net.arrive(fd, many(5));
    await settled();
    expect(log).toEqual(['0+1', '2', '3', '4']);
  });
});

test('nothing is received while a batch is being delivered', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const { texts } = heard(socket);
  net.arrive(fd, many(2));
  const calls = net.host.syscalls.calls.length;
  net.arrive(fd, datagrams('later'));
  expect(net.host.syscalls.calls.length).toBe(calls);
  await settled();
  net.arrive(fd, []);
  await settled();
  expect(texts).toEqual(['0', '1', 'later']);
});

test('a listener that throws: the rest is delivered, answers leave, the next batch too', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const seen: string[] = [];
  socket.on('message', (msg, rinfo) => {
    seen.push(`${msg}`);
    socket.reply(msg, rinfo);
    if (`${msg}` === '1') throw new Error('mine');
  });
  const errors = await uncaught(() => net.arrive(fd, many(4)));
  expect(errors).toEqual([new Error('mine')]);
  expect(seen).toEqual(['0', '1', '2', '3']);
  expect(net.payloads).toEqual(seen);
  net.arrive(fd, datagrams('next'));
  await settled();
  expect(net.payloads.at(-1)).toBe('next');
});

describe('closing', () => {
  test('in the middle of a batch: the rest is discarded and counted; answers leave first', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const { texts } = heard(socket);
    socket.on('message', (msg, rinfo) => {
      socket.reply(msg, rinfo);
      if (texts.length === 2) socket.close();
    });
    net.arrive(fd, many(5));
    await settled();
    expect(texts).toEqual(['0', '1']);
    expect(net.payloads).toEqual(['0', '1']);
    expect(socket.stats()).toMatchObject({ datagramsIn: 5, discarded: 3 });
    expect([net.host.syscalls.sockets.size, net.host.readiness.watchers.size]).toEqual([0, 0]);
  });

  test('inside accept(), with more batches waiting', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({
      batch: 2,
      accept: () => {
        if (net.host.syscalls.sockets.size > 0) socket.close();
        return true;
      },
    });
    const { texts } = heard(socket);
    const closed = once(socket, 'close');
    const errors = await uncaught(() => net.arrive(fd, many(6)));
    await closed;
    expect([errors, texts]).toEqual([[], []]);
    const { datagramsIn, discarded } = socket.stats();
    expect([datagramsIn, discarded]).toEqual([6, 6]);
  });

  test('with sends in flight: each callback once', async () => {
    const net = new FakeNet();
    const { socket } = await net.bound();
    const results = [2];
    net.host.syscalls.sendResult = () => results.shift() ?? -11;
    const outcomes: (string | null)[] = [];
    for (let i = 0; i < 5; i++) {
      socket.send('x', 9, '192.0.2.9', (error) => outcomes.push((error as NodeJS.ErrnoException | null)?.code ?? null));
    }
    await immediate();
    expect(socket.getSendQueueCount()).toBe(3);
    expect(socket.getSendQueueSize()).toBe(3);
    socket.close();
    await settled();
    expect(outcomes).toEqual([null, null, 'ECANCELED', 'ECANCELED', 'ECANCELED']);
  });

  test('from inside a send callback, and twice', async () => {
    const net = new FakeNet();
    const { socket } = await net.bound();
    const closed = once(socket, 'close');
    socket.send('x', 9, '192.0.2.9', () => socket.close());
    await closed;
    expect(() => socket.close()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
    expect(net.host.syscalls.sockets.size).toBe(0);
  });
});

describe('filters', () => {
  test('a filter that throws costs one datagram and is heard of', async () => {
    const net = new FakeNet();
    const accept = (): boolean => {
      if (++asked === 2) throw new Error('mine');
      return true;
    };
    let asked = 0;
    const { socket, fd } = await net.bound({ accept });
    const { texts } = heard(socket);
    expect(await uncaught(() => net.arrive(fd, many(3)))).toEqual([new Error('mine')]);
    expect(texts).toEqual(['0', '2']);
  });

  test('so does a block list', async () => {
    const net = new FakeNet();
    const receiveBlockList = {
      asked: 0,
      check() {
        if (++this.asked === 2) throw new Error('mine');
        return false;
      },
    };
    const { socket, fd } = await net.bound({ receiveBlockList });
    const { texts } = heard(socket);
    expect(await uncaught(() => net.arrive(fd, many(3)))).toEqual([new Error('mine')]);
    expect(texts).toEqual(['0', '2']);
    expect(socket.stats().filtered).toBe(1);
  });

  test('what a filter puts off for a tick is done, though nothing is let in', async () => {
    const net = new FakeNet();
    const ticks: string[] = [];
    const accept = () => {
      process.nextTick(() => ticks.push('tick'));
      return false;
    };
    const { fd } = await net.bound({ accept });
    net.arrive(fd, many(2));
    await settled();
    expect(ticks).toEqual(['tick', 'tick']);
  });

  test('a datagram that does not say where it went passes no filter', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ accept: () => true });
    const { texts } = heard(socket);
    net.arrive(fd, [{ from: { address: '192.0.2.9', port: 1 }, payload: 'x' }, ...datagrams('y')]);
    await settled();
    expect(texts).toEqual(['y']);
    expect(socket.stats()).toMatchObject({ filtered: 1, destinationUnknown: 1 });
  });
});

describe("'messages'", () => {
  const batches = (seen: string[][]) => (batch: ReceivedMessage[]) => seen.push(batch.map(({ msg }) => `${msg}`));

  test('a whole batch at once, instead of message events', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const { texts } = heard(socket);
    const seen: string[][] = [];
    socket.on('messages', batches(seen));
    net.arrive(fd, many(3));
    await settled();
    expect([seen, texts]).toEqual([[['0', '1', '2']], []]);
  });

  test('the last listener leaves while a batch is under way: each comes as a message, though one throws', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const { texts } = heard(socket);
    socket.on('message', (msg) => {
      if (`${msg}` === '0') throw new Error('mine');
    });
    const listener = () => {};
    socket.on('messages', listener);
    const errors = await uncaught(() => {
      net.arrive(fd, many(3));
      socket.off('messages', listener);
    });
    expect([errors.length, texts]).toEqual([1, ['0', '1', '2']]);
    net.arrive(fd, datagrams('next'));
    await settled();
    expect(texts.at(-1)).toBe('next');
  });

  test('closed before it is delivered: discarded, and counted', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const { socket: first, fd: before } = await net.bound();
    const seen: string[][] = [];
    socket.on('messages', batches(seen));
    first.on('message', () => socket.close());
    net.arrive(before, many(1));
    net.arrive(fd, many(3));
    await settled();
    expect([seen, socket.stats().discarded]).toEqual([[], 3]);
  });
});

describe('errors of the kernel', () => {
  test("a receive error is an 'error' event, after the messages before it", async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ batch: 2 });
    const log: string[] = [];
    socket.on('message', (msg) => log.push(`${msg}`));
    socket.on('error', (error) => log.push(error.message));
    net.arrive(fd, [...many(2), -111, ...datagrams('after')]);
    await settled();
    net.arrive(fd, []);
    await settled();
    expect(log).toEqual(['0', '1', 'recvmsg ECONNREFUSED', 'after']);
  });

  test('EAGAIN: waits for writable once, goes on in order, and stops waiting', async () => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    const results = [1, -11];
    net.host.syscalls.sendResult = (count) => results.shift() ?? count;
    for (const text of ['a', 'b', 'c']) socket.send(text, 9, '192.0.2.9');
    await immediate();
    const watcher = net.host.readiness.watchers.get(fd)!;
    expect([net.payloads, watcher.events & WRITABLE]).toEqual([['a'], WRITABLE]);
    net.host.readiness.fire(fd, WRITABLE);
    await settled();
    expect([net.payloads, watcher.events & WRITABLE]).toEqual([['a', 'b', 'c'], 0]);
    expect(socket.stats()).toMatchObject({ wouldBlock: 1, datagramsOut: 3 });
  });
});

describe('a program that sends by itself, one datagram at a time', () => {
  /** A socket that has sent a few so, and what each system call has taken since. */
  async function sparse() {
    const net = new FakeNet();
    const { socket, fd } = await net.bound({ gso: false });
    for (let i = 0; i < 8; i++) {
      socket.send(`${i}`, 9, '192.0.2.9');
      expect(net.payloads).toHaveLength(i); // there may be more of it
      await settled();
    }
    const calls: number[] = [];
    net.host.syscalls.sendResult = (taken) => {
      calls.push(taken);
      return taken;
    };
    const send = (count: number) => {
      calls.length = 0;
      for (let i = 0; i < count; i++) socket.send('x', 9, '192.0.2.9');
    };
    return { net, socket, fd, calls, send };
  }

  test('need not wait for the end of the tick', async () => {
    const { net, socket } = await sparse();
    socket.send('now', 9, '192.0.2.9');
    expect(net.payloads.at(-1)).toBe('now');
  });

  test('with a callback it does, which comes behind the ticks of the program', async () => {
    const { net, socket } = await sparse();
    const order: string[] = [];
    socket.send('then', 9, '192.0.2.9', () => order.push('callback'));
    process.nextTick(() => order.push('tick'));
    expect(net.payloads).toHaveLength(8);
    await settled();
    expect(net.payloads.at(-1)).toBe('then');
    expect(order).toEqual(['tick', 'callback']);
  });

  test('more of them in a tick go together again, after fifteen at most', async () => {
    const { send, calls } = await sparse();
    send(40);
    await settled();
    expect(Math.max(...calls)).toBeGreaterThanOrEqual(40 - 15);
    send(40);
    expect(calls).toEqual([]);
    await settled();
    expect(calls).toEqual([40]);
  });

  test('those of sendMany() go together', async () => {
    const { socket, calls } = await sparse();
    socket.sendMany(Array.from({ length: 20 }, () => ({ msg: 'x', port: 9, address: '192.0.2.9' })));
    await settled();
    expect(calls).toEqual([20]);
  });

  test('answers to a batch go together', async () => {
    const { net, socket, fd, calls } = await sparse();
    socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo));
    net.arrive(fd, many(7));
    await settled();
    expect(calls).toEqual([7]);
  });

  test('what the kernel has no room for waits, and its order is kept', async () => {
    const { net, socket, fd } = await sparse();
    const { EAGAIN } = net.host.platform.errno;
    net.host.syscalls.sendResult = () => -EAGAIN!;
    socket.send('a', 9, '192.0.2.9');
    net.host.syscalls.sendResult = (count) => count;
    socket.send('b', 9, '192.0.2.9');
    await settled();
    expect(net.payloads).toHaveLength(8);
    net.host.readiness.fire(fd, WRITABLE);
    await settled();
    expect(net.payloads.slice(8)).toEqual(['a', 'b']);
  });
});

describe('a socket that cannot wait for room, as the kernel has no memory for it', () => {
  async function full() {
    const net = new FakeNet();
    const [one, other] = [await net.bound(), await net.bound()];
    const { EAGAIN } = net.host.platform.errno;
    const error = new Error('epoll_ctl: ENOMEM');
    net.host.syscalls.sendResult = (count, fd) => (fd === one.fd ? -EAGAIN! : count);
    jest.spyOn(net.host.readiness.watchers.get(one.fd)!, 'start').mockImplementation(() => {
      throw error;
    });
    return { net, one: one.socket, other: other.socket, fd: other.fd, error };
  }

  test('keeps no other from sending', async () => {
    const { net, one, other, error } = await full();
    const outcomes: (Error | null)[] = [];
    const errors = await uncaught(() => {
      one.send('a', 9, '192.0.2.9');
      other.send('b', 9, '192.0.2.9', (failed) => outcomes.push(failed));
    });
    await settled();
    expect(errors).toEqual([error]);
    expect(net.payloads).toEqual(['b']);
    expect(outcomes).toEqual([null]);
  });

  test('keeps nothing that has been received from being delivered', async () => {
    const { net, one, other, fd, error } = await full();
    const { texts } = heard(other);
    other.once('message', () => {
      one.send('a', 9, '192.0.2.9');
      net.now += 100; // the rest has to wait for another turn
    });
    const errors = await uncaught(() => net.arrive(fd, many(20)));
    await settled();
    expect(errors).toEqual([error]);
    expect(texts).toHaveLength(20);
  });
});

test('ref and unref, before and after the socket is bound', async () => {
  const net = new FakeNet();
  const socket = net.make();
  socket.unref();
  await new Promise<void>((done) => socket.bind(0, done));
  const watcher = net.host.readiness.watchers.get(net.host.syscalls.only)!;
  expect(watcher.refed).toBe(false);
  expect(socket.ref()).toBe(socket);
  expect(watcher.refed).toBe(true);
});

test('gro and a small maxDatagramSize: each datagram is cut, none is lost', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound({ gro: true, maxDatagramSize: 4 });
  const { texts, rinfos } = heard(socket);
  const segment = Buffer.alloc(4);
  segment.writeInt32LE(6);
  const [glued, alone, fitting] = datagrams('aaaaaabbbbbbccc', 'dddddd', 'eeee');
  const UDP_GRO = { level: 17, type: 104, data: segment };
  net.arrive(fd, [{ ...glued, control: [...(glued.control ?? []), UDP_GRO] }, alone, fitting]);
  await settled();
  expect(texts).toEqual(['aaaa', 'bbbb', 'ccc', 'dddd', 'eeee']);
  expect(rinfos.map(({ size, truncated }) => [size, truncated])).toEqual([
    [4, true],
    [4, true],
    [3, undefined],
    [4, true],
    [4, undefined],
  ]);
  expect(socket.stats()).toMatchObject({ datagramsIn: 5, bytesIn: 19, truncated: 3 });
});
