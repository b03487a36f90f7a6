/** Where records lie. What they keep is tested with those who use them: WordMap and Remotes. */
import { hash, Records } from '../../../src/datagram/records';

/** Taken once: jest's globals are slow. */
const { imul } = Math;
const Words = Int32Array;

type Key = readonly [words: number[], tag: number];

const place = (seed: number, [words, tag]: Key) => hash(seed, new Words(words), tag);
/** Numbers that look like chance, the same in each run. */
const scattered = (i: number) => imul(i ^ (i >>> 15), 0x9e3779b1) ^ imul(i, 0x85ebca6b);

test.each<[string, (i: number) => Key]>([
  ['IPv4 addresses', (i) => [[i], 53]],
  ['IPv6 addresses of one network', (i) => [[7, 7, 0, i, 0], 53]],
  ['ports of IPv4 remotes', (i) => [[7 + (i >>> 16)], i & 0xffff]],
  ['ports of IPv6 remotes', (i) => [[7, 7, 0, i >>> 16, 0], i & 0xffff]],
  ['destinations and their ports', (i) => [[7, 0, 0, 0, 4, i & 0xffff, i >>> 16], 0]],
])('%s that belong in one place in one process are spread in another', (_, keyOf) => {
  const keys = Array.from({ length: 1 << 18 }, (_, i) => keyOf(imul(i, 0x9e3779b1)));
  const places = (seed: number, all: Key[]) => all.map((key) => place(seed, key) & 1023);
  const known = places(1, keys);
  const chosen = keys.filter((_, i) => known[i] === known[0]);
  expect(chosen.length).toBeGreaterThan(100);
  for (const seed of [2, 0x12345678, -99]) {
    const perPlace = new Map<number, number>();
    for (const place of places(seed, chosen)) perPlace.set(place, (perPlace.get(place) ?? 0) + 1);
    expect(Math.max(...perPlace.values())).toBeLessThan(chosen.length / 8);
  }
});

/** Whoever spoofs addresses chooses all their words, and the port. */
test.each<[string, (a: number, b: number) => Key]>([
  ['an IPv4 address and its port', (a, b) => [[a], b & 0xffff]],
  ['the first two words of an address', (a, b) => [[a, b, 0, 0, 0], 53]],
  ['its second and its third word', (a, b) => [[7, a, b, 0, 0], 53]],
  ['its third and its fourth word', (a, b) => [[7, 0, a, b, 0], 53]],
  ['its fourth word and its port', (a, b) => [[7, 0, 0, a, 0], b & 0xffff]],
  ['an interface and a port', (a, b) => [[7, 0, 0, 0, 0, a, b], 0]],
])('%s that make up for each other in one process do not in another', (_, keyOf) => {
  const first = new Map<number, Key>();
  const pairs: [Key, Key][] = [];
  for (let i = 0; i < 1 << 18; i++) {
    const key = keyOf(scattered(i), scattered(i + 0x5555_5555));
    const at = place(1, key);
    const other = first.get(at);
    if (other === undefined) first.set(at, key);
    else if (String(other) !== String(key)) pairs.push([other, key]);
  }
  expect(pairs.length).toBeGreaterThan(0);
  for (const seed of [2, 0x12345678, -99]) {
    const same = pairs.filter(([one, other]) => place(seed, one) === place(seed, other));
    expect(same.length).toBeLessThanOrEqual(pairs.length / 8);
  }
});

test('of one word of key and four in all, the first few take no more than V8 keeps on its own heap', () => {
  const records = new Records(64, 1, 4);
  const add = (word: number) => {
    records.key[0] = word;
    records.add(53);
  };
  add(1);
  expect(records.words.byteLength).toBeLessThanOrEqual(64); // typed_array_max_size_in_heap
  for (let word = 1; word <= 64; word++) add(word);
  expect(records.size).toBe(64);
});
