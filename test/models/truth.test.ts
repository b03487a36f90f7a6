/**
 * The models beside what ran: the network stacks of XNU 7195.141.2 (macOS 11.5) and of FreeBSD 13.0, compiled for user
 * space, did these things with messages of ours. One test per case in which the models had been wrong; where only one of
 * the two is named, the other does as it is written in its sources. Linux's were run on 6.18.
 */
import { int32 } from './abi';
import type { FreeBSDKernel } from './bsd';
import type { DarwinKernel } from './darwin';
import { bytesOf, isMulticast } from './net';
import { controls, errnoOf, type RawReceived, receiveRaw, sendRaw } from './raw';
import { PORT, World } from './world';

const XNU = 'darwin-arm64';
const FREEBSD = 'freebsd-x64';
const octets = (address: string) => Buffer.from(bytesOf(address));

interface Opened {
  readonly family?: 4 | 6;
  /** undefined: not bound */
  readonly address?: string;
  readonly port?: number;
  readonly v6only?: boolean;
  readonly options?: readonly (readonly [level: string, name: string, value?: number])[];
}

function openIn(world: World) {
  const { kernel } = world;
  const { facts, abi } = kernel;
  const set = (fd: number, level: string, name: string, value = 1) =>
    kernel.setsockopt(fd, facts.number(level), facts.number(name), int32(value));
  const open = ({ family = 4, address, port = PORT, v6only = false, options = [] }: Opened = {}) => {
    const fd = kernel.socket(facts.number(family === 4 ? 'AF_INET' : 'AF_INET6'));
    if (family === 6) expect(set(fd, 'IPPROTO_IPV6', 'IPV6_V6ONLY', v6only ? 1 : 0)).toBe(0);
    for (const option of options) expect(set(fd, ...option)).toBe(0);
    return { fd, bound: address === undefined ? 0 : kernel.bind(fd, abi.writeName(family, address, port)) };
  };
  const opened = (how: Opened = { address: '0.0.0.0' }) => {
    const { fd, bound } = open(how);
    expect(bound).toBe(0);
    return fd;
  };
  const name = (family: 4 | 6, address: string, port = 4000) => abi.writeName(family, address, port);
  const code = (result: number) => (result < 0 ? errnoOf(facts, result) : 'ok');
  const unspecified = () => {
    const bytes = name(4, '0.0.0.0', 0);
    bytes.fill(0, facts.saLen ? 1 : 0, 2);
    return bytes;
  };
  const source4 = (address: string) =>
    facts.os === 'darwin'
      ? (['IPPROTO_IP', 'IP_PKTINFO', abi.struct('in_pktinfo', { ipi_spec_dst: octets(address) })] as const)
      : (['IPPROTO_IP', 'IP_SENDSRCADDR', octets(address)] as const);
  const source6 = (address: string, ipi6_ifindex = 0) =>
    ['IPPROTO_IPV6', 'IPV6_PKTINFO', abi.struct('in6_pktinfo', { ipi6_addr: octets(address), ipi6_ifindex })] as const;
  return { kernel, facts, abi, set, open, opened, name, code, unspecified, source4, source6 };
}

function first(messages: RawReceived[] | string): RawReceived {
  if (typeof messages === 'string') throw new Error(messages);
  return messages[0];
}

/** What came with one datagram: the family of its name, how many control messages. */
function received(world: World, fd: number) {
  const messages = receiveRaw(world.kernel, fd);
  if (typeof messages === 'string') return messages;
  const [{ name, control }] = messages;
  return [name.length === world.kernel.abi.sockaddrSize[4] ? 'sockaddr_in' : 'sockaddr_in6', control.length];
}

