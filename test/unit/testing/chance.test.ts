/** Losses, duplicates, reordering and delays: as many as were asked for, and the same ones on the same seed. */
import { createNetwork, type NetworkOptions, type Packet } from '../../../src/testing';
import { bind, collect, send } from './support';

const MANY = 2000;

async function run(options: Partial<NetworkOptions>, count = MANY) {
  const network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2' }, clock: 'manual', ...options });
  const b = await bind(network.createSocket('b', { type: 'udp4', recvBufferSize: 212992 }), 53);
  const heard = collect(b);
  const a = await bind(network.createSocket('a', 'udp4'));
  for (let i = 0; i < count; i++) {
    await send(a, `${i}`, 53, '10.0.0.2');
    if (i % 100 === 99) await network.settle();
  }
  await network.settle();
  const { stats, log } = network;
  await network.close();
  return { stats, log, numbers: heard.map(({ text }) => Number(text)) };
}

/** Within four standard deviations of what is expected: fails once in 16,000 seeds. */
function expectShare(count: number, share: number): void {
  const deviation = Math.sqrt(MANY * share * (1 - share));
  expect(Math.abs(count - MANY * share)).toBeLessThan(4 * deviation);
}

test.each([0.01, 0.1, 0.5])('a loss of %d loses that share, and counts it', async (loss) => {
  const { stats, numbers } = await run({ loss, seed: 7 });
  expectShare(stats.lost, loss);
  expect(numbers).toHaveLength(MANY - stats.lost);
  expect(stats).toMatchObject({ sent: MANY, delivered: numbers.length, travelling: 0, duplicated: 0, reordered: 0 });
});

test('duplicates arrive twice', async () => {
  const { stats, numbers } = await run({ duplicate: 0.2, seed: 7 });
  expectShare(stats.duplicated, 0.2);
  expect(numbers).toHaveLength(MANY + stats.duplicated);
  expect(new Set(numbers).size).toBe(MANY);
});

test('what is reordered is overtaken by the next one that is not', async () => {
  const { stats, numbers, log } = await run({ reorder: 0.1, seed: 7 });
  expectShare(stats.reordered, 0.1);
  expect([...numbers].sort((x, y) => x - y)).toEqual(Array.from({ length: MANY }, (_, i) => i));
  const place = new Map(numbers.map((number, at) => [number, at]));
  const late = log.filter((packet) => packet.reordered).map(({ number }) => number - 1);
  const held = new Set(late);
  const overtaken = late.filter((number) => {
    let next = number + 1;
    while (held.has(next)) next++;
    return (place.get(next) ?? 0) < (place.get(number) ?? 0) && Math.floor(next / 100) === Math.floor(number / 100);
  });
  // But for the last ones before the network was let settle.
  expect(overtaken.length).toBeGreaterThan(late.length * 0.95);
});

test('what was overtaken comes at once, and only the last ones wait', async () => {
  await using network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2' }, reorder: 0.3, clock: 'manual' });
  const heard = collect(await bind(network.createSocket('b', 'udp4'), 53));
  const a = await bind(network.createSocket('a', 'udp4'));
  for (let i = 0; i < 100; i++) await send(a, `${i}`, 53, '10.0.0.2');
  await network.advance(0);
  const last = network.log.findLastIndex(({ reordered }) => !reordered);
  expect(heard).toHaveLength(last + 1);
  expect(heard.map(({ text }) => text)).not.toEqual(Array.from({ length: last + 1 }, (_, i) => `${i}`));
  await network.advance(10);
  expect(heard).toHaveLength(100);
});

test('each is on the way for its own time', async () => {
  await using network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2' }, delay: 20, clock: 'manual' });
  const heard = collect(await bind(network.createSocket('b', 'udp4'), 53));
  const a = await bind(network.createSocket('a', 'udp4'));
  for (const text of ['first', 'second']) {
    await send(a, text, 53, '10.0.0.2');
    await network.advance(10);
  }
  expect(heard.map(({ text }) => text)).toEqual(['first']);
  await network.advance(10);
  expect(heard.map(({ text }) => text)).toEqual(['first', 'second']);
});

