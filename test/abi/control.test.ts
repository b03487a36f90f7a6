/**
 * Whole control messages, out and in, for every system: bytes built from the fixtures alone beside what the platforms
 * write, and words that the platforms read from such bytes. Literal bytes stand at the end.
 */
import { CMSG_SPACE, newArrived, readControl, writeHeader } from '../../src/datagram/control';
import { platformFor } from '../../src/platform';
import type { Arrived, ArrivedError, Departure, Platform, Source } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';
import { controlMessage, type Facts, int, structBytes, target, targets } from './facts';

const IPV4 = Uint8Array.of(192, 0, 2, 7);
const LOCAL = Uint8Array.of(192, 0, 2, 1);
const IPV6 = Uint8Array.of(
  0x20,
  0x01,
  0x0d,
  0xb8,
  0xaa,
  0xbb,
  0xcc,
  0xdd,
  0xee,
  0xff,
  0x10,
  0x20,
  0x30,
  0x40,
  0x50,
  0x60,
);
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7);

/** What chooses an IPv4 source: level, type and payload, by the kernels' own sources (`semantics` in the fixtures). */
function ipv4Source(facts: Facts, address: Uint8Array, ifindex: number): [type: string, payload: Buffer] {
  switch (facts.os) {
    case 'linux':
    case 'android':
      return ['IP_PKTINFO', structBytes(facts, 'in_pktinfo', { ipi_ifindex: ifindex, ipi_spec_dst: address })];
    case 'darwin': // an interface would make the kernel forget the address
      return ['IP_PKTINFO', structBytes(facts, 'in_pktinfo', { ipi_spec_dst: address })];
    case 'win32':
      return ['IP_PKTINFO', structBytes(facts, 'in_pktinfo', { ipi_addr: address, ipi_ifindex: ifindex })];
    default:
      return ['IP_SENDSRCADDR', Buffer.from(address)];
  }
}

/** The messages that tell an IPv4 datagram's destination and interface. */
function ipv4Destination(facts: Facts, address: Uint8Array, ifindex: number): Buffer[] {
  const level = facts.number('IPPROTO_IP');
  const message = (type: string, payload: Uint8Array) => controlMessage(facts, level, facts.number(type), payload);
  switch (facts.os) {
    case 'linux':
    case 'android': {
      const fields = { ipi_ifindex: ifindex, ipi_spec_dst: LOCAL, ipi_addr: address };
      return [message('IP_PKTINFO', structBytes(facts, 'in_pktinfo', fields))];
    }
    case 'darwin':
    case 'win32':
      return [message('IP_PKTINFO', structBytes(facts, 'in_pktinfo', { ipi_ifindex: ifindex, ipi_addr: address }))];
    case 'netbsd':
      return [
        message('IP_RECVDSTADDR', address),
        message('IP_PKTINFO', structBytes(facts, 'in_pktinfo', { ipi_addr: address, ipi_ifindex: ifindex })),
      ];
    default: {
      const sdl_len = 8; // as far as the link's name, which is missing
      const link = structBytes(facts, 'sockaddr_dl', { sdl_len, sdl_family: 18, sdl_index: ifindex, sdl_type: 0xee });
      return [message('IP_RECVDSTADDR', address), message('IP_RECVIF', link.subarray(0, sdl_len))];
    }
  }
}

function ipv6Message(facts: Facts, address: Uint8Array, ifindex: number): Buffer {
  const payload = structBytes(facts, 'in6_pktinfo', { ipi6_addr: address, ipi6_ifindex: ifindex });
  return controlMessage(facts, facts.number('IPPROTO_IPV6'), facts.number('IPV6_PKTINFO'), payload);
}

