#!/usr/bin/env node
/**
 * Makes test/abi/fixtures/<os>.json out of the ABI study: `node test/abi/make-fixtures.js <study>/abi <study>/windows/win32-abi.json`.
 * The study's files were made by C compilers from each system's own headers; each says how in `method`. A fixture holds
 * one OS: what all its variants (CPU, C library) share is written once. Not needed to run the tests.
 */
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const VARIANTS = {
  linux: ['x64', 'arm', 'arm64', 'ia32', 'riscv64', 'loong64', 'ppc64'].flatMap((arch) => [arch, `${arch}-musl`]),
  android: ['arm64', 'x64'],
  darwin: ['arm64', 'x64'],
  freebsd: ['ia32', 'x64', 'arm64'],
  openbsd: ['ia32', 'x64', 'arm64'],
  netbsd: ['ia32', 'x64', 'arm64', 'arm'],
};
// biome-ignore format: a list
const STRUCTS = [
  'msghdr', 'mmsghdr', 'iovec', 'cmsghdr', 'sockaddr_in', 'sockaddr_in6', 'sockaddr_storage', 'sockaddr_dl',
  'in_pktinfo', 'in6_pktinfo', 'ip_mreq', 'ip_mreqn', 'ipv6_mreq', 'ip_mreq_source', 'group_source_req', 'timespec',
  'timeval', 'in_addr', 'in6_addr', 'msghdr_x',
];

// What the Windows study leaves out, see `method` below.
// biome-ignore format: a table
const HEADER_STRUCTS = {
  ip_mreq: { size: 8, align: 4, fields: [{ name: 'imr_multiaddr', offset: 0, size: 4 }, { name: 'imr_interface', offset: 4, size: 4 }] },
  ipv6_mreq: { size: 20, align: 4, fields: [{ name: 'ipv6mr_multiaddr', offset: 0, size: 16 }, { name: 'ipv6mr_interface', offset: 16, size: 4 }] },
  ip_mreq_source: { size: 12, align: 4, fields: [{ name: 'imr_multiaddr', offset: 0, size: 4 }, { name: 'imr_sourceaddr', offset: 4, size: 4 }, { name: 'imr_interface', offset: 8, size: 4 }] },
  group_source_req: { size: 264, align: 8, fields: [{ name: 'gsr_interface', offset: 0, size: 4 }, { name: 'gsr_group', offset: 8, size: 128 }, { name: 'gsr_source', offset: 136, size: 128 }] },
  sockaddr_storage: { size: 128, align: 8, fields: [{ name: 'ss_family', offset: 0, size: 2 }, { name: '__ss_pad1', offset: 2, size: 6 }, { name: '__ss_align', offset: 8, size: 8 }, { name: '__ss_pad2', offset: 16, size: 112 }] },
};
const HEADER_CONSTANTS = {
  IPV6_JOIN_GROUP: 12,
  IPV6_LEAVE_GROUP: 13,
  MCAST_JOIN_SOURCE_GROUP: 45,
  MCAST_LEAVE_SOURCE_GROUP: 46,
  IF_NAMESIZE: 256,
};

const [study, windows] = process.argv.slice(2);
const out = join(__dirname, 'fixtures');
mkdirSync(out, { recursive: true });
for (const [os, names] of Object.entries(VARIANTS)) save(os, posix(os, names));
save('win32', winsock(JSON.parse(readFileSync(windows, 'utf8'))));

function posix(os, names) {
  const facts = names.map((name) => JSON.parse(readFileSync(join(study, `${os}-${name}.json`), 'utf8')));
  const each = (pick) => Object.fromEntries(names.map((name, i) => [name, pick(facts[i])]));
  return {
    os,
    variants: names,
    method: group(each((fact) => fact.method)),
    saLen: group(each((fact) => fact.saLen)),
    littleEndian: group(each((fact) => fact.littleEndian)),
    recvmmsg: group(each((fact) => fact.functions.recvmmsg ?? null)),
    semantics: group(each((fact) => fact.semantics)),
    cmsg: group(each(({ cmsg }) => cmsg)),
    structs: table(STRUCTS, (name) => each((fact) => fact.structs[name] && layout(fact.structs[name]))),
    constants: table([...new Set(facts.flatMap((fact) => Object.keys(fact.constants)))].sort(), (name) =>
      each((fact) => fact.constants[name]),
    ),
  };
}