describe.each([XNU, FREEBSD])('%s', (os) => {
  let world: World;
  let on: ReturnType<typeof openIn>;
  beforeEach(() => {
    world = new World(os);
    on = openIn(world);
  });

  const asked = [['IPPROTO_IPV6', 'IPV6_RECVPKTINFO']] as const;

  test('an AF_INET6 socket that is bound to a mapped address brings sockaddr_in names and no control messages', () => {
    for (const [address, port] of [
      ['10.0.0.2', PORT],
      ['0.0.0.0', PORT + 1],
    ] as const) {
      const fd = on.opened({ family: 6, address, port, options: asked });
      world.near.send('10.0.0.2', port, 'x');
      expect(received(world, fd)).toEqual(['sockaddr_in', 0]);
      world.near.send('2001:db8::2', port, 'not heard');
      expect(received(world, fd)).toBe('EAGAIN');
    }
    const plain = on.opened({ family: 6, address: '::', port: PORT + 2, options: asked });
    world.near.send('10.0.0.2', PORT + 2, 'x');
    expect(received(world, plain)).toEqual(['sockaddr_in6', 1]);
  });

  test('so does one that is connected to a mapped address', () => {
    const fd = on.opened({ family: 6, address: '::', options: asked });
    expect(on.kernel.connect(fd, on.name(6, '10.0.0.9'))).toBe(0);
    world.near.send('10.0.0.1', PORT, 'x');
    expect(received(world, fd)).toEqual(['sockaddr_in', 0]);
  });

  test.each([
    ['10.0.0.9', ['10.0.0.2'], 4],
    ['2001:db8::9', ['2001:db8::2'], 6],
  ] as const)('a dual-stack socket that was connected to %s hears one family after disconnecting', (peer, heard, family) => {
    const fd = on.opened({ family: 6, address: '::' });
    expect(on.kernel.connect(fd, on.name(6, peer))).toBe(0);
    on.kernel.connect(fd, on.unspecified());
    for (const address of ['10.0.0.2', '2001:db8::2']) world.near.send(address, PORT, address);
    const messages = receiveRaw(world.kernel, fd, { count: 4 });
    expect(typeof messages === 'string' ? messages : messages.map(({ payload }) => payload)).toEqual(heard);
    expect(on.kernel.sockets.get(fd)?.only).toBe(family);
  });

  test('IPv6 groups are heard by a wildcard socket that has not joined, once any other has', () => {
    const fd = on.opened({ family: 6, address: '::', v6only: true });
    world.near.send('ff02::fb', PORT, 'nobody has joined');
    expect(receiveRaw(world.kernel, fd)).toBe('EAGAIN');
    const other = on.opened({ family: 6, address: '::', port: 9, v6only: true });
    const ipv6_mreq = on.abi.struct('ipv6_mreq', { ipv6mr_multiaddr: octets('ff02::fb'), ipv6mr_interface: 3 });
    const { facts } = on;
    on.kernel.setsockopt(other, facts.number('IPPROTO_IPV6'), facts.number('IPV6_JOIN_GROUP'), ipv6_mreq);
    world.near.send('ff02::fb', PORT, 'joined elsewhere');
    expect(receiveRaw(world.kernel, fd)).toMatchObject([{ payload: 'joined elsewhere' }]);
  });

  test("IPv4's are not", () => {
    const fd = on.opened();
    const other = on.opened({ address: '0.0.0.0', port: 9 });
    const ip_mreq = on.abi.struct('ip_mreq', { imr_multiaddr: octets('239.1.2.3'), imr_interface: octets('10.0.0.1') });
    const { facts } = on;
    on.kernel.setsockopt(other, facts.number('IPPROTO_IP'), facts.number('IP_ADD_MEMBERSHIP'), ip_mreq);
    world.near.send('239.1.2.3', PORT, 'x');
    expect(receiveRaw(world.kernel, fd)).toBe('EAGAIN');
  });

  test("IPV6_PKTINFO with an index alone and no route there: that interface's address, by the route", () => {
    const fd = on.opened({ family: 6, address: '::', v6only: true });
    const control = controls(on.abi, [...on.source6('::', 0x102)]);
    expect(sendRaw(on.kernel, fd, { name: on.name(6, '2001:db8::9'), control })).toBe('ok');
    expect(world.near.heard).toEqual(['raw from 2001:db8:1::1']);
  });

  test("udp4's wildcard, then a dual-stack wildcard on the same port, without SO_REUSEADDR: both are bound", () => {
    on.opened();
    expect(on.code(on.open({ family: 6, address: '::' }).bound)).toBe('ok');
  });

  test('SO_REUSEPORT on the second socket is enough', () => {
    on.opened();
    expect(on.code(on.open({ address: '0.0.0.0' }).bound)).toBe('EADDRINUSE');
    const options = [['SOL_SOCKET', 'SO_REUSEPORT']] as const;
    expect(on.code(on.open({ address: '0.0.0.0', options }).bound)).toBe('ok');
  });

  test('SO_REUSEADDR is enough for an address beside the wildcard, not for the same', () => {
    on.opened();
    const options = [['SOL_SOCKET', 'SO_REUSEADDR']] as const;
    expect(on.code(on.open({ address: '10.0.0.2', options }).bound)).toBe('ok');
    expect(on.code(on.open({ address: '0.0.0.0', options }).bound)).toBe('EADDRINUSE');
  });

  test('255.255.255.255 cannot be bound', () => {
    expect(on.code(on.open({ address: '255.255.255.255' }).bound)).toBe('EADDRNOTAVAIL');
  });

  test('SCM_TIMESTAMP comes first', () => {
    const destination = os === XNU ? 'IP_PKTINFO' : 'IP_RECVDSTADDR';
    const options = [
      ['IPPROTO_IP', destination],
      ['SOL_SOCKET', 'SO_TIMESTAMP'],
    ] as const;
    const fd = on.opened({ address: '0.0.0.0', options });
    world.near.send('10.0.0.2', PORT, 'x');
    const { control } = first(receiveRaw(world.kernel, fd));
    expect(control.map(({ type }) => type)).toEqual([on.facts.number('SCM_TIMESTAMP'), on.facts.number(destination)]);
  });

  test("IP_RECVIF's sockaddr_dl is whole", () => {
    const fd = on.opened({ address: '0.0.0.0', options: [['IPPROTO_IP', 'IP_RECVIF']] });
    world.near.send('10.0.0.2', PORT, 'x');
    const { control } = first(receiveRaw(world.kernel, fd));
    const [{ data }] = control;
    const length = os === XNU ? 20 : 56;
    expect([data.length, data[0], data.readUInt16LE(2)]).toEqual([length, length, 3]);
  });

  test('port 0 is no destination (IPv4)', () => {
    expect(sendRaw(on.kernel, on.opened(), { name: on.name(4, '10.0.0.9', 0) })).toBe('EADDRNOTAVAIL');
  });

  test('a default receive queue holds fewer datagrams with each control message', () => {
    const room = (...options: string[]) => {
      const fresh = new World(os);
      const with_ = openIn(fresh);
      const fd = with_.opened({
        address: '0.0.0.0',
        options: [
          ['SOL_SOCKET', 'SO_RCVBUF', 42080],
          ...options.map((name) => ['IPPROTO_IP', name] as [string, string]),
        ],
      });
      for (let i = 0; i < 700; i++) fresh.near.send('10.0.0.2', PORT, 'x'.repeat(40));
      return fresh.kernel.sockets.get(fd)?.queue.length;
    };
    if (os === XNU) {
      expect([room(), room('IP_PKTINFO')]).toEqual([658, 439]);
    } else {
      const whole = ['IP_RECVDSTADDR', 'IP_RECVIF'];
      const rooms = [room(), room('IP_RECVDSTADDR'), room(...whole), room(...whole, 'IP_RECVTTL', 'IP_RECVTOS')];
      expect(rooms).toEqual([658, 439, 276, 210]);
    }
  });
});

