/** Structs and what is computed from them, field by field against the fixtures, for every system that koffi runs on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CMSG_ALIGN, CMSG_LEN, CMSG_SPACE } from '../../src/datagram/control';
import { platformFor } from '../../src/platform';
import { type Facts, type Layout, targets } from './facts';

/** Names that bionic's headers give these fields by #define. <linux/in.h>, <netinet/in6.h> */
const bionicNames: Record<string, string> = {
  'sockaddr_in.__pad': 'sin_zero',
  'ipv6_mreq.ipv6mr_ifindex': 'ipv6mr_interface',
};
/** Not fields of their own: glibc's empty flexible array, and the pointer that shares bionic's bytes with the rest. */
const notDeclared = new Set(['cmsghdr.__cmsg_data', 'sockaddr_storage.__align']);
/** Padding that C leaves without a name: musl's is an unnamed bit-field. */
const unnamed = new Set(['timespec.__pad']);

test('every system that koffi is built for has a fixture', () => {
  const koffi = JSON.parse(readFileSync(join(__dirname, '../../node_modules/koffi/package.json'), 'utf8'));
  const built = Object.keys(koffi.optionalDependencies)
    .filter((name) => name.startsWith('@koromix/koffi-'))
    .map((name) => name.slice('@koromix/koffi-'.length));
  expect(built.length).toBeGreaterThan(15);
  const known = targets.map(({ name }) => name);
  for (const name of built) {
    expect(known).toContain(name);
    if (name.startsWith('linux-')) expect(known).toContain(`${name}-musl`);
  }
});

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);

  test.each(Object.keys(platform.structs))('struct %s', (name) => {
    const fact = facts.struct(name);
    expect(fact).toBeDefined();
    const { size, alignment, fields } = platform.structs[name];
    const seen = Object.entries(fields)
      .filter(([field]) => !unnamed.has(`${name}.${field}`))
      .flatMap(([field, { offset, type }]) => nested(name, field, offset, type));
    expect({ size, align: alignment, fields: seen }).toEqual(declared(name, fact!));
  });

  test('layout of the array of messages', () => {
    expect(platform.message).toEqual(facts.os === 'win32' ? winsockMessage(facts) : posixMessage(facts));
  });

  test('CMSG_ALIGN, CMSG_LEN and CMSG_SPACE', () => {
    const { cmsg } = platform;
    const { alignQuantum, dataOffset, LEN, SPACE } = facts.cmsg;
    expect(Object.keys(LEN).length).toBeGreaterThan(8);
    for (const [size, length] of Object.entries(LEN)) expect(CMSG_LEN(cmsg, Number(size))).toBe(length);
    for (const [size, space] of Object.entries(SPACE)) expect(CMSG_SPACE(cmsg, Number(size))).toBe(space);
    for (let size = 0; size <= 32; size++) {
      const aligned = Math.ceil(size / alignQuantum) * alignQuantum;
      expect(CMSG_ALIGN(cmsg, size)).toBe(aligned);
      expect(CMSG_LEN(cmsg, size)).toBe(dataOffset + size);
      expect(CMSG_SPACE(cmsg, size)).toBe(dataOffset + aligned);
    }
  });

  test('the header of a control message', () => {
    const header = facts.os === 'win32' ? 'WSACMSGHDR' : 'cmsghdr';
    expect(platform.cmsg).toEqual({
      data: facts.cmsg.dataOffset,
      align: facts.cmsg.alignQuantum,
      cmsg_len: facts.field(header, 'cmsg_len').offset,
      cmsg_level: facts.field(header, 'cmsg_level').offset,
      cmsg_type: facts.field(header, 'cmsg_type').offset,
      headerSize: facts.struct(header)!.size,
    });
  });

  test('byte order, sa_len and the batch calls', () => {
    expect(platform.message.littleEndian).toBe(facts.littleEndian);
    expect(platform.saLen).toBe(facts.saLen);
    const { recvmmsg } = facts;
    if (recvmmsg === null) expect(platform.mmsg).toBeUndefined();
    else {
      // FreeBSD's is a loop in libc, see docs/pitfalls.md P24; the others' kernels stop at UIO_MAXIOV.
      const loop = facts.os === 'freebsd';
      expect(platform.mmsg).toEqual({
        count: recvmmsg.includes('size_t,') ? 'size_t' : 'unsigned int',
        ...(!loop && { max: 1024 }),
        lateError: loop ? 'lost' : 'kept',
      });
    }
  });
});

describe.each(['x64', 'arm64', 'riscv64', 'loong64', 'ppc64', 'arm', 'ia32'])('musl on %s', (arch) => {
  test('has the same bytes as glibc', () => {
    const glibc = platformFor('linux', arch, 'glibc');
    const musl = platformFor('linux', arch, 'musl');
    expect(musl.message).toEqual(glibc.message);
    expect(musl.cmsg).toEqual(glibc.cmsg);
    expect(platformFor('linux', arch).structs.msghdr).toBe(glibc.structs.msghdr);
  });
});

/** A field as the fixtures have it; Winsock's facts name the parts of WSAMSG.Control too. */
function nested(struct: string, field: string, offset: number, type: object) {
  const own = { name: field, offset, size: (type as { size: number }).size };
  if (struct !== 'WSAMSG' || field !== 'Control') return [own];
  const { fields } = type as { fields: Record<string, { offset: number; type: { size: number } }> };
  const parts = Object.entries(fields).map(([name, part]) => ({
    name: `${field}.${name}`,
    offset: offset + part.offset,
    size: part.type.size,
  }));
  return [own, ...parts];
}

function declared(struct: string, { size, align, fields }: Layout): Layout {
  return {
    size,
    align,
    fields: fields
      .filter(({ name }) => !notDeclared.has(`${struct}.${name}`))
      .map((field) => ({ ...field, name: bionicNames[`${struct}.${field.name}`] ?? field.name })),
  };
}

function posixMessage(facts: Facts) {
  const at = (field: string) => facts.field('msghdr', field).offset;
  const header = facts.struct('msghdr')!;
  // Without recvmmsg the length that we keep stands right behind the header.
  const batch = facts.struct('mmsghdr');
  return {
    size: batch?.size ?? Math.ceil((header.size + 4) / header.align) * header.align,
    name: at('msg_name'),
    namelen: at('msg_namelen'),
    iov: at('msg_iov'),
    iovlen: at('msg_iovlen'),
    control: at('msg_control'),
    controllen: at('msg_controllen'),
    flags: at('msg_flags'),
    len: batch === undefined ? header.size : facts.field('mmsghdr', 'msg_len').offset,
    iovec: {
      size: facts.struct('iovec')!.size,
      base: facts.field('iovec', 'iov_base').offset,
      len: facts.field('iovec', 'iov_len').offset,
    },
    pointerSize: facts.field('msghdr', 'msg_name').size,
    littleEndian: true,
  };
}

function winsockMessage(facts: Facts) {
  const at = (field: string) => facts.field('WSAMSG', field).offset;
  const header = facts.struct('WSAMSG')!;
  return {
    size: Math.ceil((header.size + 4) / header.align) * header.align,
    name: at('name'),
    namelen: at('namelen'),
    iov: at('lpBuffers'),
    iovlen: at('dwBufferCount'),
    control: at('Control.buf'),
    controllen: at('Control.len'),
    flags: at('dwFlags'),
    len: header.size,
    iovec: {
      size: facts.struct('WSABUF')!.size,
      base: facts.field('WSABUF', 'buf').offset,
      len: facts.field('WSABUF', 'len').offset,
    },
    pointerSize: facts.field('WSAMSG', 'name').size,
    littleEndian: true,
  };
}