/** The last field that has to be there of what a message of this type carries. */
function lastField(facts: Facts, level: number, type: number): [struct: string, field: string] {
  if (level === facts.number('IPPROTO_IPV6')) return ['in6_pktinfo', 'ipi6_ifindex'];
  if (type === facts.constant('IP_RECVIF')) return ['sockaddr_dl', 'sdl_index'];
  if (type === facts.constant('IP_RECVDSTADDR')) return ['in_addr', 's_addr'];
  return ['in_pktinfo', facts.os === 'win32' || facts.os === 'netbsd' ? 'ipi_ifindex' : 'ipi_addr'];
}

function newArrivedError(): ArrivedError {
  const offender = { offenderFamily: 0, offender0: 0, offender1: 0, offender2: 0, offender3: 0 } as const;
  return { errno: 0, origin: 0, type: 0, code: 0, info: 0, data: 0, ...offender };
}

/** A view on a copy of `bytes`, beginning at `start`, with other bytes all around. */
function view(bytes: Uint8Array, start: number) {
  const all = new Uint8Array(start + bytes.length + 64 - (bytes.length % 8)).fill(0xa5);
  all.set(bytes, start);
  return { bytes: all, words: new Int32Array(all.buffer) };
}

function words(address: Uint8Array): number[] {
  return [...new Int32Array(Uint8Array.from(address).buffer)];
}

function sourceOf(address: Uint8Array, ifindex: number): Source {
  const [word0, word1 = 0, word2 = 0, word3 = 0] = words(address);
  return { word0, word1, word2, word3, ifindex };
}

/** The message as it would be sent, from a dirty buffer whose headers and padding were zeroed. */
function written(platform: Platform, departure: Departure, source: Source): Buffer {
  const size = CMSG_SPACE(platform.cmsg, departure.size);
  const control = view(new Uint8Array(size), 8);
  const at = writeHeader(platform.cmsg, control, 8, departure);
  control.bytes.fill(0xa5, at, at + departure.size);
  departure.write(control, at, source);
  return Buffer.from(control.bytes.subarray(8, 8 + size));
}

function read(platform: Platform, ...messages: Buffer[]): Arrived {
  const bytes = Buffer.concat(messages);
  const arrived = newArrived();
  readControl(platform.cmsg, platform.arrivals, view(bytes, 16), 16, bytes.length, arrived);
  return arrived;
}

