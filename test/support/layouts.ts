/**
 * What C says of each platform, typed by hand and independent of src/: where the fields of a message stand, and which
 * control messages carry addresses. Fakes read and write the real bytes by it. Sources: test/abi/fixtures.
 */

/** Offsets in one element of the array that recvmmsg and sendmmsg take. */
export interface Layout {
  readonly pointer: 4 | 8;
  readonly size: number;
  readonly name: number;
  readonly namelen: number;
  readonly iov: number;
  readonly iovlen: number;
  readonly control: number;
  readonly controllen: number;
  /** Bytes of msg_controllen. */
  readonly controllenSize: 4 | 8;
  readonly flags: number;
  readonly len: number;
  readonly iovec: { readonly size: number; readonly base: number; readonly len: number; readonly lenSize: 4 | 8 };
  readonly cmsg: { readonly lenSize: 4 | 8; readonly level: number; readonly type: number; readonly data: number };
  readonly align: 4 | 8;
}

/** Numbers that name an address in a control message. */
export interface Numbers {
  readonly saLen: boolean;
  readonly AF_INET6: number;
  /** IPv4 source on the way out, and how its payload is built. */
  readonly source4: { readonly type: number; bytes(address: Buffer, ifindex: number): Buffer };
  /** IPv4 destination on the way in. */
  arrival4(address: Buffer, specDst: Buffer, ifindex: number): { type: number; data: Buffer }[];
  readonly IPV6_PKTINFO: number;
  readonly IPV6_HOPLIMIT: number;
  readonly MSG_TRUNC: number;
  readonly MSG_CTRUNC: number;
  readonly EAGAIN: number;
  readonly ECONNREFUSED: number;
  readonly EADDRNOTAVAIL: number;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const none = Buffer.alloc(4);

/** sockaddr_dl: sdl_len, sdl_family (AF_LINK), sdl_index, … */
const sockaddrDl = (length: number, ifindex: number) => {
  const bytes = Buffer.alloc(length);
  bytes.set([length, 18]);
  bytes.writeUInt16LE(ifindex, 2);
  return bytes;
};

const LP64 = { pointer: 8, name: 0, namelen: 8, iov: 16, iovlen: 24, control: 32, controllen: 40 } as const;
const iovec64 = { size: 16, base: 0, len: 8, lenSize: 8 } as const;
const bsdMessage = { ...LP64, size: 56, controllenSize: 4, flags: 44, len: 48, iovec: iovec64 } as const;
const cmsgInt = (data: 12 | 16) => ({ lenSize: 4, level: 4, type: 8, data }) as const;
const cmsg64 = { lenSize: 8, level: 8, type: 12, data: 16 } as const;

const linuxNumbers: Numbers = {
  saLen: false,
  AF_INET6: 10,
  source4: { type: 8, bytes: (address, ifindex) => Buffer.concat([u32(ifindex), address, none]) },
  arrival4: (address, specDst, ifindex) => [{ type: 8, data: Buffer.concat([u32(ifindex), specDst, address]) }],
  IPV6_PKTINFO: 50,
  IPV6_HOPLIMIT: 52,
  MSG_TRUNC: 0x20,
  MSG_CTRUNC: 0x8,
  EAGAIN: 11,
  ECONNREFUSED: 111,
  EADDRNOTAVAIL: 99,
};

const bsdNumbers = {
  saLen: true,
  IPV6_PKTINFO: 46,
  IPV6_HOPLIMIT: 47,
  MSG_TRUNC: 0x10,
  MSG_CTRUNC: 0x20,
  EAGAIN: 35,
  ECONNREFUSED: 61,
  EADDRNOTAVAIL: 49,
} as const;

const sendsrcaddr = { type: 7, bytes: (address: Buffer) => address };

export interface Case {
  readonly name: string;
  readonly arch: string;
  readonly layout: Layout;
  readonly numbers: Numbers;
}

export const cases: readonly Case[] = [
  {
    name: 'linux',
    arch: 'x64',
    layout: { ...LP64, size: 64, controllenSize: 8, flags: 48, len: 56, iovec: iovec64, cmsg: cmsg64, align: 8 },
    numbers: linuxNumbers,
  },
  {
    name: 'linux',
    arch: 'arm',
    layout: {
      pointer: 4,
      size: 32,
      name: 0,
      namelen: 4,
      iov: 8,
      iovlen: 12,
      control: 16,
      controllen: 20,
      controllenSize: 4,
      flags: 24,
      len: 28,
      iovec: { size: 8, base: 0, len: 4, lenSize: 4 },
      cmsg: cmsgInt(12),
      align: 4,
    },
    numbers: linuxNumbers,
  },
  {
    name: 'darwin',
    arch: 'arm64',
    layout: { ...bsdMessage, cmsg: cmsgInt(12), align: 4 },
    numbers: {
      ...bsdNumbers,
      AF_INET6: 30,
      source4: { type: 26, bytes: (address) => Buffer.concat([none, address, none]) },
      arrival4: (address, _, ifindex) => [{ type: 26, data: Buffer.concat([u32(ifindex), none, address]) }],
    },
  },
  {
    name: 'freebsd',
    arch: 'x64',
    layout: { ...bsdMessage, cmsg: cmsgInt(16), align: 8 },
    numbers: {
      ...bsdNumbers,
      AF_INET6: 28,
      source4: sendsrcaddr,
      arrival4: (address, _, ifindex) => [
        { type: 7, data: address },
        { type: 20, data: sockaddrDl(54, ifindex) },
      ],
    },
  },
  {
    name: 'openbsd',
    arch: 'x64',
    layout: { ...bsdMessage, cmsg: cmsgInt(16), align: 8 },
    numbers: {
      ...bsdNumbers,
      AF_INET6: 24,
      source4: sendsrcaddr,
      arrival4: (address, _, ifindex) => [
        { type: 30, data: sockaddrDl(32, ifindex) },
        { type: 7, data: address },
      ],
    },
  },
  {
    name: 'win32',
    arch: 'x64',
    layout: {
      ...LP64,
      size: 64,
      control: 40,
      controllen: 32,
      controllenSize: 4,
      flags: 48,
      len: 56,
      iovec: { size: 16, base: 8, len: 0, lenSize: 4 },
      cmsg: cmsg64,
      align: 8,
    },
    numbers: {
      saLen: false,
      AF_INET6: 23,
      source4: { type: 19, bytes: (address, ifindex) => Buffer.concat([address, u32(ifindex)]) },
      arrival4: (address, _, ifindex) => [{ type: 19, data: Buffer.concat([address, u32(ifindex)]) }],
      IPV6_PKTINFO: 19,
      IPV6_HOPLIMIT: 21,
      MSG_TRUNC: 0x100,
      MSG_CTRUNC: 0x200,
      EAGAIN: 10035,
      ECONNREFUSED: 10061,
      EADDRNOTAVAIL: 10049,
    },
  },
];

/** The case of this name, for tests that need only one. */
export function caseOf(name: string, arch: string): Case {
  const found = cases.find((one) => one.name === name && one.arch === arch);
  if (found === undefined) throw new Error(`no layout of ${name} ${arch}`);
  return found;
}

export const linux64 = caseOf('linux', 'x64');
