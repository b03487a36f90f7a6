/**
 * Platform.settings, .carried, .tried and .privateBatch on the kernels: what is asked for there is taken, and does what it
 * says. The calls are made by hand; sockets of ours come on top.
 */
import { newArrived, readControl } from '../../src/datagram/control';
import type { ArrivedError, Asked, ControlView, Request, SocketKind } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';
import { structBytes } from '../abi/facts';
import { type Cmsg, int32 } from './abi';
import type { DarwinKernel } from './darwin';
import { bytesOf } from './net';
import { errnoOf, type RawReceived, receiveRaw, sendRaw } from './raw';
import type { WindowsKernel } from './win32';
import { models, PORT, World } from './world';

const named = (...oses: string[]) => models.filter((name) => oses.some((os) => name.startsWith(os)));

function by(name: string) {
  const world = new World(name);
  const { kernel, platform } = world;
  const { facts, abi } = kernel;
  const { settings, carried } = platform;
  const open = (kind: SocketKind) => {
    const fd = kernel.socket(facts.number(kind === 'udp4' ? 'AF_INET' : 'AF_INET6'));
    if (kind !== 'udp4') {
      const { IPPROTO_IPV6, IPV6_V6ONLY } = platform.constants;
      kernel.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, int32(kind === 'udp6' ? 1 : 0));
    }
    return fd;
  };
  const ask = (fd: number, requests: readonly Request[]) => {
    for (const { level, name: option, value = 1 } of requests) {
      expect(kernel.setsockopt(fd, level, option, int32(value))).toBe(0);
    }
  };
  const asked = (offer: { readonly ask: Asked } | { readonly because: string }): Asked => {
    if (missing(offer)) throw new Error(offer.because);
    return offer.ask;
  };
  const bind = (fd: number, family: 4 | 6, address: string, port = PORT) => {
    const result = kernel.bind(fd, abi.writeName(family, address, port));
    return result === 0 ? 'ok' : errnoOf(facts, result);
  };
  const sendTo = (fd: number, family: 4 | 6, address: string, port: number, payload: Buffer, control?: Buffer) =>
    sendRaw(kernel, fd, { name: abi.writeName(family, address, port), payload, control });
  const texts = (fd: number) => {
    const messages = receiveRaw(kernel, fd, { count: 8 });
    return typeof messages === 'string' ? messages : messages.map(({ payload }) => payload);
  };
  return { world, kernel, platform, facts, abi, settings, carried, open, ask, asked, bind, sendTo, texts };
}

function one(messages: RawReceived[] | string): RawReceived {
  if (typeof messages === 'string') throw new Error(messages);
  expect(messages).toHaveLength(1);
  return messages[0];
}

/** Control messages as the package's readers see them. */
function read(on: ReturnType<typeof by>, control: readonly Cmsg[]) {
  const view = viewOf(Buffer.concat(control.map((cmsg) => on.abi.encodeCmsg(cmsg))));
  const arrived = newArrived();
  readControl(on.platform.cmsg, on.platform.arrivals, view, 0, view.bytes.length, arrived);
  return arrived;
}

function viewOf(bytes: Buffer): ControlView {
  const block = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  block.set(bytes);
  return { bytes: block, words: new Int32Array(block.buffer) };
}

const word = (address: string) => new Int32Array(Uint8Array.from(bytesOf(address)).buffer)[0];

