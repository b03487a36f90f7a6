import { readersOf } from '../../../src/datagram/carried';
import { Names } from '../../../src/datagram/names';
import { type Reading, Receiver } from '../../../src/datagram/receiver';
import { newStats } from '../../../src/socket/stats';
import { fc } from '../../fuzz/settings';
import { arrived4, type ControlMessage, pktinfo6 } from '../../support/bytes';
import { FakeHost, type Incoming } from '../../support/fake-host';
import { type Case, cases, linux64 } from '../../support/layouts';
import { newReading } from '../../support/reading';

const EXTRAS = readersOf(['recvTTL', 'recvTOS', 'recvTimestamp', 'recvDrops']);

function setUp(on: Case, batch = 4, size = 1500) {
  const host = new FakeHost(on);
  const stats = newStats();
  const clock = { now: 0 };
  const names = new Names(host.syscalls, { now: () => clock.now });
  const receiver = new Receiver(host.platform, host.syscalls, names, batch, size);
  const fd = host.syscalls.socket(2);
  const reading = newReading(stats);
  const receive = (datagrams: readonly (Incoming | number)[], other: Partial<Reading> = {}) => {
    host.syscalls.sockets.get(fd)?.incoming.push(...datagrams);
    const received = receiver.receive(fd, batch);
    return Array.from({ length: Math.max(received, 0) }, (_, slot) => {
      const rinfo = receiver.rinfo(slot, { ...reading, ...other });
      return { msg: receiver.message(slot, rinfo.size, true), rinfo };
    });
  };
  return { host, stats, clock, names, receiver, fd, receive, reading };
}

const from = { address: '192.0.2.9', port: 4321 };

