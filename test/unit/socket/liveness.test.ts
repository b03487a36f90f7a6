/** What a program does to one socket costs no other one its datagrams, its turn or its place. */
import { READABLE, WRITABLE } from '../../../src/ffi/index';
import { runTicks } from '../../../src/socket/in/ticks';
import { datagrams, FakeNet, heard, immediate, settled } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';
import { uncaught } from '../../support/uncaught';

const many = (count: number) => datagrams(...Array.from({ length: count }, (_, i) => String(i)));
const texts = (count: number) => Array.from({ length: count }, (_, i) => String(i));
const { EAGAIN } = linux64.numbers;

test("a listener of 'drain' that throws: the other sockets whose queues have room again go on", async () => {
  const net = new FakeNet();
  const all = [await net.bound(), await net.bound(), await net.bound()];
  let full = true;
  net.host.syscalls.sendResult = (count) => (full ? -EAGAIN : count);
  for (const [i, { socket }] of all.entries()) socket.send(String(i), 9, '192.0.2.9');
  all[0].socket.on('drain', () => {
    throw new Error('mine');
  });
  await settled();
  full = false;
  const errors = await uncaught(() => {
    for (const { fd } of all) net.host.readiness.fire(fd, WRITABLE);
  });
  expect(errors).toEqual([new Error('mine')]);
  expect(net.payloads).toEqual(['0', '1', '2']);
  expect(all.map(({ socket }) => socket.getSendQueueCount())).toEqual([0, 0, 0]);
});

test('a receive that throws (no memory, a subclass): the sockets behind it still hear', async () => {
  const net = new FakeNet();
  const [broken, other] = [await net.bound(), await net.bound()];
  const one = heard(broken.socket);
  const { texts: seen } = heard(other.socket);
  let breaks = true;
  const { _events } = broken.socket as unknown as { _events: object };
  Object.defineProperty(broken.socket, '_events', {
    get() {
      if (breaks) throw new Error('mine');
      return _events;
    },
  });
  const errors = await uncaught(() => {
    net.arrive(broken.fd, many(1));
    net.arrive(other.fd, datagrams('heard'));
  });
  expect(errors).toEqual([new Error('mine')]);
  expect(seen).toEqual(['heard']);
  breaks = false;
  net.arrive(broken.fd, datagrams('again'));
  net.arrive(other.fd, datagrams('too'));
  await settled();
  expect([one.texts, seen]).toEqual([['again'], ['heard', 'too']]);
});

test('what was held back while a socket paused comes before what waits here for it, whoever has it go on', async () => {
  const net = new FakeNet();
  const [a, b] = [await net.bound({ batch: 2 }), await net.bound({ batch: 1 })];
  const { texts: seen } = heard(a.socket);
  a.socket.once('message', () => a.socket.pause());
  b.socket.on('message', () => a.socket.resume());
  net.host.syscalls.sockets.get(a.fd)!.incoming.push(...many(4));
  net.host.syscalls.sockets.get(b.fd)!.incoming.push(...datagrams('in between'));
  net.host.readiness.fire(a.fd, READABLE);
  net.host.readiness.fire(b.fd, READABLE);
  await settled();
  expect(seen).toEqual(texts(4));
});

test('the same between two turns', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const { texts: seen } = heard(socket);
  socket.on('message', () => {
    net.now += 0.2;
  });
  socket.once('message', () => socket.pause());
  const { socket: other, fd: second } = await net.bound();
  other.on('message', () => {
    net.now += 100; // the turn is over
  });
  net.host.syscalls.sockets.get(fd)!.incoming.push(...many(6));
  net.arrive(second, many(20));
  net.host.readiness.fire(fd, READABLE);
  for (let i = 0; i < 3; i++) await immediate();
  socket.resume();
  await settled();
  await settled();
  expect(seen).toEqual(texts(6));
});

test('a queue that gets room while messages are delivered is emptied, though no more messages come', async () => {
  const net = new FakeNet();
  const [hears, sends] = [await net.bound(), await net.bound()];
  let full = true;
  net.host.syscalls.sendResult = (count) => (full ? -EAGAIN : count);
  sends.socket.send('waits', 9, '192.0.2.9');
  await settled();
  hears.socket.once('message', () => {
    full = false;
    net.host.readiness.fire(sends.fd, WRITABLE);
  });
  net.arrive(hears.fd, many(3));
  await settled();
  expect(net.payloads).toEqual(['waits']);
});

