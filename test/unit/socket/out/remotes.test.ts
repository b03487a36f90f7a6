import { strictEqual as equal, ok } from 'node:assert'; // in loops: expect() takes a tenth of a millisecond
import { parseAddress } from '../../../../src/address/ip';
import type { Endpoint } from '../../../../src/datagram/endpoint';
import { Names } from '../../../../src/datagram/names';
import { Remotes } from '../../../../src/socket/out/remotes';
import { fc } from '../../../fuzz/settings';
import { FakeHost } from '../../../support/fake-host';
import { linux64 } from '../../../support/layouts';

const names = new Names(new FakeHost(linux64).syscalls, { now: () => 0, list: () => ({}) });
const end = (text: string, scope = 0): Endpoint => {
  const { family, word0, word1, word2, word3 } = parseAddress(text)!;
  return names.endpointOf({ family, word0, word1, word2, word3, scope });
};
/** The i-th address of one family. */
const ipv4 = (i: number) => end(`10.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`);
const ipv6 = (i: number) => end(`2001:db8::${(i >>> 16).toString(16)}:${(i & 0xffff).toString(16)}`);

function hear(memory: Remotes, remote: Endpoint, port: number, local: Endpoint, now = 0): void {
  memory.hear(names, remote, port, local, now, 0);
}

/** Where it was heard last; undefined where it is not known. */
const localOf = (memory: Remotes, remote: Endpoint, port: number): string | undefined =>
  memory.find(remote, port) ? memory.local(names, remote.family).text : undefined;

describe.each([
  ['IPv4', ipv4, '192.0.2.7', '192.0.2.8'],
  ['IPv6', ipv6, '2001:db8::7', '2001:db8::8'],
] as const)('%s', (_, at, first, second) => {
  test('a remote is an address and a port, and is heard where it was heard last', () => {
    const memory = new Remotes(64);
    expect(memory.find(at(1), 53)).toBe(false);
    hear(memory, at(1), 53, end(first));
    hear(memory, at(1), 65535, end(second));
    expect([localOf(memory, at(1), 53), localOf(memory, at(1), 65535)]).toEqual([first, second]);
    expect([localOf(memory, at(2), 53), localOf(memory, at(1), 54)]).toEqual([undefined, undefined]);
    hear(memory, at(1), 53, end(second));
    expect(localOf(memory, at(1), 53)).toBe(second);
    expect([memory.wasHeardOn(end(first)), memory.wasHeardOn(end(second))]).toEqual([false, true]);
  });

  test('as many as it has room for are all found again, in whatever order', () => {
    const memory = new Remotes(5000);
    const local = (i: number) => end(i % 2 === 0 ? first : second);
    for (let i = 0; i < 5000; i++) hear(memory, at(i), i % 7, local(i));
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 5000; n++) {
        const i = (n * 7919) % 5000;
        expect(localOf(memory, at(i), i % 7)).toBe(local(i).text);
      }
    }
  });

  test('a flood takes bounded memory, and those who are heard now and then stay', () => {
    const memory = new Remotes(100);
    hear(memory, at(1), 1, end(first));
    for (let i = 2; i < 20_000; i++) {
      hear(memory, at(i), i & 0xffff, end(second));
      if (i % 50 === 0) expect(localOf(memory, at(1), 1)).toBe(first);
    }
    expect(memory.size).toBeLessThanOrEqual(200);
    expect(localOf(memory, at(3), 3)).toBeUndefined();
  });

  test('a count goes with it, however often it moves, until it is forgotten', () => {
    const memory = new Remotes(4);
    hear(memory, at(1), 65535, end(first));
    memory.count = 255;
    for (let i = 2; i < 40; i++) {
      hear(memory, at(i), 1, end(second));
      expect(memory.find(at(1), 65535)).toBe(true);
      expect(memory.count).toBe(255);
    }
    memory.count--;
    expect([memory.count, localOf(memory, at(1), 65535)]).toEqual([254, first]);
    memory.forget(at(1), 65535);
    expect(memory.find(at(1), 65535)).toBe(false);
    hear(memory, at(1), 65535, end(first));
    expect(memory.count).toBe(0);
  });

  test('what moves back while generations change keeps all that is known of it', () => {
    const memory = new Remotes(1);
    for (let i = 0; i < 3; i++) hear(memory, at(i), 1, i === 1 ? end(first) : end(second), 5000);
    for (let round = 0; round < 6; round++) {
      expect(localOf(memory, at(1), 1)).toBe(first);
      expect(memory.isFresh(5000, 0)).toBe(true);
      expect(localOf(memory, at(2), 1)).toBe(second);
    }
  });

  test('what is forgotten is not found, and what stands behind it still is', () => {
    const memory = new Remotes(8);
    for (let i = 0; i < 12; i++) hear(memory, at(i), 1, end(first));
    memory.forget(at(9), 1);
    memory.forget(at(99), 1);
    expect(localOf(memory, at(9), 1)).toBeUndefined();
    expect([8, 10, 11].map((i) => localOf(memory, at(i), 1))).toEqual([first, first, first]);
    hear(memory, at(9), 1, end(second));
    expect(localOf(memory, at(9), 1)).toBe(second);
  });

  test('a copy goes its own way', () => {
    const memory = new Remotes(8);
    for (let i = 0; i < 12; i++) hear(memory, at(i), 1, end(first));
    const copy = memory.copy(8);
    hear(memory, at(3), 1, end(second));
    memory.forget(at(11), 1);
    hear(copy, at(5), 1, end(second));
    expect([3, 5, 11].map((i) => localOf(memory, at(i), 1))).toEqual([second, first, undefined]);
    expect([3, 5, 11].map((i) => localOf(copy, at(i), 1))).toEqual([first, second, first]);
  });

  test('it is a Map that may have forgotten, never one that is wrong', () => {
    const step = fc.record({ key: fc.nat(40), what: fc.constantFrom('hear', 'find', 'forget') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), fc.integer({ min: 1, max: 30 }), (steps, max) => {
        const memory = new Remotes(max);
        const known = new Set<number>(); // what is forgotten keeps its place until its generation goes
        const model = new Map<number, string>();
        steps.forEach(({ key, what }, i) => {
          if (what === 'hear') {
            hear(memory, at(key >> 1), key & 1, at(i));
            model.set(key, at(i).text);
            known.add(key);
          } else if (what === 'forget') {
            memory.forget(at(key >> 1), key & 1);
            model.delete(key);
          } else {
            const found = localOf(memory, at(key >> 1), key & 1);
            if (found !== undefined || known.size <= max) equal(found, model.get(key));
          }
          ok(memory.size <= 2 * max);
        });
      }),
    );
  });
});