describe(XNU, () => {
  let world: World;
  let on: ReturnType<typeof openIn>;
  beforeEach(() => {
    world = new World(XNU);
    on = openIn(world);
  });

  test('an IPv4 source is routed on its own interface, EHOSTUNREACH where that has no route to the peer', () => {
    const fd = on.opened();
    const control = controls(on.abi, [...on.source4('10.1.0.2')]);
    expect(sendRaw(on.kernel, fd, { name: on.name(4, '10.0.0.9'), control })).toBe('EHOSTUNREACH');
    expect(sendRaw(on.kernel, fd, { name: on.name(4, '10.1.0.9', 4001), control })).toBe('ok');
    expect(world.side.heard).toEqual(['raw from 10.1.0.2']);
  });

  test('a socket with IPV6_V6ONLY sends to a mapped peer, as IPv4', () => {
    const fd = on.opened({ family: 6, address: '::', v6only: true });
    expect(sendRaw(on.kernel, fd, { name: on.name(6, '10.0.0.9') })).toBe('ok');
    expect(world.near.heard).toEqual(['raw from 10.0.0.1']);
  });

  test("a subnet's broadcast address is accepted as a source", () => {
    const control = controls(on.abi, [...on.source4('10.0.0.255')]);
    expect(sendRaw(on.kernel, on.opened(), { name: on.name(4, '10.0.0.9'), control })).toBe('ok');
    expect(world.near.heard).toEqual(['raw from 10.0.0.255']);
  });

  test('zeros behind a control message, and one that is cut, are ignored', () => {
    const good = controls(on.abi, [...on.source4('10.0.0.2')]);
    const fd = on.opened();
    const name = on.name(4, '10.0.0.9');
    for (const control of [Buffer.concat([good, Buffer.alloc(12)]), good.subarray(0, good.length - 4)]) {
      expect(sendRaw(on.kernel, fd, { name, control })).toBe('ok');
    }
    expect(world.near.heard).toEqual(['raw from 10.0.0.2', 'raw from 10.0.0.1']);
  });

  test('newer kernels (read): with an AF_INET name the control messages come', () => {
    (world.kernel as DarwinKernel).xnu = 8019;
    const options = [['IPPROTO_IPV6', 'IPV6_RECVPKTINFO']] as const;
    const fd = on.opened({ family: 6, address: '10.0.0.2', options });
    world.near.send('10.0.0.2', PORT, 'x');
    expect(received(world, fd)).toEqual(['sockaddr_in', 1]);
  });

  test('newer kernels (read): what has been connected to a mapped peer is connected to no IPv6 peer any more', () => {
    for (const [xnu, outcome] of [
      [8019, 'ok'],
      [11417, 'EINVAL'],
    ] as const) {
      (world.kernel as DarwinKernel).xnu = xnu;
      const fd = on.opened({ family: 6, address: '::', port: PORT + xnu });
      expect(on.kernel.connect(fd, on.name(6, '10.0.0.9'))).toBe(0);
      on.kernel.connect(fd, on.unspecified());
      expect(on.code(on.kernel.connect(fd, on.name(6, '2001:db8::9')))).toBe(outcome);
    }
  });

  test('of two sources in one send the first counts', () => {
    const control = controls(on.abi, [...on.source4('10.0.0.2')], [...on.source4('10.0.0.3')]);
    expect(sendRaw(on.kernel, on.opened(), { name: on.name(4, '10.0.0.9'), control })).toBe('ok');
    expect(world.near.heard).toEqual(['raw from 10.0.0.2']);
  });
});

