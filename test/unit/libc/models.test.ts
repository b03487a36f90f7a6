/** recvfromto/libc on the kernel model of every system: the script of the article, and the same by hand. */
import { ERROR, READABLE } from '../../../src/ffi';
import type { Libc } from '../../../src/libc/libc';
import type { Cmsghdr, Struct } from '../../../src/libc/struct-types';
import type { ReceivedFromTo } from '../../../src/libc/types';
import { models, PORT, World } from '../../models/world';
import { libcOn } from './model';

describe.each(models)('%s', (name) => {
  let world: World;
  let libc: Libc;
  beforeEach(() => {
    world = new World(name);
    libc = libcOn(world);
  });
  afterEach(() => world.close());

  const [os] = name.split('-');
  const linux = os === 'linux' || os === 'android';
  const dualStack = os !== 'openbsd' && os !== 'netbsd';
  const windows = os === 'win32';

  function open(family: 'AF_INET' | 'AF_INET6', address?: string): number {
    const { constants } = world.platform;
    const fd = libc.descriptors.socket(constants[family], constants.SOCK_DGRAM, 0);
    libc.descriptors.bind(fd, { address, port: PORT });
    return fd;
  }

  /** Answers what waits, as examples/libc/recvfromto.js does. */
  function echo(fd: number): ReceivedFromTo[] {
    const all: ReceivedFromTo[] = [];
    for (;;) {
      const received = libc.datagrams.recvfromto(fd, { dontwait: true });
      if (received === undefined) return all;
      all.push(received);
      libc.datagrams.sendfromto(fd, received.msg, { to: received.from, from: received.to });
    }
  }

  const on = (index: number) => ({ ifindex: index, interface: world.machine.byIndex(index)?.name });

  test('IPv4: each address answers as itself, near and far, and is told with its interface', () => {
    const fd = open('AF_INET');
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      world.near.send(address, PORT, 'x');
      world.far.send(address, PORT, 'y');
    }
    world.side.send('10.1.0.2', PORT, 'z');
    const seen = echo(fd);
    const answers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
    expect(world.near.heard).toEqual(answers.map((address) => `x from ${address}`));
    expect(world.far.heard).toEqual(answers.map((address) => `y from ${address}`));
    expect(world.side.heard).toEqual(['z from 10.1.0.2']);
    expect(seen[0]).toEqual({
      msg: Buffer.from('x'),
      from: { address: '10.0.0.9', family: 'IPv4', port: 4000 },
      to: { address: '10.0.0.1', family: 'IPv4', port: PORT, localAddress: '10.0.0.1' },
      ...on(3),
    });
    expect(seen.at(-1)).toMatchObject(on(0x102));
  });

  test('IPv6: each address answers as itself, and link-local ones on their link', () => {
    const fd = open('AF_INET6', '::');
    const zone = world.zone(3);
    world.near.send('2001:db8::2', PORT, 'a');
    world.near.send('fe80::2', PORT, 'b', { source: 'fe80::9' });
    world.own.send('::1', PORT, 'c');
    const seen = echo(fd);
    expect(world.near.heard).toEqual(['a from 2001:db8::2', 'b from fe80::2']);
    expect(world.own.heard).toEqual(['c from ::1']);
    expect(seen.map(({ from, to }) => [from.address, to?.address])).toEqual([
      ['2001:db8::9', '2001:db8::2'],
      [`fe80::9%${zone}`, `fe80::2%${zone}`],
      ['::1', '::1'],
    ]);
  });

  const withBoth = dualStack ? test : undefined;
  withBoth?.('one socket hears IPv6 and, as ::ffff:, IPv4', () => {
    const fd = open('AF_INET6');
    world.near.send('10.0.0.2', PORT, 'a');
    world.near.send('2001:db8::2', PORT, 'b');
    const seen = echo(fd);
    expect(seen.map(({ to }) => to?.address)).toEqual(['::ffff:10.0.0.2', '2001:db8::2']);
    expect(world.near.heard).toEqual(['a from 10.0.0.2', 'b from 2001:db8::2']);
  });

  test("a broadcast is answered from the interface's own address, a group from a unicast one", () => {
    const fd = open('AF_INET');
    const { constants, structs } = world.platform;
    const mreq = new libc.structs.ip_mreq({ imr_multiaddr: '239.1.2.3', imr_interface: '10.1.0.1' });
    expect(structs.ip_mreq.size).toBe(mreq.buffer.length);
    libc.descriptors.setsockopt(fd, constants.IPPROTO_IP, constants.IP_ADD_MEMBERSHIP, mreq);
    world.near.send('10.0.0.255', PORT, 'who');
    world.side.send('239.1.2.3', PORT, 'group');
    const [broadcast, group] = echo(fd);
    expect(broadcast?.to).toMatchObject({ address: '10.0.0.255', localAddress: '10.0.0.1' });
    expect(group?.to).toMatchObject({ address: '239.1.2.3', localAddress: linux ? '10.1.0.1' : undefined });
    expect(world.near.heard).toEqual(['who from 10.0.0.1']);
    expect(world.side.heard).toEqual(['group from 10.1.0.1']);
  });

  test('a source that is no address of this host is EADDRNOTAVAIL, and nothing else changes', () => {
    const fd = open('AF_INET');
    const to = { address: '10.0.0.9', port: 4000 };
    expect(() => libc.datagrams.sendfromto(fd, 'x', { to, from: { address: '10.0.0.77' } })).toThrow(
      expect.objectContaining({
        code: 'EADDRNOTAVAIL',
        syscall: 'sendfromto',
        ...to,
        localAddress: '10.0.0.77',
        message: 'sendfromto EADDRNOTAVAIL 10.0.0.9:4000 from 10.0.0.77',
      }),
    );
    expect(libc.datagrams.sendfromto(fd, 'fine', { to, from: { address: '10.0.0.3' } })).toBe(4);
    expect(world.near.heard).toEqual(['fine from 10.0.0.3']);
  });

  test('a source of the other family, a group and an unspecified address are refused', () => {
    const fd = open('AF_INET');
    for (const address of ['::1', '239.1.2.3', '255.255.255.255', '0.0.0.0']) {
      const send = () =>
        libc.datagrams.sendfromto(fd, 'x', { to: { address: '10.0.0.9', port: 4000 }, from: { address } });
      expect(send).toThrow(expect.objectContaining({ code: 'ERR_RECVFROMTO_SOURCE_MISMATCH' }));
    }
    expect(world.near.heard).toEqual([]);
  });

  test('on a socket that is bound to an address that one is the source, and another is refused or used', () => {
    const fd = open('AF_INET', '10.0.0.2');
    const to = { address: '10.0.0.9', port: 4000 };
    expect(libc.datagrams.sendfromto(fd, 'x', { to, from: { address: '10.0.0.2' } })).toBe(1);
    expect(world.near.heard).toEqual(['x from 10.0.0.2']);
    const other = () => libc.datagrams.sendfromto(fd, 'y', { to, from: { address: '10.0.0.3' } });
    if (world.platform.quirks.sourceOnlyFromWildcard) {
      expect(other).toThrow(expect.objectContaining({ code: 'ERR_RECVFROMTO_SOURCE_MISMATCH' }));
    } else {
      expect(other()).toBe(1);
      expect(world.near.heard).toEqual(['x from 10.0.0.2', 'y from 10.0.0.3']);
    }
  });

  test('an interface chooses the way of an IPv6 datagram to a group; where it cannot of an IPv4 one, that is an error', () => {
    const fd6 = open('AF_INET6', '::');
    const group6 = { address: 'ff05::1234', port: 4001 };
    const eth1 = world.machine.byIndex(0x102)?.name as string;
    libc.datagrams.sendfromto(fd6, 'by name', { to: group6, interface: windows ? 0x102 : eth1 });
    libc.datagrams.sendfromto(fd6, 'by index', { to: group6, interface: 0x102 });
    expect(world.side.inbox.map(({ payload }) => String(payload))).toEqual(['by name', 'by index']);
    libc.descriptors.close(fd6);
    const fd4 = open('AF_INET');
    const send = () =>
      libc.datagrams.sendfromto(fd4, 'x', { to: { address: '239.1.2.3', port: 4001 }, interface: 0x102 });
    if (linux) expect(send()).toBe(1);
    else expect(send).toThrow(expect.objectContaining({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM' }));
  });

  test('connect, getpeername, and back to nobody', () => {
    const fd = open('AF_INET');
    expect(() => libc.descriptors.getpeername(fd)).toThrow(expect.objectContaining({ code: 'ENOTCONN' }));
    libc.descriptors.connect(fd, { address: '10.0.0.9', port: 4000 });
    expect(libc.descriptors.getpeername(fd)).toEqual({ address: '10.0.0.9', family: 'IPv4', port: 4000 });
    expect(libc.datagrams.sendfromto(fd, 'x')).toBe(1);
    expect(world.near.heard).toEqual(['x from 10.0.0.1']);
    libc.descriptors.connect(fd, null);
    expect(() => libc.descriptors.getpeername(fd)).toThrow(expect.objectContaining({ code: 'ENOTCONN' }));
  });

  test('a datagram that is longer than there is room for is cut, and says so; msg owns its bytes', () => {
    const fd = open('AF_INET');
    world.near.send('10.0.0.2', PORT, 'hello');
    world.near.send('10.0.0.2', PORT, 'world');
    const first = libc.datagrams.recvfromto(fd, { length: 3 });
    const second = libc.datagrams.recvfromto(fd);
    expect([String(first?.msg), first?.truncated]).toEqual(['hel', true]);
    expect([String(second?.msg), second?.truncated]).toEqual(['world', undefined]);
  });

  test('a destination whose control messages were cut is unknown, and none of the rest is believed', () => {
    const fd = open('AF_INET');
    const { SOL_SOCKET } = world.platform.constants;
    world.kernel.noise.after.push({ level: SOL_SOCKET, type: 0x7777, data: Buffer.alloc(2048) });
    world.near.send('10.0.0.2', PORT, 'x');
    const received = libc.datagrams.recvfromto(fd);
    expect([String(received?.msg), received?.to, received?.ifindex]).toEqual(['x', undefined, 0]);
    expect(libc.datagrams.sendfromto(fd, 'y', { to: received?.from, from: received?.to })).toBe(1);
    expect(world.near.heard).toEqual(['y from 10.0.0.1']); // the kernel's choice
  });

  test('large datagrams leave', () => {
    const fd = open('AF_INET');
    const large = Buffer.alloc(60_000, 'x');
    expect(libc.datagrams.sendfromto(fd, large, { to: { address: '10.0.0.9', port: 4000 } })).toBe(60_000);
    expect(world.near.inbox[0]?.payload.equals(large)).toBe(true);
  });

  test('the time runs out, and there is no datagram', () => {
    const fd = open('AF_INET');
    expect(libc.datagrams.recvfromto(fd, { timeout: 5 })).toBeUndefined();
    expect(libc.datagrams.recvfromto(fd, { timeout: 0 })).toBeUndefined();
  });

  test('an error that stays beside an empty queue is not looked at without a pause', () => {
    const fd = open('AF_INET');
    let polls = 0;
    world.kernel.poll = () => {
      polls++;
      return ERROR | READABLE;
    };
    expect(libc.datagrams.recvfromto(fd, { timeout: 100 })).toBeUndefined();
    expect(polls).toBeGreaterThan(0);
    expect(polls).toBeLessThan(30);
  });

  test('poll tells what is readable', () => {
    const { POLLIN } = world.platform.constants as Record<string, number>;
    const entries = [open('AF_INET', '10.0.0.2'), open('AF_INET', '10.0.0.3'), -1].map((fd) => ({
      fd,
      events: POLLIN,
    }));
    expect(libc.descriptors.poll(entries, 0)).toBe(0);
    world.near.send('10.0.0.3', PORT, 'x');
    expect(libc.descriptors.poll(entries, 0)).toBe(1);
    const revents = entries.map((entry) => (entry as { revents?: number }).revents ?? -1);
    expect(revents.map((bits) => (bits & POLLIN) !== 0)).toEqual([false, true, false]);
  });

  test('by hand: recvmsg tells the destination in the struct of this system, sendmsg takes the source from one', () => {
    const fd = open('AF_INET');
    world.near.send('10.0.0.2', PORT, 'hello');
    const { structs, control, messages } = libc;
    const name = new structs.sockaddr_storage();
    const data = Buffer.alloc(64);
    const request = messageOf(libc, windows, { name, data, control: Buffer.alloc(256) });
    expect(messages.recvmsg(fd, request.struct, 0)).toBe(5);
    const peer = new structs.sockaddr_in(name);
    expect([peer.sin_addr, peer.sin_port, data.toString('latin1', 0, 5)]).toEqual(['10.0.0.9', 4000, 'hello']);

    const { departures, arrivals, constants: c } = world.platform;
    const wanted = arrivals.find(
      ({ level, type }) => level === c.IPPROTO_IP && [c.IP_PKTINFO, c.IP_RECVDSTADDR].includes(type),
    );
    const headers: (Cmsghdr & Struct)[] = [];
    for (
      let cmsg = control.CMSG_FIRSTHDR(request.struct);
      cmsg !== null;
      cmsg = control.CMSG_NXTHDR(request.struct, cmsg)
    ) {
      headers.push(cmsg);
    }
    const found = headers.find(
      ({ cmsg_level, cmsg_type }) => cmsg_level === wanted?.level && cmsg_type === wanted.type,
    );
    expect(found).toBeDefined();
    const payload = control.CMSG_DATA(found as Cmsghdr & Struct);
    expect(wanted?.type === c.IP_PKTINFO ? new structs.in_pktinfo(payload).ipi_addr : payload.join('.')).toBe(
      '10.0.0.2',
    );

    const { level, type, size } = departures.udp4;
    const source = Buffer.alloc(control.CMSG_SPACE(size));
    const answer = messageOf(libc, windows, { name: peer, data: Buffer.from('HELLO'), control: source });
    const cmsg = control.CMSG_FIRSTHDR(answer.struct) as Cmsghdr & Struct;
    Object.assign(cmsg, { cmsg_len: control.CMSG_LEN(size), cmsg_level: level, cmsg_type: type });
    if (type !== c.IP_PKTINFO) control.CMSG_DATA(cmsg).set([10, 0, 0, 2]);
    else
      new structs.in_pktinfo(
        control.CMSG_DATA(cmsg),
        windows ? { ipi_addr: '10.0.0.2' } : { ipi_spec_dst: '10.0.0.2' },
      );
    expect(messages.sendmsg(fd, answer.struct, 0)).toBe(5);
    expect(world.near.heard).toEqual(['HELLO from 10.0.0.2']);
  });

  test('close() closes what socket() returned, once, and nothing else', () => {
    const fd = open('AF_INET');
    const foreign = world.kernel.socket(world.platform.constants.AF_INET);
    expect(() => libc.descriptors.close(foreign)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    expect(world.kernel.sockets.has(foreign)).toBe(true);
    libc.descriptors.close(fd);
    expect(world.kernel.sockets.has(fd)).toBe(false);
    expect(() => libc.descriptors.close(fd)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'close' }));
  });

  test('a descriptor that a Socket has taken over is its to close', async () => {
    const on = libcOn(world);
    const fd = on.descriptors.socket(world.platform.constants.AF_INET, world.platform.constants.SOCK_DGRAM, 0);
    on.descriptors.bind(fd, { port: PORT });
    const { messages } = await world.adopt({ type: 'udp4' }, fd);
    on.calls.nonBlocking.add(fd); // as adopt() of the system does
    world.near.send('10.0.0.2', PORT, 'x');
    await world.quiet();
    expect(messages).toHaveLength(1);
    expect(() => on.descriptors.close(fd)).toThrow(/belongs to the Socket/);
  });
});

/** A msghdr or a WSAMSG around the same parts. */
function messageOf(
  { structs }: Libc,
  windows: boolean,
  { name, data, control }: { name: Struct; data: Buffer; control: Buffer },
) {
  const struct = windows
    ? new structs.WSAMSG({ name, lpBuffers: new structs.WSABUF({ buf: data }), Control: { buf: control } as never })
    : new structs.msghdr({ msg_name: name, msg_iov: new structs.iovec({ iov_base: data }), msg_control: control });
  return { struct };
}
