import { strictEqual as equal, ok } from 'node:assert'; // in loops: expect() takes a tenth of a millisecond
import { WordMap } from '../../../src/datagram/word-map';
import { fc } from '../../fuzz/settings';

type Key = [number, number, number, number, number, number, number];

test('finds what was stored under all seven words, and nothing else', () => {
  const map = new WordMap<string>(1024);
  const key: Key = [1, -2, 3, -4, 5, -6, 7];
  expect(map.find(...key)).toBeUndefined();
  expect(map.store('x', ...key)).toBe('x');
  expect(map.find(...key)).toBe('x');
  for (let i = 0; i < 7; i++) {
    const other = [...key] as Key;
    other[i] = 99;
    expect(map.find(...other)).toBeUndefined();
  }
  map.clear();
  expect(map.find(...key)).toBeUndefined();
});

test('a key of zeros is a key like any other', () => {
  const map = new WordMap<string>(64);
  expect(map.find(0, 0, 0, 0, 0)).toBeUndefined();
  map.store('zero', 0, 0, 0, 0, 0);
  expect(map.find(0, 0, 0, 0, 0)).toBe('zero');
});

test('as many as it has room for are all found again, in whatever order', () => {
  const map = new WordMap<number>(10_000);
  for (let i = 0; i < 10_000; i++) map.store(i, i, 0, 0, 0, 0);
  for (let round = 0; round < 3; round++) {
    for (let i = 9999; i >= 0; i--) ok(map.find((Math.imul(i, 7919) % 10_000) >>> 0, 0, 0, 0, 0) !== undefined);
  }
});

test('a flood takes bounded memory, and those who are asked for now and then stay', () => {
  const map = new WordMap<number>(100);
  map.store(-1, 7, 7, 7, 7, 7);
  for (let i = 0; i < 100_000; i++) {
    map.store(i, i, 1, 0, 0, 0);
    if (i % 50 === 0) equal(map.find(7, 7, 7, 7, 7), -1);
  }
  expect(map.size).toBeLessThanOrEqual(200);
  expect(map.find(5, 1, 0, 0, 0)).toBeUndefined();
});

test('it is a Map that may have forgotten, never one that is wrong', () => {
  const step = fc.record({ key: fc.nat(40), what: fc.constantFrom('store', 'find') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), fc.integer({ min: 1, max: 30 }), (steps, max) => {
      const map = new WordMap<number>(max);
      const model = new Map<number, number>();
      steps.forEach(({ key, what }, i) => {
        if (what === 'store') {
          map.store(i, key, 0, -key, 0, 0);
          model.set(key, i);
        } else {
          const found = map.find(key, 0, -key, 0, 0);
          if (found !== undefined || model.size <= max) equal(found, model.get(key));
        }
        ok(map.size <= 2 * max);
      });
    }),
  );
});
