/**
 * The rest of the process gets its turn while datagrams keep coming. Work is simulated by a busy loop of 1 ms; on a slow
 * machine each takes longer, and fewer fit between two turns, so the limits hold there as well.
 */
import { Engine } from '../../../src/datagram/engine';
import { WRITABLE } from '../../../src/ffi/index';
import { datagrams, FakeNet, settled } from '../../support/fake-socket';

const work = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

/** Whose clock runs. */
function newNet(): FakeNet {
  const net = new FakeNet();
  return Object.assign(net, { engine: new Engine(net.host) });
}

const many = (count: number) => datagrams(...Array.from({ length: count }, (_, i) => String(i)));

/** Counts what happens between two turns of the event loop. → the most of it */
function loopTurns() {
  let [now, most, going] = [0, 0, true];
  const turn = () => {
    most = Math.max(most, now);
    now = 0;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    happened: () => {
      now++;
    },
    most: async () => {
      await settled();
      going = false;
      return Math.max(most, now);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000 && !condition(); i++) await new Promise((done) => setImmediate(done));
}

test("a slow listener of 'message' has some 10 ms at a time", async () => {
  const net = newNet();
  const { socket, fd } = await net.bound();
  const turns = loopTurns();
  let count = 0;
  socket.on('message', () => {
    work(1);
    count++;
    turns.happened();
  });
  net.arrive(fd, many(256));
  await until(() => count === 256);
  expect(await turns.most()).toBeLessThanOrEqual(20);
});

test('a batch of 1024 does not hand over 4096 in one turn', async () => {
  const net = newNet();
  const { socket, fd } = await net.bound({ batch: 1024 });
  const turns = loopTurns();
  let count = 0;
  socket.on('message', () => {
    work(0.1);
    count++;
    turns.happened();
  });
  net.arrive(fd, many(4096));
  await until(() => count === 4096);
  expect(await turns.most()).toBeLessThanOrEqual(200);
});

test("a slow listener of 'messages' is not called again in the same turn", async () => {
  const net = newNet();
  const { socket, fd } = await net.bound({ batch: 16 });
  const turns = loopTurns();
  let count = 0;
  socket.on('messages', (batch) => {
    work(12);
    count += batch.length;
    turns.happened();
  });
  net.arrive(fd, many(64));
  await until(() => count === 64);
  expect(await turns.most()).toBeLessThanOrEqual(1);
});

test('a slow body of for await has some 10 ms at a time', async () => {
  const net = newNet();
  const { socket, fd } = await net.bound();
  const turns = loopTurns();
  let count = 0;
  const reading = (async () => {
    for await (const _ of socket) {
      work(1);
      turns.happened();
      if (++count === 256) break;
    }
  })();
  net.arrive(fd, many(256));
  await reading;
  expect(await turns.most()).toBeLessThanOrEqual(20);
});

test('a queue that has become writable leaves in portions, where the kernel is slow', async () => {
  const net = newNet();
  const { socket, fd } = await net.bound({ gso: false });
  net.host.syscalls.sendResult = () => -11;
  let told = 0;
  for (let i = 0; i < 10_000; i++) socket.send('x', 9, '192.0.2.9', () => told++);
  await settled();
  const turns = loopTurns();
  net.host.syscalls.sendResult = (count) => {
    work(1);
    turns.happened();
    return Math.min(count, 8);
  };
  for (let i = 0; i < 5_000 && told < 10_000; i++) {
    const watcher = net.host.readiness.watchers.get(fd)!;
    if ((watcher.events & WRITABLE) !== 0) watcher.ready(WRITABLE);
    await new Promise((done) => setImmediate(done));
  }
  expect(told).toBe(10_000);
  expect(await turns.most()).toBeLessThanOrEqual(40);
});

test('two sockets that are flooded take turns, a batch each', async () => {
  const net = newNet();
  const [one, other] = [await net.bound(), await net.bound()];
  const order: number[] = [];
  for (const [index, { socket }] of [one, other].entries()) {
    socket.on('message', () => {
      work(1);
      order.push(index);
    });
  }
  net.arrive(one.fd, many(256));
  net.arrive(other.fd, many(256));
  await until(() => order.length === 512);
  let [longest, run] = [0, 0];
  for (let i = 1; i < order.length; i++) {
    run = order[i] === order[i - 1] ? run + 1 : 1;
    if (i < 300) longest = Math.max(longest, run);
  }
  expect(longest).toBeLessThanOrEqual(64);
});
