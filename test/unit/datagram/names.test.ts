import { parseAddress } from '../../../src/address/ip';
import { newArrived } from '../../../src/datagram/control';
import { Names } from '../../../src/datagram/names';
import { newRemote } from '../../../src/datagram/sockaddr';
import { WordCache } from '../../../src/datagram/word-cache';
import { FakeHost } from '../../support/fake-host';
import { linux64 } from '../../support/layouts';

function setUp() {
  const { syscalls } = new FakeHost(linux64);
  const clock = { now: 0 };
  syscalls.interfaces.set(2, 'eth0');
  const list = jest.fn(() => ({
    eth0: [
      { address: '192.0.2.1', netmask: '255.255.255.0', family: 'IPv4' },
      { address: '192.0.2.5', netmask: '255.255.255.0', family: 'IPv4' },
      { address: '2001:db8::1', netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6' },
    ],
    ptp0: [{ address: '198.51.100.0', netmask: '255.255.255.254', family: 'IPv4' }],
  }));
  const names = new Names(syscalls, { now: () => clock.now, list: list as never });
  return { names, syscalls, clock, list };
}

const remote = (text: string, scope = 0) => ({ ...newRemote(), ...parseAddress(text)!, scope });
const word = (text: string) => parseAddress(text)!.word0;

describe('senders', () => {
  test('are spelled as dgram spells them, the second time from memory', () => {
    const { names } = setUp();
    for (let i = 0; i < 2; i++) {
      expect(names.remoteText(remote('192.0.2.9'))).toBe('192.0.2.9');
      expect(names.remoteText(remote('::ffff:192.0.2.9'))).toBe('::ffff:192.0.2.9');
      expect(names.remoteText(remote('fe80::9', 2))).toBe('fe80::9%eth0');
      expect(names.remoteText(remote('fe80::9', 77))).toBe('fe80::9%77');
      expect(names.remoteText(remote('0.0.0.0'))).toBe('0.0.0.0');
      expect(names.remoteText(remote('::'))).toBe('::');
    }
  });

  test('a flood of spoofed ones takes bounded memory, and still comes out right', () => {
    const { names } = setUp();
    const one = remote('10.0.0.0');
    for (let i = 0; i < 200_000; i++) {
      one.word0 = Math.imul(i, 0x9e3779b1) | 0;
      const text = names.remoteText(one);
      if (i % 5000 === 0) expect(parseAddress(text)?.word0).toBe(one.word0);
    }
  });
});

describe('endpoints', () => {
  test('know what they are good for', () => {
    const { names } = setUp();
    expect(names.endpoint('fe80::1%eth0')).toMatchObject({ family: 6, scope: 2, linkLocal: true, mapped: false });
    expect(names.endpoint('::ffff:255.255.255.255')).toMatchObject({ mapped: true, broadcast: true });
    expect(names.endpoint('fe80::1%2')).toMatchObject({ scope: 2 });
    expect(names.endpoint('fe80::1%nosuch')).toMatchObject({ scope: 0 });
    expect(names.endpoint('localhost')).toBeUndefined();
    expect(names.endpoint('192.0.2.1')).toBe(names.endpoint('192.0.2.1'));
  });

  test('zones are looked at again after a while', () => {
    const { names, syscalls, clock } = setUp();
    expect(names.endpoint('fe80::1%eth0')?.scope).toBe(2);
    syscalls.interfaces.delete(2);
    syscalls.interfaces.set(9, 'eth0');
    clock.now = 6000;
    expect(names.endpoint('fe80::1%eth0')?.scope).toBe(9);
  });

  test('subnet broadcasts are those of the host, where the subnet has one', () => {
    const { names } = setUp();
    expect(names.isSubnetBroadcast(names.endpoint('192.0.2.255')!)).toBe(true);
    expect(names.isSubnetBroadcast(names.endpoint('::ffff:192.0.2.255')!)).toBe(true);
    expect(names.isSubnetBroadcast(names.endpoint('192.0.3.255')!)).toBe(false);
    expect(names.isSubnetBroadcast(names.endpoint('198.51.100.1')!)).toBe(false); // RFC 3021
    expect(names.isSubnetBroadcast(names.endpoint('2001:db8::1')!)).toBe(false);
  });
});

describe('arrivals', () => {
  const arrived = (text: string, other = {}) => {
    const address = parseAddress(text)!;
    return {
      ...newArrived(),
      family: address.family,
      destination0: address.word0,
      destination1: address.word1,
      destination2: address.word2,
      destination3: address.word3,
      ifindex: 2,
      ...other,
    };
  };

  test('are the same frozen object for the same destination', () => {
    const { names } = setUp();
    const first = names.arrival(arrived('192.0.2.1'), 53, false);
    expect(names.arrival(arrived('192.0.2.1'), 53, false)).toBe(first);
    expect(Object.isFrozen(first.destination)).toBe(true);
    expect(names.arrival(arrived('192.0.2.1'), 54, false).destination?.port).toBe(54);
    expect(names.arrival(arrived('192.0.2.1'), 53, true).destination?.address).toBe('::ffff:192.0.2.1');
    expect(names.arrival(arrived('192.0.2.1', { ifindex: 1 }), 53, false).destination?.interface).toBe('lo');
  });

  test.each([
    ['192.0.2.255', 'the interface is told', 2, '192.0.2.1'],
    ['255.255.255.255', 'the interface is told', 2, '192.0.2.1'],
    ['255.255.255.255', 'no interface is told', 0, undefined],
    ['239.1.2.3', 'the interface is told', 2, undefined],
    ['192.0.2.5', 'the interface is told', 2, '192.0.2.5'],
  ])('%s, where %s and no ipi_spec_dst', (text, _, ifindex, expected) => {
    const { names } = setUp();
    const { localAddress, destination } = names.arrival(arrived(text, { ifindex }), 53, false);
    expect([destination?.address, localAddress]).toEqual([text, expected]);
  });

  test('ipi_spec_dst wins', () => {
    const { names } = setUp();
    const told = arrived('239.1.2.3', { specDst: word('192.0.2.5'), hasSpecDst: true });
    expect(names.arrival(told, 53, false).localAddress).toBe('192.0.2.5');
    expect(names.arrival(told, 53, true).localAddress).toBe('::ffff:192.0.2.5');
  });

  test('interfaces are asked again after five seconds, not before', () => {
    const { names, syscalls, clock, list } = setUp();
    names.refresh();
    expect(names.arrival(arrived('192.0.2.255'), 53, false).destination?.interface).toBe('eth0');
    syscalls.interfaces.set(2, 'renamed');
    clock.now = 4999;
    names.refresh();
    expect(names.arrival(arrived('192.0.2.255'), 53, false).destination?.interface).toBe('eth0');
    expect(list).toHaveBeenCalledTimes(1);
    clock.now = 5000;
    names.refresh();
    expect(names.arrival(arrived('192.0.2.255'), 53, false).destination?.interface).toBe('renamed');
    expect(list).toHaveBeenCalledTimes(2);
  });
});

test('a system that refuses to list its interfaces (EMFILE, EACCES) costs nothing but what it does not say', () => {
  const { names, clock, list } = setUp();
  const refuse = () => {
    throw new Error('EMFILE');
  };
  list.mockImplementationOnce(refuse);
  expect(names.interfaces.isBroadcast(word('192.0.2.255'))).toBe(false);
  clock.now = 6000;
  names.refresh();
  expect(names.interfaces.isBroadcast(word('192.0.2.255'))).toBe(true);
  clock.now = 12000;
  names.refresh();
  list.mockImplementationOnce(refuse);
  expect(names.interfaces.isBroadcast(word('192.0.2.255'))).toBe(true); // as it was last
});

describe('WordCache', () => {
  test('finds what was stored under all eight words, and nothing else', () => {
    const cache = new WordCache<string>(1024);
    const key = [1, -2, 3, -4, 5, -6, 7, -8] as const;
    expect(cache.find(...key)).toBeUndefined();
    expect(cache.store('x', ...key)).toBe('x');
    expect(cache.find(...key)).toBe('x');
    for (let i = 0; i < 8; i++) {
      const other = [...key] as unknown as Parameters<typeof cache.find>;
      other[i] = 99;
      expect(cache.find(...other)).toBeUndefined();
    }
    cache.clear();
    expect(cache.find(...key)).toBeUndefined();
  });

  test('a key of zeros is a key like any other', () => {
    const cache = new WordCache<string>(64);
    expect(cache.find(0, 0, 0, 0, 0)).toBeUndefined();
    cache.store('zero', 0, 0, 0, 0, 0);
    expect(cache.find(0, 0, 0, 0, 0)).toBe('zero');
  });

  test('grows until what recurs is found mostly, and not beyond its bound', () => {
    const cache = new WordCache<number>(4096);
    const round = (count: number) => {
      let hits = 0;
      for (let i = 0; i < count; i++) {
        if (cache.find(4, i, 0, 0, 0) === undefined) cache.store(i, 4, i, 0, 0, 0);
        else hits++;
      }
      return hits;
    };
    for (let i = 0; i < 20; i++) round(2000);
    expect(round(2000)).toBeGreaterThan(1000);
    for (let i = 0; i < 5; i++) round(100_000);
    let kept = 0;
    for (let i = 0; i < 100_000; i++) if (cache.find(4, i, 0, 0, 0) !== undefined) kept++;
    expect(kept).toBeLessThanOrEqual(4096);
    expect(kept).toBeGreaterThan(2048);
  });

  test('a value always belongs to its key', () => {
    const cache = new WordCache<number>(64);
    for (let i = 0; i < 1000; i++) cache.store(i, i, -i, i ^ 5, 0, 0);
    for (let i = 0; i < 1000; i++) expect([undefined, i]).toContain(cache.find(i, -i, i ^ 5, 0, 0));
  });
});