describe(FREEBSD, () => {
  let world: World;
  let on: ReturnType<typeof openIn>;
  beforeEach(() => {
    world = new World(FREEBSD);
    on = openIn(world);
  });

  test('msg_flags that a receive has left are no error in a send', () => {
    const fd = on.opened();
    for (const flags of [0x10, 0x80, 0x1000, 0x80000]) {
      expect(sendRaw(on.kernel, fd, { name: on.name(4, '10.0.0.9'), flags })).toBe('ok');
    }
  });

  test("IPV6_PKTINFO with an address and another interface's index is EADDRNOTAVAIL", () => {
    const fd = on.opened({ family: 6, address: '::', v6only: true });
    const send = (ifindex: number) =>
      sendRaw(on.kernel, fd, {
        name: on.name(6, '2001:db8::9'),
        control: controls(on.abi, [...on.source6('2001:db8::2', ifindex)]),
      });
    expect([send(0x102), send(3), send(0)]).toEqual(['EADDRNOTAVAIL', 'ok', 'ok']);
  });

  test('payload and control bytes together must fit SO_SNDBUF', () => {
    const fd = on.opened({ address: '0.0.0.0', options: [['SOL_SOCKET', 'SO_SNDBUF', 1000]] });
    const control = controls(on.abi, [...on.source4('10.0.0.2')]);
    const send = (size: number) =>
      sendRaw(on.kernel, fd, { name: on.name(4, '10.0.0.9'), control, payload: Buffer.alloc(size) });
    expect([send(1000 - control.length), send(1001 - control.length)]).toEqual(['ok', 'EMSGSIZE']);
    const bare = { name: on.name(4, '10.0.0.9'), payload: Buffer.alloc(1000) };
    expect(sendRaw(on.kernel, fd, bare)).toBe('ok');
  });

  test('a control buffer that is too short gets whole messages only', () => {
    const options = [
      ['IPPROTO_IP', 'IP_RECVDSTADDR'],
      ['IPPROTO_IP', 'IP_RECVIF'],
    ] as const;
    const fd = on.opened({ address: '0.0.0.0', options });
    world.near.send('10.0.0.2', PORT, 'x');
    const { control, controllen, flags } = first(receiveRaw(world.kernel, fd, { room: 64 }));
    expect(control.map(({ type }) => type)).toEqual([on.facts.number('IP_RECVDSTADDR')]);
    expect(controllen).toBe(24);
    expect(flags & on.facts.number('MSG_CTRUNC')).not.toBe(0);
  });

  test('of two sources in one send the last counts', () => {
    const control = controls(on.abi, [...on.source4('10.0.0.2')], [...on.source4('10.0.0.3')]);
    expect(sendRaw(on.kernel, on.opened(), { name: on.name(4, '10.0.0.9'), control })).toBe('ok');
    expect(world.near.heard).toEqual(['raw from 10.0.0.3']);
  });

  test('IP_TOS is a control message, of one byte', () => {
    const control = controls(on.abi, ['IPPROTO_IP', 'IP_TOS', Buffer.of(0xb8)]);
    expect(sendRaw(on.kernel, on.opened(), { name: on.name(4, '10.0.0.9'), control })).toBe('ok');
    expect(world.near.inbox[0].tos).toBe(0xb8);
  });

  test('a socket that is bound to a group sends from it', () => {
    const fd = on.opened({ address: '239.5.5.5' });
    expect(sendRaw(on.kernel, fd, { name: on.name(4, '10.0.0.9') })).toBe('ok');
    expect(isMulticast(world.near.inbox[0].source)).toBe(true);
  });

  test("libc's recvmmsg loses an error that ends a batch", () => {
    const fd = on.opened();
    for (const text of ['one', 'two', 'three']) world.near.send('10.0.0.2', PORT, text);
    on.kernel.sockets.get(fd)!.lateError = { after: 2, name: 'ECONNREFUSED' };
    const kernel = on.kernel as FreeBSDKernel;
    kernel.recvmmsg = kernel.libcRecvmmsg;
    expect(receiveRaw(kernel, fd, { count: 8 })).toMatchObject([{ payload: 'one' }, { payload: 'two' }]);
    expect(receiveRaw(kernel, fd, { count: 8 })).toMatchObject([{ payload: 'three' }]);
  });
});

