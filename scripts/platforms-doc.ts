/**
 * Fills the tables of docs/platforms.md from the platform data that the package runs on, between the markers
 * `<!-- data: … -->` and `<!-- /data -->`; the text around them is written by hand. `npm run docs` writes the page,
 * test/unit/platforms-doc.test.ts holds that it is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformFor } from '../src/platform/index';
import type { Platform, PlatformName, Request, SocketKind } from '../src/platform/platform';

const PAGE = join(__dirname, '../docs/platforms.md');

const KINDS: readonly [SocketKind, string][] = [
  ['udp4', 'AF_INET'],
  ['udp6', 'AF_INET6, V6ONLY'],
  ['dual', 'AF_INET6, both'],
];

interface Named {
  readonly level: number;
  readonly name: number;
}

/** The C names of a level and an option or message; several names may have one number. */
function spell({ constants }: Platform, { level, name }: Named, prefer: RegExp): string {
  const levels = ['SOL_SOCKET', 'IPPROTO_IP', 'IPPROTO_IPV6', 'IPPROTO_UDP'];
  const levelName = levels.find((each) => constants[each] === level) ?? String(level);
  const prefix = { SOL_SOCKET: /^(SO|SCM)_/, IPPROTO_IPV6: /^IPV6_/, IPPROTO_UDP: /^UDP_/ }[levelName] ?? /^IP_/;
  const names = Object.keys(constants).filter((each) => prefix.test(each) && constants[each] === name);
  const best = names.find((each) => prefer.test(each)) ?? names[0];
  return best === undefined ? `${levelName} ${name}` : `${levelName} ${best} (${name})`;
}

const asked = (platform: Platform, requests: readonly Request[]) =>
  requests
    .map((request) => `\`${spell(platform, request, /RECV|PKTINFO/)}\`${request.optional ? ', may fail' : ''}`)
    .join('<br>') || '–';

function requestTable(platform: Platform): string {
  const { optionRequests } = platform;
  const options = ['recvTTL', 'recvTOS', 'recvTimestamp', 'recvDrops', 'recvErrors', 'gro'] as const;
  const rows: [string, (kind: SocketKind) => readonly Request[]][] = [
    ['the destination', (kind) => platform.requests[kind]],
    ...options
      .filter((option) => optionRequests[option] !== undefined)
      .map((option): [string, (kind: SocketKind) => readonly Request[]] => [
        `\`${option}\``,
        (kind) => optionRequests[option]![kind],
      ]),
  ];
  const kinds = KINDS.filter(([kind]) => kind !== 'dual' || platform.quirks.dualStack);
  const head = `| setsockopt(…, 1) for | ${kinds.map(([, name]) => name).join(' | ')} |\n|---|${kinds.map(() => '---|').join('')}`;
  const body = rows.map(
    ([what, of]) => `| ${what} | ${kinds.map(([kind]) => asked(platform, of(kind))).join(' | ')} |`,
  );
  return [head, ...body].join('\n');
}

/** The fields of the struct that a message carries, where we have it as a struct. */
function payload(platform: Platform, type: number, level: number, size: number): string {
  const { structs, constants } = platform;
  if (level === constants.IPPROTO_IP && type === constants.IP_RECVIF && structs.sockaddr_dl !== undefined) {
    return `a sockaddr_dl of sdl_len bytes: sdl_index @${structs.sockaddr_dl.fields.sdl_index!.offset}`;
  }
  const struct =
    level === constants.IPPROTO_IPV6 && type === constants.IPV6_PKTINFO
      ? structs.in6_pktinfo
      : level === constants.IPPROTO_IP && type === constants.IP_PKTINFO
        ? structs.in_pktinfo
        : undefined;
  if (struct === undefined) return size === 1 ? '1 byte' : `${size} bytes`;
  const fields = Object.entries(struct.fields).map(([name, { offset }]) => `${name} @${offset}`);
  return `${size} bytes: ${fields.join(', ')}`;
}