describe.each(cases)('$name $arch', (on) => {
  test('an IPv4 datagram: sender, payload, destination, interface', () => {
    const { receive, stats } = setUp(on);
    const [got] = receive([{ from, payload: 'hello', control: arrived4(on, '192.0.2.1', '192.0.2.1', 1) }]);
    expect(got.msg.toString()).toBe('hello');
    expect(got.rinfo).toEqual({
      address: '192.0.2.9',
      family: 'IPv4',
      port: 4321,
      size: 5,
      destination: { address: '192.0.2.1', family: 'IPv4', port: 53, ifindex: 1, interface: 'lo' },
      localAddress: '192.0.2.1',
    });
    expect(stats).toMatchObject({ destinationUnknown: 0, truncated: 0 });
  });

  test('an IPv6 datagram, with the zone of its link', () => {
    const { receive } = setUp(on);
    const peer = { address: 'fe80::9', port: 65535, scope: 1 };
    const [got] = receive([{ from: peer, payload: '', control: [pktinfo6(on, 'fe80::1', 1)] }]);
    expect(got.rinfo).toMatchObject({ address: 'fe80::9%lo', family: 'IPv6', port: 65535, size: 0 });
    expect(got.rinfo).toMatchObject({ localAddress: 'fe80::1%lo', destination: { address: 'fe80::1%lo', ifindex: 1 } });
    const [global] = receive([
      { from: { address: '2001:db8::9', port: 1 }, payload: 'x', control: [pktinfo6(on, '2001:db8::1', 7)] },
    ]);
    expect(global.rinfo).toMatchObject({ address: '2001:db8::9', localAddress: '2001:db8::1' });
    expect(global.rinfo.destination).toMatchObject({ address: '2001:db8::1', ifindex: 7, interface: undefined });
  });

  test('what is told twice counts once: IPv4 before IPv6, in either order', () => {
    const { receive } = setUp(on);
    const ipv4 = arrived4(on, '192.0.2.255', '192.0.2.1', 1);
    const ipv6 = pktinfo6(on, '::ffff:192.0.2.255', 1);
    const peer = { address: '::ffff:192.0.2.9', port: 4321 };
    const all = [[...ipv4, ipv6] as ControlMessage[], [ipv6, ...ipv4]].map(
      (control) => receive([{ from: peer, payload: 'x', control }], { mapped: true })[0].rinfo,
    );
    for (const rinfo of all) {
      expect(rinfo).toMatchObject({ address: '::ffff:192.0.2.9', family: 'IPv6' });
      expect(rinfo.destination).toMatchObject({ address: '::ffff:192.0.2.255', family: 'IPv6' });
    }
    expect(all[0].localAddress).toBe(all[1].localAddress);
    if (on.name === 'linux') expect(all[0].localAddress).toBe('::ffff:192.0.2.1');
  });

  test('only the mapped address in an IPv6 message', () => {
    const { receive } = setUp(on);
    const peer = { address: '::ffff:192.0.2.9', port: 4321 };
    const control = [pktinfo6(on, '::ffff:192.0.2.1', 1)];
    const [got] = receive([{ from: peer, payload: 'x', control }], { mapped: true });
    expect(got.rinfo).toMatchObject({ localAddress: '::ffff:192.0.2.1', destination: { family: 'IPv6' } });
  });

  test('lengths and flags are reset, batch after batch', () => {
    const { receive } = setUp(on, 4);
    const small = { from, payload: 'a', control: arrived4(on, '192.0.2.1', '192.0.2.1', 1) };
    const large = { from: { address: 'fe80::9', port: 1, scope: 1 }, payload: 'b', control: [pktinfo6(on, '::1', 1)] };
    for (let round = 0; round < 3; round++) {
      expect(receive([small]).length).toBe(1); // the fake kernel throws where a length shrank
      expect(receive([large, small, large, small]).length).toBe(4);
      expect(receive([-on.numbers.EAGAIN])).toEqual([]);
      expect(receive([small, large]).length).toBe(2);
    }
  });

  test('a longer datagram is cut, and says so', () => {
    const { receive, stats } = setUp(on, 2, 10);
    const control = arrived4(on, '192.0.2.1', '192.0.2.1', 1);
    const [cut, whole] = receive([
      { from, payload: '0123456789abc', control },
      { from, payload: '0123456789', control },
    ]);
    expect([cut.msg.toString(), cut.rinfo.size, cut.rinfo.truncated]).toEqual(['0123456789', 10, true]);
    expect([whole.msg.toString(), 'truncated' in whole.rinfo]).toEqual(['0123456789', false]);
    expect(stats.truncated).toBe(1);
  });

  test('cut-off control messages: the destination is not guessed', () => {
    const { receive, stats } = setUp(on);
    const control = arrived4(on, '192.0.2.1', '192.0.2.1', 1);
    const [got] = receive([{ from, payload: 'x', control, flags: on.numbers.MSG_CTRUNC }]);
    expect(got.rinfo).toMatchObject({ destination: undefined, localAddress: undefined, address: '192.0.2.9' });
    expect(stats.destinationUnknown).toBe(1);
  });

  test.each([
    ['nothing', () => []],
    ['0.0.0.0', (c: Case) => arrived4(c, '0.0.0.0', '0.0.0.0', 0)],
    ['::', (c: Case) => [pktinfo6(c, '::', 0)]],
  ])('%s is no destination', (_, control) => {
    const { receive, stats } = setUp(on);
    const [got] = receive([{ from, payload: 'x', control: control(on) }]);
    expect(got.rinfo).toMatchObject({ destination: undefined, localAddress: undefined });
    expect(stats.destinationUnknown).toBe(1);
  });

  test('a message of one datagram says nothing about the next', () => {
    const { receive } = setUp(on);
    const hoplimit = { level: 41, type: on.numbers.IPV6_HOPLIMIT, data: Buffer.from([9, 0, 0, 0]) };
    const first = { from, payload: 'x', control: [...arrived4(on, '192.0.2.1', '192.0.2.1', 1), hoplimit] };
    const [told, untold] = receive([first, { from, payload: 'y' }], { extras: EXTRAS });
    expect(told.rinfo).toMatchObject({ ttl: 9, localAddress: '192.0.2.1' });
    expect(untold.rinfo).toMatchObject({ localAddress: undefined });
    expect('ttl' in untold.rinfo).toBe(false);
  });

  test('multicast is reported, and not answered from', () => {
    const { receive } = setUp(on);
    const [v4, v6] = receive([
      { from, payload: 'x', control: arrived4(on, '239.1.2.3', on.name === 'linux' ? '192.0.2.1' : '0.0.0.0', 1) },
      { from: { address: '2001:db8::9', port: 9 }, payload: 'x', control: [pktinfo6(on, 'ff02::fb', 1)] },
    ]);
    expect(v4.rinfo.destination?.address).toBe('239.1.2.3');
    expect(v4.rinfo.localAddress).toBe(on.name === 'linux' ? '192.0.2.1' : undefined);
    expect(v6.rinfo).toMatchObject({ localAddress: undefined, destination: { address: 'ff02::fb' } });
  });
});