test('jitter delays by chance, and keeps the order', async () => {
  const { numbers, log } = await run({ delay: 20, jitter: 30, seed: 3 }, 300);
  expect(numbers).toEqual(Array.from({ length: 300 }, (_, i) => i));
  expect(log.every(({ fate }) => fate === 'delivered')).toBe(true);
});

test('one seed, one history; another seed, another one', async () => {
  const all = { loss: 0.2, duplicate: 0.2, reorder: 0.2, delay: 5, jitter: 50 };
  const first = await run({ ...all, seed: 42 }, 500);
  expect((await run({ ...all, seed: 42 }, 500)).numbers).toEqual(first.numbers);
  expect((await run({ ...all, seed: 43 }, 500)).numbers).not.toEqual(first.numbers);
});

test('chance on one way does not depend on what goes another way', async () => {
  const lost = async (noise: boolean) => {
    const network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' }, loss: 0.3, seed: 5 });
    const a = await bind(network.createSocket('a', 'udp4'));
    const c = await bind(network.createSocket('c', 'udp4'));
    for (let i = 0; i < 200; i++) {
      if (noise) await send(c, 'noise', 53, '10.0.0.2');
      await send(a, `${i}`, 9, '10.0.0.2');
    }
    const { log } = network;
    await network.close();
    return log.filter(({ from, fate }) => from === 'a' && fate === 'lost').map(({ msg }) => String(msg));
  };
  expect(await lost(true)).toEqual(await lost(false));
});

test('links have settings of their own, one way or both', async () => {
  const network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' } });
  network.link('a', 'b', { loss: 1 });
  network.link('b', 'c', { loss: 1 }, { oneWay: true });
  const sockets = { a: network.createSocket('a', 'udp4'), b: network.createSocket('b', 'udp4') };
  const c = network.createSocket('c', 'udp4');
  for (const [socket, to] of [
    [sockets.a, 'b'],
    [sockets.b, 'a'],
    [sockets.b, 'c'],
    [c, 'b'],
    [sockets.a, 'c'],
  ] as const) {
    await send(socket, 'x', 9, to);
  }
  expect(network.log.map(({ from, to, fate }) => `${from}→${to} ${fate}`)).toEqual([
    'a→b lost',
    'b→a lost',
    'b→c lost',
    'c→b refused',
    'a→c refused',
  ]);
  await network.close();
});

test('a partition parts groups until it heals, and lose() loses what it wants', async () => {
  const third = (packet: Packet) => String(packet.msg) === 'third';
  const network = createNetwork({ hosts: { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' }, lose: third });
  const a = await bind(network.createSocket('a', 'udp4'));
  for (const host of ['b', 'c'] as const) await bind(network.createSocket(host, 'udp4'), 53);
  network.partition(['a', 'c'], ['b']);
  for (const text of ['first', 'second']) for (const to of ['b', 'c']) await send(a, text, 53, to);
  network.heal();
  for (const text of ['third', 'fourth']) await send(a, text, 53, 'b');
  await send(a, 'nobody', 53, '10.0.0.99');
  expect(network.log.map(({ msg, to, fate }) => `${msg} ${to} ${fate}`)).toEqual([
    'first b partitioned',
    'first c delivered',
    'second b partitioned',
    'second c delivered',
    'third b lost',
    'fourth b delivered',
    'nobody undefined no-host',
  ]);
  await network.close();
});

test('the log keeps the last ones', async () => {
  const { log, stats } = await run({ log: 10 }, 35);
  expect(log.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, i) => i + 26));
  expect(stats.sent).toBe(35);
  expect((await run({ log: 0 }, 5)).log).toEqual([]);
});