function messageTable(platform: Platform): string {
  const { arrivals, departures, ttl, tos } = platform;
  const comes = arrivals.map(
    ({ level, type, size }) =>
      `| comes | \`${spell(platform, { level, name: type }, /^(SCM_|(?!SO_|.*SEND))/)}\` | ${payload(platform, type, level, size)} |`,
  );
  const peers: Record<string, string> = {
    udp4: 'an IPv4 peer',
    udp6: 'an IPv6 peer',
    mapped: 'an IPv4-mapped peer on AF_INET6',
  };
  const send = Object.entries(departures).map(([kind, { level, type, size, carriesIfindex }]) => {
    const ifindex = carriesIfindex || size < 8 ? '' : '; the interface index stays 0';
    const text = spell(platform, { level, name: type }, /SENDSRC|PKTINFO/);
    return `| source, to ${peers[kind]} | \`${text}\` | ${payload(platform, type, level, size)}${ifindex} |`;
  });
  const ints = [['TTL', ttl] as const, ['TOS', tos] as const].flatMap(([what, of]) =>
    Object.entries(of).map(
      ([kind, { level, type, size }]) =>
        `| ${what}, to ${peers[kind]} | \`${spell(platform, { level, name: type }, /^(?!.*RECV)/)}\` | ${size === 1 ? '1 byte' : `${size} bytes`} |`,
    ),
  );
  return ['| control message | level and type | payload |\n|---|---|---|', ...comes, ...send, ...ints].join('\n');
}

const CPUS: readonly [PlatformName, readonly string[]][] = [
  ['linux', ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64', 'arm', 'ia32']],
  ['android', ['arm64', 'x64']],
  ['darwin', ['arm64', 'x64']],
  ['freebsd', ['x64', 'arm64', 'ia32']],
  ['openbsd', ['x64', 'arm64', 'ia32']],
  ['netbsd', ['x64', 'arm64', 'ia32', 'arm']],
  ['win32', ['x64', 'arm64', 'ia32']],
];

/** CPUs with the same numbers share a row. */
function layoutTable(): string {
  const rows = new Map<string, string[]>();
  for (const [name, cpus] of CPUS) {
    for (const cpu of cpus) {
      const platform = platformFor(name, cpu);
      const { structs, cmsg } = platform;
      const header = structs.msghdr ?? structs.WSAMSG!;
      const { msg_controllen, msg_flags } = header.fields;
      const controllen = msg_controllen ? `@${msg_controllen.offset}, ${msg_controllen.type.size} bytes` : 'in Control';
      const flags = msg_flags ?? header.fields.dwFlags;
      const cmsghdr = structs.cmsghdr ?? structs.WSACMSGHDR!;
      const numbers = [
        header.size,
        controllen,
        `@${flags!.offset}`,
        cmsghdr.size,
        `${cmsghdr.fields.cmsg_len!.type.size} bytes`,
        `@${cmsg.data}`,
        cmsg.align,
      ];
      const key = `${name} CPUS | ${numbers.join(' | ')}`;
      rows.set(key, [...(rows.get(key) ?? []), cpu]);
    }
  }
  const head =
    '| OS, CPU | sizeof msghdr | msg_controllen | msg_flags | sizeof cmsghdr | cmsg_len | CMSG_DATA | CMSG_ALIGN |';
  return [head, '|---|---|---|---|---|---|---|---|']
    .concat([...rows].map(([row, cpus]) => `| ${row.replace('CPUS', cpus.join(', '))} |`))
    .join('\n');
}

/** What a marker asks for. */
function table(what: string): string {
  if (what === 'layouts') return layoutTable();
  const [kind, name] = what.split(' ');
  const cpus = CPUS.find(([each]) => each === name);
  if (cpus === undefined) throw new Error(`docs/platforms.md asks for ${what}`);
  const platform = platformFor(cpus[0], cpus[1][0]!);
  return kind === 'ask' ? requestTable(platform) : messageTable(platform);
}

export function filled(page: string): string {
  return page.replaceAll(
    /(<!-- data: (.+?) -->\n)[\s\S]*?(<!-- \/data -->)/g,
    (_, open: string, what: string, close: string) => `${open}${table(what)}\n${close}`,
  );
}

if (require.main === module) writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8')));