(runTicks === undefined ? describe.skip : describe)('batches of any size', () => {
  test('the clock is looked at between them', async () => {
    const net = new FakeNet();
    const all = await Promise.all(Array.from({ length: 12 }, () => net.bound({ batch: 5 })));
    let delivered = 0;
    for (const { socket } of all) {
      socket.on('messages', (batch) => {
        net.now += 10;
        delivered += batch.length;
      });
    }
    for (const [i, { fd }] of all.entries()) net.arrive(fd, many(i === 0 ? 1 : 4));
    await immediate();
    await immediate();
    expect(delivered).toBeLessThan(25);
    for (let i = 0; i < 10; i++) await settled();
    expect(delivered).toBe(45);
  });
});

describe('an error that never ends', () => {
  const failing = async () => {
    const net = new FakeNet();
    const bound = await net.bound();
    bound.socket.on('error', () => {});
    const watcher = net.host.readiness.watchers.get(bound.fd)!;
    for (let i = 0; i < 12 && (watcher.events & READABLE) !== 0; i++) {
      net.arrive(bound.fd, [-5]);
      await immediate();
      await immediate();
    }
    expect(watcher.events & READABLE).toBe(0); // left alone for a while
    return { ...bound, net, watcher };
  };

  test('resume() has it left alone as long as before', async () => {
    const { socket, watcher } = await failing();
    socket.pause().resume();
    expect(watcher.events & READABLE).toBe(0);
    while ((watcher.events & READABLE) === 0) await immediate();
    socket.close();
  });

  test('keeps a process alive no longer than the socket does', async () => {
    const { socket, watcher } = await failing();
    const alive = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = alive();
    socket.unref();
    expect(alive()).toBe(before - 1);
    socket.ref();
    expect(alive()).toBe(before);
    socket.close();
    expect(watcher.events & READABLE).toBe(0);
  });
});

test('what waits for the kernel keeps the process, also that of a socket that does not', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  socket.unref();
  const watcher = net.host.readiness.watchers.get(fd)!;
  let full = true;
  net.host.syscalls.sendResult = (count) => (full ? -EAGAIN : count);
  socket.send('waits', 9, '192.0.2.9');
  await settled();
  expect(watcher.refed).toBe(true);
  full = false;
  net.host.readiness.fire(fd, WRITABLE);
  await settled();
  expect([net.payloads, watcher.refed]).toEqual([['waits'], false]);
});

describe('a socket that is flooded', () => {
  const flooded = async () => {
    const net = new FakeNet();
    const [busy, quiet] = [await net.bound(), await net.bound()];
    let count = 0;
    busy.socket.on('message', () => {
      net.now += 0.02;
      count++;
    });
    return { net, busy, quiet, delivered: () => count };
  };

  test('keeps another one waiting for a few of its messages, and not for all that wait here', async () => {
    const { net, busy, quiet, delivered } = await flooded();
    const { texts: seen } = heard(quiet.socket);
    net.arrive(busy.fd, many(3000));
    for (let i = 0; i < 3; i++) await immediate();
    net.arrive(quiet.fd, datagrams('quiet'));
    const then = delivered();
    while (seen.length === 0) await immediate();
    expect(delivered() - then).toBeLessThan(128);
    for (let i = 0; i < 20_000 && delivered() < 3000; i++) await immediate();
    expect(delivered()).toBe(3000);
  });

  test('each goes on hearing in order', async () => {
    const { net, busy, quiet } = await flooded();
    const logs = [busy, quiet].map(({ socket }) => heard(socket).texts);
    for (let i = 0; i < 5; i++) {
      net.arrive(busy.fd, datagrams(...texts(100).map((text) => `${i}/${text}`)));
      net.arrive(quiet.fd, datagrams(`${i}`, `${i}+`));
      await immediate();
    }
    for (let i = 0; i < 200; i++) await settled();
    expect(logs[0]).toEqual(texts(5).flatMap((i) => texts(100).map((text) => `${i}/${text}`)));
    expect(logs[1]).toEqual(texts(5).flatMap((i) => [i, `${i}+`]));
  });
});
