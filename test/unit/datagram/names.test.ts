import { parseAddress } from '../../../src/address/ip';
import { newArrived } from '../../../src/datagram/control';
import { Names } from '../../../src/datagram/names';
import { newRemote } from '../../../src/datagram/sockaddr';
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
      expect(names.endpointOf(remote('192.0.2.9')).text).toBe('192.0.2.9');
      expect(names.endpointOf(remote('::ffff:192.0.2.9')).text).toBe('::ffff:192.0.2.9');
      expect(names.endpointOf(remote('fe80::9', 2)).text).toBe('fe80::9%eth0');
      expect(names.endpointOf(remote('fe80::9', 77)).text).toBe('fe80::9%77');
      expect(names.endpointOf(remote('0.0.0.0')).text).toBe('0.0.0.0');
      expect(names.endpointOf(remote('::')).text).toBe('::');
    }
  });

  test('a flood of spoofed ones takes bounded memory, and still comes out right', () => {
    const { names } = setUp();
    const one = remote('10.0.0.0');
    for (let i = 0; i < 200_000; i++) {
      one.word0 = Math.imul(i, 0x9e3779b1) | 0;
      const text = names.endpointOf(one).text;
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

  test('one is remembered for each destination: ports that nobody asks again take no memory', () => {
    const { names } = setUp();
    const first = names.arrival(arrived('192.0.2.1'), 53, false);
    const other = names.arrival(arrived('192.0.2.1'), 40_000, false);
    expect(other).toEqual({ ...first, destination: { ...first.destination, port: 40_000 } });
    expect(Object.isFrozen(other.destination)).toBe(true);
    expect(names.arrival(arrived('192.0.2.1'), 53, false)).not.toBe(first);
  });

  test('a socket is told the same object again, however many ports were asked meanwhile', () => {
    const { names } = setUp();
    const first = names.arrival(arrived('192.0.2.1'), 53, false);
    for (let port = 40_000; port < 40_010; port++) names.arrival(arrived('192.0.2.1'), port, false);
    expect(names.arrival(arrived('192.0.2.1'), 53, false, first)).toBe(first);
    expect(names.arrival(arrived('192.0.2.1'), 54, false, first).destination?.port).toBe(54);
    expect(names.arrival(arrived('192.0.2.5'), 53, false, first).destination?.address).toBe('192.0.2.5');
    expect(names.arrival(arrived('192.0.2.1', { ifindex: 1 }), 53, false, first).destination?.interface).toBe('lo');
    expect(names.arrival(arrived('192.0.2.1'), 53, true, first).localAddress).toBe('::ffff:192.0.2.1');
    expect(names.arrival(newArrived(), 53, false, first).destination).toBeUndefined();
  });

  test('what a socket was told is outdated when an interface has another name, or answers from elsewhere', () => {
    const { names, syscalls, clock } = setUp();
    names.refresh();
    const first = names.arrival(arrived('239.1.2.3', { specDst: word('192.0.2.1'), hasSpecDst: true }), 53, false);
    const told = arrived('239.1.2.3', { specDst: word('192.0.2.5'), hasSpecDst: true });
    names.arrival(told, 54, false);
    expect(names.arrival(told, 53, false, first).localAddress).toBe('192.0.2.5');
    syscalls.interfaces.set(2, 'renamed');
    clock.now = 5000;
    names.refresh();
    const again = arrived('239.1.2.3', { specDst: word('192.0.2.1'), hasSpecDst: true });
    names.arrival(again, 54, false);
    expect(names.arrival(again, 53, false, first).destination?.interface).toBe('renamed');
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