function layout({ size, align, fields }) {
  return { size, align, fields: fields.map(({ name, offset, size }) => ({ name, offset, size })) };
}

function winsock(study) {
  const names = ['x64', 'ia32', 'arm64'];
  const each = (pick) => Object.fromEntries(names.map((name) => [name, pick(name)]));
  const tags = {
    IN_PKTINFO: 'in_pktinfo',
    IN6_PKTINFO: 'in6_pktinfo',
    SOCKADDR_IN: 'sockaddr_in',
    SOCKADDR_IN6: 'sockaddr_in6',
  };
  const structs = {};
  for (const name of ['WSAMSG', 'WSABUF', 'WSACMSGHDR', ...Object.keys(tags)]) {
    structs[tags[name] ?? name] = group(
      each((arch) => {
        const { size, align, fields } = study.structs[name][arch];
        return { size, align, fields: Object.entries(fields).map(([field, at]) => ({ name: field, ...at })) };
      }),
    );
  }
  const constants = table(Object.keys(study.constants).sort(), (name) => each(() => study.constants[name].value));
  return {
    os: 'win32',
    variants: names,
    method: group(
      each(
        (arch) =>
          `${study.sources[study.structs.WSAMSG[arch].source]}; structs ${Object.keys(HEADER_STRUCTS)} and constants ` +
          `${Object.keys(HEADER_CONSTANTS)}: text of ws2ipdef.h, winsock2.h, netioapi.h in Debian's mingw-w64-common ` +
          '10.0.0-3, the structs compiled with gcc for x86-64, whose alignments of these members are those of Windows',
      ),
    ),
    saLen: group(each(() => false)),
    littleEndian: group(each(() => true)),
    recvmmsg: group(each(() => null)),
    semantics: group(each(() => study.behaviour)),
    cmsg: group(each((arch) => cmsg(study, arch))),
    structs: {
      ...structs,
      ...Object.fromEntries(Object.entries(HEADER_STRUCTS).map(([k, v]) => [k, group(each(() => v))])),
    },
    constants: {
      ...constants,
      ...Object.fromEntries(Object.entries(HEADER_CONSTANTS).map(([k, v]) => [k, group(each(() => v))])),
    },
  };
}

function cmsg(study, arch) {
  const { data_offset, source, ...values } = study.cmsg.values[arch];
  const column = (key) => Object.fromEntries(Object.entries(values).map(([n, value]) => [n, value[key]]));
  const alignQuantum = arch === 'ia32' ? 4 : 8;
  return {
    alignQuantum,
    dataOffset: data_offset,
    LEN: column('LEN'),
    SPACE: column('SPACE'),
    rule: study.cmsg.rules['WSA_CMSG_SPACE(n)'],
  };
}

/** [{ value, variants }]: `values` by variant, with equal ones together; variants that have none are left out. */
function group(values) {
  const groups = new Map();
  for (const [variant, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    if (!groups.has(key)) groups.set(key, { value, variants: [] });
    groups.get(key).variants.push(variant);
  }
  return [...groups.values()];
}

function table(names, pick) {
  return Object.fromEntries(names.map((name) => [name, group(pick(name))]).filter(([, groups]) => groups.length > 0));
}

/** One line per fact, so that a changed fact is a changed line; a fact for every variant needs no list of them. */
function save(os, fixture) {
  const line = (groups) =>
    JSON.stringify(
      groups.length === 1 && groups[0].variants.length === fixture.variants.length
        ? [{ value: groups[0].value }]
        : groups,
    );
  const block = (entries) => `{\n${entries.map(([k, v]) => `    ${JSON.stringify(k)}: ${line(v)}`).join(',\n')}\n  }`;
  const lines = Object.entries(fixture).map(([key, value]) => {
    const text =
      key === 'os' || key === 'variants'
        ? JSON.stringify(value)
        : Array.isArray(value)
          ? line(value)
          : block(Object.entries(value));
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  writeFileSync(join(out, `${os}.json`), `{\n${lines.join(',\n')}\n}\n`);
}
