import { StickyMemory } from '../../../src/socket/sticky-memory';

test('remembers where each remote was heard last', () => {
  const memory = new StickyMemory(8);
  memory.remember('a', '192.0.2.1', 0);
  memory.remember('b', '192.0.2.2', 1);
  memory.remember('a', '192.0.2.3', 2);
  expect([memory.find('a', 3, 100), memory.find('b', 3, 100), memory.find('c', 3, 100)]).toEqual([
    '192.0.2.3',
    '192.0.2.2',
    undefined,
  ]);
  expect(memory.size).toBe(2);
});

test('what was heard longest ago makes room; being heard again counts, being asked for does not', () => {
  const memory = new StickyMemory(3);
  for (const remote of ['a', 'b', 'c']) memory.remember(remote, '192.0.2.1', 0);
  memory.remember('a', '192.0.2.1', 1);
  memory.find('b', 1, 100);
  memory.remember('d', '192.0.2.1', 2);
  const known = ['a', 'b', 'c', 'd'].filter((remote) => memory.find(remote, 2, 100) !== undefined);
  expect(known).toEqual(['a', 'c', 'd']);
  memory.remember('e', '192.0.2.1', 3);
  memory.remember('f', '192.0.2.1', 3);
  expect(memory.find('a', 3, 100)).toBeUndefined();
  expect(memory.find('d', 3, 100)).toBe('192.0.2.1');
});

test('one entry is enough to work with', () => {
  const memory = new StickyMemory(1);
  memory.remember('a', '192.0.2.1', 0);
  memory.remember('a', '192.0.2.2', 0);
  memory.remember('b', '192.0.2.3', 0);
  expect([memory.find('a', 0, 1), memory.find('b', 0, 1), memory.size]).toEqual([undefined, '192.0.2.3', 1]);
});

test('is forgotten when it has not been heard for too long, and who asks says how long that is', () => {
  const memory = new StickyMemory(8);
  memory.remember('a', '192.0.2.1', 1000);
  expect([memory.find('a', 1050, 50), memory.find('a', 1051, 50), memory.find('a', 1051, 60)]).toEqual([
    '192.0.2.1',
    undefined,
    '192.0.2.1',
  ]);
  memory.remember('a', '192.0.2.1', 1040);
  expect(memory.find('a', 1090, 50)).toBe('192.0.2.1');
});

test('forget() spares what has been heard elsewhere since', () => {
  const memory = new StickyMemory(2);
  memory.remember('a', '192.0.2.1', 0);
  memory.forget('a', '192.0.2.9');
  memory.forget('b', '192.0.2.1');
  expect(memory.find('a', 0, 1)).toBe('192.0.2.1');
  memory.forget('a', '192.0.2.1');
  expect([memory.find('a', 0, 1), memory.size]).toEqual([undefined, 0]);
  for (const remote of ['a', 'b', 'c']) memory.remember(remote, '192.0.2.2', 0);
  expect([memory.size, memory.find('a', 0, 1), memory.find('c', 0, 1)]).toEqual([2, undefined, '192.0.2.2']);
});

test('growTo() never shrinks it', () => {
  const memory = new StickyMemory(2);
  memory.growTo(1);
  for (const remote of ['a', 'b', 'c']) memory.remember(remote, '192.0.2.1', 0);
  expect(memory.size).toBe(2);
  memory.growTo(4);
  for (const remote of ['d', 'e', 'f', 'g']) memory.remember(remote, '192.0.2.1', 0);
  expect(memory.size).toBe(4);
});

test('a flood of remotes leaves it as large as it may be, and the latest known', () => {
  const memory = new StickyMemory(1000);
  for (let i = 0; i < 100_000; i++) {
    memory.remember(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255} 53`, '192.0.2.1', i);
    if (memory.size > 1000) throw new Error(`${memory.size} entries`);
  }
  expect(memory.size).toBe(1000);
  expect(memory.find('10.1.134.159 53', 100_000, 10)).toBe('192.0.2.1');
  expect(memory.find('10.0.0.1 53', 100_000, 1e9)).toBeUndefined();
});

test('one remote that is heard again and again costs no more in a full memory than in an empty one', () => {
  const time = (memory: StickyMemory) => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < 20_000; i++) memory.remember('a', '192.0.2.1', i);
    return Number(process.hrtime.bigint() - start);
  };
  const full = new StickyMemory(8192);
  for (let i = 0; i < 8191; i++) full.remember(`remote ${i}`, '192.0.2.1', i);
  const empty = Math.min(...[1, 2, 3].map(() => time(new StickyMemory(8192))));
  // Taken out of a Map and put back, it is some hundred times.
  expect(Math.min(...[1, 2, 3].map(() => time(full)))).toBeLessThan(20 * empty);
});