describe.each(models)('%s', (name) => {
  const kinds = ['udp4', 'udp6'] as const;

  test.each(kinds)('bindToDevice: one interface is sent through, and heard where the system says so, %s', (kind) => {
    const on = by(name);
    const { bindToDevice } = on.settings;
    if (missing(bindToDevice)) return;
    const fd = on.open(kind);
    const index = 0x102;
    const device = on.world.machine.byIndex(index)?.name as string;
    for (const { level, name: option, takes } of bindToDevice.ask[kind]) {
      const value = takes === 'name' ? Buffer.from(`${device}\0`) : int32(index);
      expect(on.kernel.setsockopt(fd, level, option, takes === 'networkIndex' ? value.swap32() : value)).toBe(0);
    }
    const [family, any, here, there] =
      kind === 'udp4'
        ? ([4, '0.0.0.0', '10.0.0.2', '10.1.0.2'] as const)
        : ([6, '::', '2001:db8::2', '2001:db8:1::2'] as const);
    expect(on.bind(fd, family, any)).toBe('ok');
    on.world.near.send(here, PORT, 'by eth0');
    on.world.side.send(there, PORT, 'by eth1');
    expect(on.texts(fd)).toEqual(bindToDevice.hears ? ['by eth1'] : ['by eth0', 'by eth1']);
    const far = kind === 'udp4' ? '198.51.100.7' : '2001:db8:ffff::7';
    expect(on.sendTo(fd, family, far, 4002, Buffer.from('x'))).toBe('ok');
    expect([on.world.far.heard, on.world.linkB.lost.length]).toEqual([[], 1]);
  });

  test.each(kinds)('freebind and transparent: addresses of nobody here are bound, %s', (kind) => {
    const on = by(name);
    const [family, foreign] = kind === 'udp4' ? ([4, '192.0.2.55'] as const) : ([6, '2001:db8:55::1'] as const);
    expect(on.bind(on.open(kind), family, foreign)).toBe('EADDRNOTAVAIL');
    for (const setting of [on.settings.freebind, on.settings.transparent]) {
      if (missing(setting)) continue;
      const fd = on.open(kind);
      on.ask(fd, setting.ask[kind]);
      expect(on.bind(fd, family, foreign, PORT + fd)).toBe('ok');
    }
  });

  test.each(kinds)("mtuDiscover: 'do' refuses what the link does not take, 'dont' fragments it, %s", (kind) => {
    const on = by(name);
    const fd = on.open(kind);
    const [family, address] = kind === 'udp4' ? ([4, '10.0.0.9'] as const) : ([6, '2001:db8::9'] as const);
    const headers = kind === 'udp4' ? 28 : 48;
    const send = (size: number) => on.sendTo(fd, family, address, 4000, Buffer.alloc(size));
    const { mtuDiscover } = on.settings;
    const requests = on.asked(mtuDiscover.do)[kind];
    on.ask(fd, requests);
    expect([send(1500 - headers), send(1501 - headers)]).toEqual(['ok', requests.length > 0 ? 'EMSGSIZE' : 'ok']);
    on.ask(fd, on.asked(mtuDiscover.dont)[kind]);
    expect(send(1501 - headers)).toBe('ok');
  });

  test('pathMtu is told of a connected socket', () => {
    const on = by(name);
    const { pathMtu } = on.settings;
    if (missing(pathMtu)) throw new Error(pathMtu.because);
    for (const [kind, family, address] of [
      ['udp4', 4, '10.0.0.9'],
      ['udp6', 6, '2001:db8::9'],
    ] as const) {
      const option = pathMtu[family];
      if (option === undefined) continue;
      const fd = on.open(kind);
      const value = Buffer.alloc(option.size);
      const get = () => on.kernel.getsockopt(fd, option.level, option.name, value);
      expect(get()).toBeLessThan(0);
      on.kernel.connect(fd, on.abi.writeName(family, address, 4000));
      expect([get(), value.readInt32LE(option.at)]).toEqual([option.size, 1500]);
    }
  });

  test('blockSource: what one source sends to a group is not heard, until it is unblocked', () => {
    const on = by(name);
    const { blockSource } = on.settings;
    if (missing(blockSource)) return;
    const fd = on.open('udp4');
    expect(on.bind(fd, 4, '0.0.0.0')).toBe('ok');
    const addresses = { imr_multiaddr: '239.1.2.3', imr_interface: '10.0.0.1', imr_sourceaddr: '10.0.0.9' };
    const bytes = (struct: string, fields: readonly (keyof typeof addresses)[]) =>
      structBytes(on.facts, struct, Object.fromEntries(fields.map((f) => [f, Uint8Array.from(bytesOf(addresses[f]))])));
    const { IPPROTO_IP, IP_ADD_MEMBERSHIP } = on.platform.constants;
    const set = (option: number, value: Buffer) => on.kernel.setsockopt(fd, IPPROTO_IP, option, value);
    const request = bytes('ip_mreq_source', ['imr_multiaddr', 'imr_interface', 'imr_sourceaddr']);
    expect(set(blockSource.ip, request)).toBeLessThan(0); // not a member
    expect(set(IP_ADD_MEMBERSHIP, bytes('ip_mreq', ['imr_multiaddr', 'imr_interface']))).toBe(0);
    expect(set(blockSource.ip, request)).toBe(0);
    const hear = () => {
      for (const source of ['10.0.0.9', '10.0.0.8']) on.world.near.send('239.1.2.3', PORT, source, { source });
      return on.texts(fd);
    };
    expect(hear()).toEqual(['10.0.0.8']);
    expect(set(blockSource.ipUndo, request)).toBe(0);
    expect(hear()).toEqual(['10.0.0.9', '10.0.0.8']);
  });

  test('overflow: what was queued comes, and then a full queue is an error, once', () => {
    const on = by(name);
    const { overflow } = on.settings;
    if (missing(overflow)) return;
    const fd = on.open('udp4');
    on.ask(fd, overflow.ask.udp4);
    const { SOL_SOCKET, SO_RCVBUF } = on.platform.constants;
    on.kernel.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int32(100));
    expect(on.bind(fd, 4, '0.0.0.0')).toBe('ok');
    for (let i = 0; i < 4; i++) on.world.near.send('10.0.0.2', PORT, 'x'.repeat(60));
    expect(on.texts(fd)).toEqual(['x'.repeat(60)]);
    expect(receiveRaw(on.kernel, fd)).toBe(String(-on.platform.errno[overflow.errno]!));
    expect(receiveRaw(on.kernel, fd)).toBe('EAGAIN');
  });

  test.each(['udp4', 'udp6'] as const)('recvTimestamp asks for what it reads, %s', (kind) => {
    const on = by(name);
    const { recvTimestamp } = on.carried;
    if (missing(recvTimestamp)) return;
    const fd = on.open(kind);
    on.ask(fd, recvTimestamp[kind]);
    const [family, any, here] =
      kind === 'udp4' ? ([4, '0.0.0.0', '10.0.0.2'] as const) : ([6, '::', '2001:db8::2'] as const);
    expect(on.bind(fd, family, any)).toBe('ok');
    on.world.near.send(here, PORT, 'x');
    const { seconds, nanoseconds } = read(on, one(receiveRaw(on.kernel, fd)).control);
    expect([seconds, nanoseconds]).toEqual([1_790_000_000, 123_456_000]);
  });
});