describe.each(cases)('$name $arch: what repeats is read once', (on) => {
  const peers = [
    from,
    { address: '192.0.2.9', port: 4322 },
    { address: '192.0.2.10', port: 4321 },
    { address: '::ffff:192.0.2.9', port: 4321 },
    { address: '2001:db8::9', port: 4321 },
    { address: 'fe80::9', port: 4321, scope: 1 },
    { address: 'fe80::9', port: 4321, scope: 2 },
  ];
  const hoplimit = { level: 41, type: on.numbers.IPV6_HOPLIMIT, data: Buffer.from([9, 0, 0, 0]) };
  const controls: ControlMessage[][] = [
    [],
    arrived4(on, '192.0.2.1', '192.0.2.1', 1),
    arrived4(on, '192.0.2.2', '192.0.2.2', 1),
    arrived4(on, '192.0.2.1', '192.0.2.1', 2),
    [...arrived4(on, '192.0.2.1', '192.0.2.1', 1), hoplimit],
    [pktinfo6(on, '2001:db8::1', 1)],
    [pktinfo6(on, 'fe80::1', 2)],
  ];
  const datagram = fc.record({
    from: fc.constantFrom(...peers),
    control: fc.constantFrom(...controls),
    payload: fc.constantFrom('', 'x', 'xyz'),
    flags: fc.constantFrom(0, 0, 0, on.numbers.MSG_CTRUNC),
    socket: fc.constantFrom(0, 1),
    renamed: fc.constantFrom(true, false, false, false),
    moved: fc.constantFrom(true, false, false),
    times: fc.integer({ min: 1, max: 3 }),
  });

  test('whatever comes in whatever order, it is read as by somebody who has read nothing before', () => {
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 30, size: 'max' }), (sequence) => {
        const one = setUp(on);
        const sockets = [one.reading, { ...one.reading, port: 5353, mapped: true, extras: EXTRAS }];
        for (const { socket, renamed, moved, times, ...incoming } of sequence) {
          if (moved) sockets[socket].port ^= 1; // it was disconnected, and Linux took the port back
          if (renamed) {
            const { interfaces } = one.host.syscalls;
            interfaces.set(2, interfaces.get(2) === 'eth0' ? 'wlan0' : 'eth0');
            one.clock.now += 10_000;
            one.names.refresh();
          }
          const read = ({ receiver, host, fd }: ReturnType<typeof setUp>) => {
            host.syscalls.sockets.get(fd)!.incoming.push(incoming);
            receiver.receive(fd, 4);
            const rinfo = receiver.rinfo(0, sockets[socket]);
            return { rinfo, msg: receiver.message(0, rinfo.size, true) };
          };
          for (let i = 0; i < times; i++) {
            const fresh = setUp(on);
            for (const [ifindex, name] of one.host.syscalls.interfaces)
              fresh.host.syscalls.interfaces.set(ifindex, name);
            expect(read(one)).toEqual(read(fresh));
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

test('a socket that has another port than when the datagram before came', () => {
  const { host, fd, receiver, reading } = setUp(linux64);
  const ports = [53, 5353, 53].map((port) => {
    host.syscalls.sockets.get(fd)!.incoming.push({
      from,
      payload: 'x',
      control: arrived4(linux64, '192.0.2.1', '192.0.2.1', 1),
    });
    receiver.receive(fd, 4);
    return receiver.rinfo(0, Object.assign(reading, { port })).destination?.port;
  });
  expect(ports).toEqual([53, 5353, 53]);
});

test('messages belong to the listener: the next batch leaves them as they were', () => {
  const { receive } = setUp(linux64, 2);
  const [first] = receive([{ from, payload: 'first' }]);
  receive([{ from, payload: 'second' }]);
  expect(first.msg.toString()).toBe('first');
});

test('at most `limit` datagrams are taken from a shared descriptor', () => {
  const { receiver, fd, host } = setUp(linux64, 4);
  const { incoming } = host.syscalls.sockets.get(fd)!;
  incoming.push({ from, payload: 'a' }, { from, payload: 'b' });
  expect(receiver.receive(fd, 1)).toBe(1);
  expect(incoming.length).toBe(1);
});

test('metadata comes when asked for, and is absent where the kernel did not say', () => {
  const { receive, stats } = setUp(linux64);
  const int = (value: number) => {
    const data = Buffer.alloc(4);
    data.writeUInt32LE(value);
    return data;
  };
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(1_700_000_000n);
  time.writeBigInt64LE(999_999_999n, 8);
  const control = [
    { level: 0, type: 2, data: int(63) }, // IP_TTL
    { level: 0, type: 1, data: Buffer.from([0xba]) }, // IP_TOS, one byte
    { level: 1, type: 35, data: time }, // SCM_TIMESTAMPNS
    { level: 1, type: 40, data: int(0xfffffffe) }, // SO_RXQ_OVFL
  ];
  const all = { extras: EXTRAS };
  const [told, untold] = receive(
    [
      { from, payload: 'x', control },
      { from, payload: 'y' },
    ],
    all,
  );
  expect(told.rinfo).toMatchObject({ ttl: 63, tos: 0xba, ecn: 2, drops: 0xfffffffe });
  expect(told.rinfo.timestamp).toBe(1_700_000_000_999_999_999n);
  expect(Object.keys(untold.rinfo)).toEqual([
    'address',
    'family',
    'port',
    'size',
    'destination',
    'localAddress',
    'drops',
  ]);
  const [unasked] = receive([{ from, payload: 'x', control }]);
  expect(Object.keys(unasked.rinfo)).not.toContain('ttl');
  receive([{ from, payload: 'x', control }], all);
  expect(stats.droppedByKernel).toBe(0xfffffffe);
});