function destination({ family, destination0, destination1, destination2, destination3 }: Arrived) {
  return family === 4 ? [4, destination0] : [family, destination0, destination1, destination2, destination3];
}

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  const levels = {
    ip: facts.number('IPPROTO_IP'),
    ipv6: facts.number('IPPROTO_IPV6'),
    socket: facts.number('SOL_SOCKET'),
  };
  const own = facts.os === 'linux' || facts.os === 'android';

  test('writes an IPv4 source', () => {
    const [type, payload] = ipv4Source(facts, IPV4, 3);
    const expected = controlMessage(facts, levels.ip, facts.number(type), payload).toString('hex');
    const { udp4, mapped } = platform.departures;
    expect(written(platform, udp4, sourceOf(IPV4, 3)).toString('hex')).toBe(expected);
    // A mapped peer is answered by IPv4's message everywhere; OpenBSD has no such peers.
    if (facts.os === 'openbsd' || facts.os === 'netbsd') expect(mapped).toBeUndefined();
    else expect(written(platform, mapped!, sourceOf(IPV4, 3)).toString('hex')).toBe(expected);
  });

  test('writes an IPv6 source', () => {
    const bytes = written(platform, platform.departures.udp6, sourceOf(IPV6, 3));
    expect(bytes.toString('hex')).toBe(ipv6Message(facts, IPV6, 3).toString('hex'));
  });

  test('reads an IPv4 destination, in either order', () => {
    const messages = ipv4Destination(facts, IPV4, 0x0102);
    for (const order of [messages, [...messages].reverse()]) {
      const arrived = read(platform, ...order);
      expect(destination(arrived)).toEqual([4, ...words(IPV4)]);
      expect(arrived.ifindex).toBe(0x0102);
      expect(arrived.specDst).toBe(own ? words(LOCAL)[0] : 0);
    }
  });

  test('reads an IPv6 destination', () => {
    const arrived = read(platform, ipv6Message(facts, IPV6, 70000));
    expect(destination(arrived)).toEqual([6, ...words(IPV6)]);
    expect(arrived).toMatchObject({ ifindex: 70000, specDst: 0 });
  });

  test('reads a mapped destination as IPv6 when nothing else comes', () => {
    expect(destination(read(platform, ipv6Message(facts, MAPPED, 3)))).toEqual([6, ...words(MAPPED)]);
  });

  test('IPv4 wins over the mapped address whichever comes first', () => {
    const mapped = ipv6Message(facts, MAPPED, 3);
    const plain = ipv4Destination(facts, IPV4, 3);
    for (const order of [
      [mapped, ...plain],
      [...plain, mapped],
    ]) {
      const arrived = read(platform, ...order);
      expect(destination(arrived)).toEqual([4, ...words(IPV4)]);
      expect(arrived.ifindex).toBe(3);
    }
  });

  test('nothing of one datagram is left for the next', () => {
    const arrived = newArrived();
    const full = Buffer.concat(ipv4Destination(facts, IPV4, 3));
    readControl(platform.cmsg, platform.arrivals, view(full, 0), 0, full.length, arrived);
    readControl(platform.cmsg, platform.arrivals, view(full, 0), 0, 0, arrived);
    expect(arrived).toMatchObject({ family: 0, ifindex: 0, specDst: 0, ttl: -1, tos: -1, seconds: -1 });
  });

  // Linux delivers a message that did not fit with what fitted of it (P19).
  test('a message cut short says nothing', () => {
    for (const message of [...ipv4Destination(facts, IPV4, 3), ipv6Message(facts, IPV6, 3)]) {
      const [level, type] = [platform.cmsg.cmsg_level, platform.cmsg.cmsg_type].map((at) => message.readInt32LE(at));
      const { offset, size } = facts.field(...lastField(facts, level, type));
      for (let length = 0; length < offset + size; length++) {
        const short = Buffer.from(message.subarray(0, facts.cmsg.dataOffset + length));
        short.writeUInt32LE(short.length, platform.cmsg.cmsg_len);
        expect(read(platform, short)).toMatchObject({ family: 0, ifindex: 0 });
      }
      // No more is asked for than is read: what stands behind it may be missing.
      const enough = Buffer.from(message.subarray(0, facts.cmsg.dataOffset + offset + size));
      enough.writeUInt32LE(enough.length, platform.cmsg.cmsg_len);
      const { family, ifindex } = read(platform, enough);
      expect(family + ifindex).not.toBe(0);
    }
  });

  // `otherCmsg` in the fixtures' semantics: which type and how many bytes each kernel sends.
  const metadata: Record<string, [type: string, bytes: 1 | 4][]> = {
    linux: [
      ['IP_TTL', 4],
      ['IP_TOS', 1],
    ],
    android: [
      ['IP_TTL', 4],
      ['IP_TOS', 1],
    ],
    darwin: [
      ['IP_RECVTTL', 1],
      ['IP_RECVTOS', 1],
    ],
    freebsd: [
      ['IP_RECVTTL', 1],
      ['IP_RECVTOS', 1],
    ],
    openbsd: [['IP_RECVTTL', 1]],
    netbsd: [['IP_RECVTTL', 1]],
    win32: [
      ['IP_RECVTTL', 4],
      ['IP_TTL', 4],
      ['IP_TCLASS', 4],
      ['IP_TOS', 4],
    ],
  };

  test.each(metadata[facts.os])('reads IPv4 %s of %i bytes', (type, size) => {
    const payload = size === 1 ? Uint8Array.of(0xb8) : int(0xb8);
    const arrived = read(platform, controlMessage(facts, levels.ip, facts.number(type), payload));
    const isTtl = type.endsWith('TTL');
    expect([arrived.ttl, arrived.tos]).toEqual(isTtl ? [0xb8, -1] : [-1, 0xb8]);
  });

  test('reads IPv6 hop limit and traffic class', () => {
    const arrived = read(
      platform,
      controlMessage(facts, levels.ipv6, facts.number('IPV6_HOPLIMIT'), int(63)),
      controlMessage(facts, levels.ipv6, facts.number('IPV6_TCLASS'), int(0xb9)),
    );
    expect([arrived.ttl, arrived.tos]).toEqual([63, 0xb9]);
  });

  const timestamp =
    { linux: 'SCM_TIMESTAMPNS', android: 'SCM_TIMESTAMPNS', win32: undefined }[facts.os] ?? 'SCM_TIMESTAMP';
  if (facts.os !== 'win32') {
    const [struct, fraction, scale] = own ? ['timespec', 'tv_nsec', 1] : ['timeval', 'tv_usec', 1000];
    // 2026, after 2038 in four bytes, after 2106 in eight.
    const seconds =
      facts.field(struct as string, 'tv_sec').size === 8
        ? [1_790_000_000, 4_400_000_000]
        : [1_790_000_000, 3_000_000_000];
    test.each(seconds)(`reads ${timestamp} %i`, (tv_sec) => {
      const payload = structBytes(facts, struct as string, { tv_sec, [fraction]: 123_456 });
      const arrived = read(platform, controlMessage(facts, levels.socket, facts.number(timestamp), payload));
      expect([arrived.seconds, arrived.nanoseconds]).toEqual([tv_sec, 123_456 * (scale as number)]);
      const short = payload.subarray(0, -1);
      expect(read(platform, controlMessage(facts, levels.socket, facts.number(timestamp), short)).seconds).toBe(-1);
    });
  }

  if (facts.libc === 'glibc' && facts.field('timespec', 'tv_sec').size === 4) {
    test('reads the time of the other C library too', () => {
      // hostPlatform() does not know which one it runs on, and the kernel answers the numbers of either.
      const musl = target(`${facts.name}-musl`);
      const payload = structBytes(musl, 'timespec', { tv_sec: 4_400_000_000, tv_nsec: 123_456 });
      const message = (bytes: Buffer) => controlMessage(facts, levels.socket, musl.number('SCM_TIMESTAMPNS'), bytes);
      const arrived = read(platform, message(payload));
      expect([arrived.seconds, arrived.nanoseconds]).toEqual([4_400_000_000, 123_456]);
      expect(read(platform, message(payload.subarray(0, -1))).seconds).toBe(-1);
    });
  }

  if (facts.os === 'freebsd') {
    test('reads SCM_REALTIME, which has nanoseconds', () => {
      const payload = structBytes(facts, 'timespec', { tv_sec: 1_790_000_000, tv_nsec: 123_456_789 });
      const arrived = read(platform, controlMessage(facts, levels.socket, facts.number('SCM_REALTIME'), payload));
      expect([arrived.seconds, arrived.nanoseconds]).toEqual([1_790_000_000, 123_456_789]);
      const short = controlMessage(facts, levels.socket, facts.number('SCM_REALTIME'), payload.subarray(0, -1));
      expect(read(platform, short).seconds).toBe(-1);
    });
  }

  if (own || facts.os === 'freebsd') {
    test('reads where a diverted datagram had been sent to', () => {
      const family: Record<string, number> = facts.saLen ? { sin_len: 16 } : {};
      const port = Uint8Array.of(0x14, 0xb4);
      const name = structBytes(facts, 'sockaddr_in', { ...family, sin_port: port, sin_addr: IPV4 });
      const arrived = read(platform, controlMessage(facts, levels.ip, facts.number('IP_ORIGDSTADDR'), name));
      expect(arrived).toMatchObject({ originalFamily: 4, original0: words(IPV4)[0], originalPort: 5300 });
      const name6 = structBytes(facts, 'sockaddr_in6', { sin6_port: port, sin6_addr: IPV6 });
      const arrived6 = read(platform, controlMessage(facts, levels.ipv6, facts.number('IPV6_ORIGDSTADDR'), name6));
      const { originalFamily, original0, original1, original2, original3, originalPort } = arrived6;
      expect([originalFamily, original0, original1, original2, original3]).toEqual([6, ...words(IPV6)]);
      expect(originalPort).toBe(5300);
      // As far as the address, and not a byte further, has to be there.
      for (const [level, type, whole, field] of [
        [levels.ip, 'IP_ORIGDSTADDR', name, ['sockaddr_in', 'sin_addr']],
        [levels.ipv6, 'IPV6_ORIGDSTADDR', name6, ['sockaddr_in6', 'sin6_addr']],
      ] as const) {
        const { offset, size } = facts.field(...(field as [string, string]));
        const told = (length: number) =>
          read(platform, controlMessage(facts, level, facts.number(type), whole.subarray(0, length))).originalFamily;
        expect([told(offset + size - 1), told(offset + size)]).toEqual([0, level === levels.ip ? 4 : 6]);
      }
    });
  }

  if (facts.os === 'openbsd') {
    test('reads the port that a diverted datagram had been sent to', () => {
      const message = (level: number, type: string) =>
        controlMessage(facts, level, facts.number(type), Uint8Array.of(0x14, 0xb4));
      expect(read(platform, message(levels.ip, 'IP_RECVDSTPORT')).originalPort).toBe(5300);
      expect(read(platform, message(levels.ipv6, 'IPV6_RECVDSTPORT')).originalPort).toBe(5300);
    });
  }

  if (facts.os === 'win32') {
    test('reads the ECN bits, and leaves the whole TOS alone where it comes too', () => {
      const ecn = controlMessage(facts, levels.ip, facts.number('IP_ECN'), int(3));
      const ecn6 = controlMessage(facts, levels.ipv6, facts.number('IPV6_ECN'), int(3));
      const tos = controlMessage(facts, levels.ip, facts.number('IP_TOS'), int(0xbb));
      expect([read(platform, ecn).tos, read(platform, ecn6).tos]).toEqual([3, 3]);
      expect([read(platform, ecn, tos).tos, read(platform, tos, ecn).tos]).toEqual([0xbb, 0xbb]);
    });
  }

  if (own) {
    test("reads a firewall's mark", () => {
      const mark = controlMessage(facts, levels.socket, facts.number('SO_MARK'), Uint8Array.of(1, 0, 0, 0xff));
      expect(read(platform, mark).mark).toBe(0xff000001);
    });

    test('reads the error queue', () => {
      const { errorQueue } = platform.settings;
      if (missing(errorQueue)) throw new Error('Linux has one');
      expect(errorQueue.flag).toBe(facts.number('MSG_ERRQUEUE'));
      expect(errorQueue.origins).toEqual({
        local: facts.number('SO_EE_ORIGIN_LOCAL'),
        icmp: facts.number('SO_EE_ORIGIN_ICMP'),
        icmp6: facts.number('SO_EE_ORIGIN_ICMP6'),
        txtime: facts.number('SO_EE_ORIGIN_TXTIME'),
      });
      const error = structBytes(facts, 'sock_extended_err', {
        ...{ ee_errno: 90, ee_origin: 2, ee_type: 3, ee_code: 4, ee_info: 1400, ee_data: 0xffffffff },
      });
      const told = { errno: 90, origin: 2, type: 3, code: 4, info: 1400, data: 0xffffffff };
      const [ip, ipv6] = errorQueue.arrivals;
      expect([ip.level, ip.type]).toEqual([levels.ip, facts.number('IP_RECVERR')]);
      expect([ipv6.level, ipv6.type]).toEqual([levels.ipv6, facts.number('IPV6_RECVERR')]);
      const from = structBytes(facts, 'sockaddr_in', { sin_family: facts.number('AF_INET'), sin_addr: IPV4 });
      const from6 = structBytes(facts, 'sockaddr_in6', { sin6_family: facts.number('AF_INET6'), sin6_addr: IPV6 });
      const arrived = newArrivedError();
      ip.read(view(Buffer.concat([error, from]), 16), 16, arrived);
      expect(arrived).toMatchObject({ ...told, offenderFamily: 4, offender0: words(IPV4)[0] });
      ipv6.read(view(Buffer.concat([error, from6]), 16), 16, arrived);
      const { offender0, offender1, offender2, offender3 } = arrived;
      expect([offender0, offender1, offender2, offender3]).toEqual(words(IPV6));
      expect(arrived).toMatchObject({ ...told, offenderFamily: 6 });
      for (const [arrival, size, address] of [
        [ip, from.length, facts.field('sockaddr_in', 'sin_addr')],
        [ipv6, from6.length, facts.field('sockaddr_in6', 'sin6_addr')],
      ] as const) {
        arrival.read(view(Buffer.concat([error, Buffer.alloc(size)]), 8), 8, arrived);
        expect(arrived.offenderFamily).toBe(0);
        // As far as the offender's address, and no further.
        expect(arrival.size).toBe(error.length + address.offset + address.size);
      }
    });

    test('reads SO_RXQ_OVFL and UDP_GRO', () => {
      const arrived = read(
        platform,
        controlMessage(facts, levels.socket, facts.number('SO_RXQ_OVFL'), Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
        controlMessage(facts, facts.number('SOL_UDP'), facts.number('UDP_GRO'), int(1472)),
      );
      expect([arrived.drops, arrived.segment]).toEqual([0xffffffff, 1472]);
    });
  }
});