describe.each(named('linux', 'android'))('%s', (name) => {
  test.each([
    ['udp4', 4, '0.0.0.0'],
    ['udp6', 6, '::'],
    ['dual', 6, '::'],
  ] as const)('onlyOwnGroups: groups that others have joined are not heard, %s', (kind, family, any) => {
    const on = by(name);
    const plain = on.open(kind);
    const strict = on.open(kind);
    on.ask(strict, on.asked(on.settings.onlyOwnGroups)[kind]);
    expect([on.bind(plain, family, any), on.bind(strict, family, any, PORT + 1)]).toEqual(['ok', 'ok']);
    const { IPPROTO_IP, IPPROTO_IPV6, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP } = on.platform.constants;
    const other = on.open('udp4');
    const group = Buffer.from([...bytesOf('239.9.9.9'), ...bytesOf('10.0.0.1')]);
    on.kernel.setsockopt(other, IPPROTO_IP, IP_ADD_MEMBERSHIP, group);
    const group6 = Buffer.concat([Buffer.from(bytesOf('ff02::9')), int32(3)]);
    on.kernel.setsockopt(on.open('udp6'), IPPROTO_IPV6, IPV6_JOIN_GROUP, group6);
    for (const address of ['239.9.9.9', 'ff02::9']) {
      for (const port of [PORT, PORT + 1]) on.world.near.send(address, port, address);
    }
    const heard = { udp4: ['239.9.9.9'], udp6: ['ff02::9'], dual: ['239.9.9.9', 'ff02::9'] }[kind];
    expect([on.texts(plain), on.texts(strict)]).toEqual([heard, 'EAGAIN']);
  });

  const unreachable = {
    ...{ errno: 'ECONNREFUSED', origin: 'SO_EE_ORIGIN_ICMP', type: 3, code: 3, info: 0 },
    to: { address: '10.0.0.9', port: 4000, scope: 0 },
    payload: Buffer.from('what was sent'),
    offender: '10.0.0.254',
  };

  test.each([
    ['udp4', 4],
    ['dual', 6],
  ] as const)('errorQueue: whom it was sent to, what, and who complained, %s', (kind, family) => {
    const on = by(name);
    const { errorQueue } = on.settings;
    const { recvErrors } = on.carried;
    if (missing(errorQueue) || missing(recvErrors)) throw new Error('Linux has them');
    const fd = on.open(kind);
    on.ask(fd, recvErrors[kind]);
    expect(on.bind(fd, family, family === 4 ? '0.0.0.0' : '::')).toBe('ok');
    on.kernel.complain(fd, unreachable);
    const { name: to, payload, control } = one(receiveRaw(on.kernel, fd, { flags: errorQueue.flag }));
    expect(on.abi.readName(to)).toMatchObject({ address: '10.0.0.9', port: 4000, mapped: family === 6 });
    expect(payload).toBe('what was sent');
    const [{ level, type, data }] = control;
    const arrival = errorQueue.arrivals.find((each) => each.level === level && each.type === type);
    expect(arrival?.size).toBeLessThanOrEqual(data.length);
    const error = { offenderFamily: 0 } as ArrivedError;
    arrival?.read(viewOf(data), 0, error);
    const last = family === 4 ? error.offender0 : error.offender3;
    expect({ ...error, last }).toMatchObject({
      errno: 111,
      type: 3,
      code: 3,
      offenderFamily: family,
      last: word('10.0.0.254'),
    });
    expect(error.origin).toBe(errorQueue.origins.icmp);
    expect(receiveRaw(on.kernel, fd)).toBe('EAGAIN'); // it was read: nothing is pending any more
  });

  test('an error that is not read first fails the next send, to somebody else, and the next receive (P38)', () => {
    for (const call of ['send', 'receive'] as const) {
      const on = by(name);
      const { recvErrors } = on.carried;
      if (missing(recvErrors)) throw new Error(recvErrors.because);
      const fd = on.open('udp4');
      on.ask(fd, recvErrors.udp4);
      expect(on.bind(fd, 4, '0.0.0.0')).toBe('ok');
      on.world.near.send('10.0.0.2', PORT, 'queued');
      on.kernel.complain(fd, unreachable);
      const send = () => on.sendTo(fd, 4, '198.51.100.7', 4002, Buffer.from('innocent'));
      expect(call === 'send' ? send() : on.texts(fd)).toBe('ECONNREFUSED');
      expect([send(), on.texts(fd)]).toEqual(['ok', ['queued']]);
      expect(on.world.far.heard).toEqual(['innocent from 10.0.0.1']);
    }
  });

  test("IPV6_RECVERR alone hears nothing of a dual-stack socket's IPv4 peers (P38)", () => {
    const on = by(name);
    const { errorQueue } = on.settings;
    const { recvErrors } = on.carried;
    if (missing(errorQueue) || missing(recvErrors)) throw new Error('Linux has them');
    const fd = on.open('dual');
    on.ask(fd, recvErrors.udp6);
    on.kernel.complain(fd, unreachable);
    expect(receiveRaw(on.kernel, fd, { flags: errorQueue.flag })).toBe('EAGAIN');
  });

  test.each([
    ['udp4', 4, '0.0.0.0', '10.0.0.2', '203.0.113.9'],
    ['udp6', 6, '::', '2001:db8::2', '2001:db8:99::9'],
  ] as const)('originalDestination and recvMark, %s', (kind, family, any, here, original) => {
    const on = by(name);
    const fd = on.open(kind);
    const { originalDestination, recvMark } = on.carried;
    if (missing(originalDestination) || missing(recvMark)) throw new Error('Linux has them');
    on.ask(fd, [...originalDestination[kind], ...recvMark[kind]]);
    expect(on.bind(fd, family, any)).toBe('ok');
    on.world.near.send(here, PORT, 'x', { original: { address: original, port: 53 }, mark: 0x7f });
    const { originalFamily, originalPort, original0, mark } = read(on, one(receiveRaw(on.kernel, fd)).control);
    expect([originalFamily, originalPort, original0, mark]).toEqual([family, 53, word(original), 0x7f]);
  });
});