test('an IPv4 remote is one remote, mapped or not, and its local address comes in the form that is wanted', () => {
  const memory = new Remotes(8);
  hear(memory, end('::ffff:10.0.0.1'), 7, end('::ffff:192.0.2.1'));
  expect(localOf(memory, end('10.0.0.1'), 7)).toBe('192.0.2.1');
  hear(memory, end('10.0.0.1'), 7, end('192.0.2.2'));
  expect(localOf(memory, end('::ffff:10.0.0.1'), 7)).toBe('::ffff:192.0.2.2');
  expect(memory.wasHeardOn(end('::ffff:192.0.2.2'))).toBe(true);
  expect(memory.size).toBe(1);
});

test('every word of an IPv6 address counts, and its zone, of the remote and of the local address', () => {
  const memory = new Remotes(64);
  const spellings = ['fe80::1', 'fe81::1', 'fe80:0:1::1', 'fe80::1:0:0:1', 'fe80::2'];
  const all = [...spellings.map((text) => end(text, 3)), end('fe80::1', 4)];
  for (const [i, one] of all.entries()) hear(memory, one, 7, all[(i + 1) % all.length]!);
  expect(all.map((one) => localOf(memory, one, 7))).toEqual(all.map((_, i) => all[(i + 1) % all.length]!.text));
  for (const one of all) {
    expect(memory.find(all[0]!, 7)).toBe(true);
    hear(memory, all[0]!, 7, one);
    expect(all.filter((other) => memory.wasHeardOn(other))).toEqual([one]);
  }
});

test('it is fresh for so many ms, and not again when the clock of a record has gone round', () => {
  const memory = new Remotes(8);
  const month = 31 * 24 * 3600 * 1000;
  for (const start of [0, 0.9, 1e6, month, 50 * 365 * 24 * 3600 * 1000]) {
    hear(memory, ipv4(1), 1, ipv4(2), start);
    const fresh = [0, 1000, 1001, month].map((later) => memory.isFresh(Math.floor(start) + later, 1000));
    expect(fresh).toEqual([true, true, false, false]);
    expect(memory.isFresh(start + month, Number.MAX_SAFE_INTEGER)).toBe(true);
  }
});