describe('openbsd-x64', () => {
  test('a control length below CMSG_ALIGN(sizeof(struct cmsghdr)) is EINVAL', () => {
    const on = openIn(new World('openbsd-x64'));
    const fd = on.opened();
    const name = on.name(4, '10.0.0.9');
    const control = controls(on.abi, [...on.source4('10.0.0.2')]);
    expect(sendRaw(on.kernel, fd, { name, control, controllen: 12 })).toBe('EINVAL');
    expect(sendRaw(on.kernel, fd, { name, control })).toBe('ok');
  });

  test('recvmmsg keeps an error that ends a batch for the next call', () => {
    const world = new World('openbsd-x64');
    const on = openIn(world);
    const fd = on.opened();
    for (const text of ['one', 'two']) world.near.send('10.0.0.2', PORT, text);
    on.kernel.sockets.get(fd)!.lateError = { after: 1, name: 'ECONNREFUSED' };
    expect(receiveRaw(on.kernel, fd, { count: 8 })).toMatchObject([{ payload: 'one' }]);
    // Where a datagram waits it comes before the error. soreceive
    expect(receiveRaw(on.kernel, fd, { count: 8 })).toMatchObject([{ payload: 'two' }]);
    expect(receiveRaw(on.kernel, fd, { count: 8 })).toBe('ECONNREFUSED');
  });
});

describe('linux-x64', () => {
  test.each([
    ['10.0.0.9', ['10.0.0.2']],
    ['2001:db8::9', ['10.0.0.2', '2001:db8::2']],
  ] as const)('a dual-stack socket that was connected to %s hears %j after disconnecting', (peer, heard) => {
    const world = new World('linux-x64');
    const on = openIn(world);
    const fd = on.opened({ family: 6, address: '::' });
    expect(on.kernel.connect(fd, on.name(6, peer))).toBe(0);
    on.kernel.connect(fd, on.unspecified());
    for (const address of ['10.0.0.2', '2001:db8::2']) world.near.send(address, PORT, address);
    const messages = receiveRaw(world.kernel, fd, { count: 4 });
    expect(typeof messages === 'string' ? messages : messages.map(({ payload }) => payload)).toEqual(heard);
  });
});