describe.each(named('win32'))('%s', (name) => {
  const tries = (kind: 'udp4' | 'udp6') => {
    const on = by(name);
    const { tried } = on.platform;
    const fd = on.open(kind);
    const [family, address] = kind === 'udp4' ? ([4, '10.0.0.9'] as const) : ([6, '2001:db8::9'] as const);
    const send = (message: { level: number; type: number } | undefined, value: number, text = 'x') => {
      const control = on.abi.encodeCmsg({ level: message?.level ?? -1, type: message?.type ?? -1, data: int32(value) });
      return on.sendTo(fd, family, address, 4000, Buffer.from(text), control);
    };
    return { on, tried, send, kernel: on.kernel as WindowsKernel };
  };

  test.each(['udp4', 'udp6'] as const)('TTL, TOS and ECN of one datagram, where Windows is recent, %s', (kind) => {
    const { on, tried, send, kernel } = tries(kind);
    expect([send(tried?.ttl?.[kind], 7), send(tried?.tos?.[kind], 0xb8), send(tried?.ecn?.[kind], 1)]).toEqual(
      Array(3).fill('ok'),
    );
    expect(on.world.near.inbox.map(({ ttl, tos }) => [ttl, tos])).toEqual([
      [7, 0],
      [64, 0xb8],
      [64, 1],
    ]);
    kernel.documented.clear();
    expect(send(tried?.tos?.[kind], 0xb8)).toBe('EINVAL');
  });

  test('one payload is cut into datagrams', () => {
    const { on, tried, send } = tries('udp4');
    expect(send(tried?.segment, 3, 'aaabbbcc')).toBe('ok');
    expect(on.world.near.inbox.map(({ payload }) => String(payload))).toEqual(['aaa', 'bbb', 'cc']);
  });

  test('the ECN bits come where they are asked for', () => {
    const { on, tried } = tries('udp4');
    const fd = on.open('udp4');
    on.ask(fd, tried?.recvECN?.udp4 ?? []);
    expect(on.bind(fd, 4, '0.0.0.0')).toBe('ok');
    on.world.near.send('10.0.0.2', PORT, 'x', { tos: 0xbb });
    expect(read(on, one(receiveRaw(on.kernel, fd)).control).tos).toBe(3);
  });
});