/** Source 192.0.2.7 or 2001:db8::7, interface 3. Linux's are what gcc's CMSG macros give; the rest follows the headers. */
describe.each([
  [
    'linux-x64',
    '1c00000000000000 00000000 08000000 03000000 c0000207 00000000 00000000',
    '2400000000000000 29000000 32000000 20010db8000000000000000000000007 03000000 00000000',
  ],
  [
    'linux-ia32',
    '18000000 00000000 08000000 03000000 c0000207 00000000',
    '20000000 29000000 32000000 20010db8000000000000000000000007 03000000',
  ],
  [
    'darwin-arm64',
    '18000000 00000000 1a000000 00000000 c0000207 00000000',
    '20000000 29000000 2e000000 20010db8000000000000000000000007 03000000',
  ],
  [
    'freebsd-x64',
    '14000000 00000000 07000000 00000000 c0000207 00000000',
    '24000000 29000000 2e000000 00000000 20010db8000000000000000000000007 03000000 00000000',
  ],
  [
    'openbsd-x64',
    '14000000 00000000 07000000 00000000 c0000207 00000000',
    '24000000 29000000 2e000000 00000000 20010db8000000000000000000000007 03000000 00000000',
  ],
  [
    'netbsd-x64',
    '14000000 00000000 07000000 00000000 c0000207 00000000',
    '24000000 29000000 2e000000 00000000 20010db8000000000000000000000007 03000000 00000000',
  ],
  [
    'netbsd-arm64',
    '14000000 00000000 07000000 00000000 c0000207 00000000 00000000 00000000',
    '24000000 29000000 2e000000 00000000 20010db8000000000000000000000007 03000000 00000000 00000000 00000000',
  ],
  [
    'win32-x64',
    '1800000000000000 00000000 13000000 c0000207 03000000',
    '2400000000000000 29000000 13000000 20010db8000000000000000000000007 03000000 00000000',
  ],
])('literal bytes on %s', (name, udp4, udp6) => {
  const facts = target(name);
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  const address6 = Buffer.from('20010db8000000000000000000000007', 'hex');

  test('udp4', () => {
    const bytes = written(platform, platform.departures.udp4, sourceOf(IPV4, 3));
    expect(bytes.toString('hex')).toBe(udp4.replaceAll(' ', ''));
  });

  test('udp6', () => {
    const bytes = written(platform, platform.departures.udp6, sourceOf(address6, 3));
    expect(bytes.toString('hex')).toBe(udp6.replaceAll(' ', ''));
  });
});