describe.each(named('darwin'))('%s', (name) => {
  function receiveX(count: number, msg_flags = 0, flags?: number) {
    const on = by(name);
    const { privateBatch } = on.platform;
    if (privateBatch === undefined) throw new Error('macOS has one');
    const kernel = on.kernel as DarwinKernel;
    const fd = on.open('udp4');
    on.ask(fd, on.platform.requests.udp4);
    expect(on.bind(fd, 4, '0.0.0.0')).toBe('ok');
    const { message } = privateBatch;
    const array = Buffer.alloc(message.size * count);
    const own = (size: number) => Buffer.from(new ArrayBuffer(size));
    const slots = Array.from({ length: count }, (_, i) => {
      const [to, body, control, iov] = [own(16), own(8), own(64), own(message.iovec.size)];
      iov.writeBigUInt64LE(kernel.addressOf(body), message.iovec.base);
      iov.writeBigUInt64LE(BigInt(body.length), message.iovec.len);
      const at = i * message.size;
      array.writeBigUInt64LE(kernel.addressOf(to), at + message.name);
      array.writeUInt32LE(to.length, at + message.namelen);
      array.writeBigUInt64LE(kernel.addressOf(iov), at + message.iov);
      array.writeUInt32LE(1, at + message.iovlen);
      array.writeBigUInt64LE(kernel.addressOf(control), at + message.control);
      array.writeUInt32LE(control.length, at + message.controllen);
      array.writeInt32LE(msg_flags, at + message.flags);
      return { at, to, body };
    });
    const call = () => kernel.recvmsg_x(fd, array, count, flags ?? privateBatch.flags);
    const told = (i: number) => {
      const { at, to, body } = slots[i];
      const length = Number(array.readBigUInt64LE(at + message.len));
      const cut = (array.readInt32LE(at + message.flags) & on.platform.constants.MSG_TRUNC) !== 0;
      const controllen = array.readUInt32LE(at + message.controllen);
      return { text: body.toString('latin1', 0, length), from: on.abi.readName(to)?.address, cut, controllen };
    };
    return { on, call, told };
  }

  test('recvmsg_x: several datagrams in one call, with names, control bytes and lengths', () => {
    const { on, call, told } = receiveX(4);
    expect(errnoOf(on.facts, call())).toBe('EAGAIN');
    for (const text of ['one', '', 'far too long']) on.world.near.send('10.0.0.2', PORT, text);
    expect(call()).toBe(3);
    const controllen = on.facts.cmsg.dataOffset + 12;
    expect([told(0), told(1), told(2)]).toEqual([
      { text: 'one', from: '10.0.0.9', cut: false, controllen },
      { text: '', from: '10.0.0.9', cut: false, controllen },
      { text: 'far too ', from: '10.0.0.9', cut: true, controllen },
    ]);
  });

  test('recvmsg_x wants msg_flags to be 0, and no flag but MSG_DONTWAIT', () => {
    expect(errnoOf(receiveX(1).on.facts, receiveX(1, 0x10).call())).toBe('EINVAL');
    const { on } = receiveX(1);
    const both = on.facts.number('MSG_DONTWAIT') | on.facts.number('MSG_PEEK');
    expect(errnoOf(on.facts, receiveX(1, 0, both).call())).toBe('EINVAL');
  });
});
