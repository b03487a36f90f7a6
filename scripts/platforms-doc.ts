/**
 * Fills the tables of docs/platforms.md from the platform data that the package runs on, between the markers
 * `<!-- data: … -->` and `<!-- /data -->`; the text around them is written by hand. `npm run docs` writes the page,
 * test/unit/platforms-doc.test.ts holds that it is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformFor } from '../src/platform/index';
import type { Asked, Because, Option, Platform, Request, SocketKind } from '../src/platform/platform';
import { missing } from '../src/platform/settings';

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
    .map((request) => {
      const value = request.value === undefined ? '' : ` = ${request.value}`;
      const when = request.interface ? ', for the interface' : '';
      return `\`${spell(platform, request, /RECV|PKTINFO/)}${value}\`${when}${request.optional ? ', may fail' : ''}`;
    })
    .join('<br>') || '–';

/** A row per subject, a column per kind of socket. */
function kindTable(
  platform: Platform,
  head: string,
  rows: readonly (readonly [subject: string, of: (kind: SocketKind) => string])[],
): string {
  const kinds = KINDS.filter(([kind]) => kind !== 'dual' || platform.quirks.dualStack);
  const title = `| ${head} | ${kinds.map(([, name]) => name).join(' | ')} |\n|---|${kinds.map(() => '---|').join('')}`;
  const body = rows.map(([subject, of]) => `| ${subject} | ${kinds.map(([kind]) => of(kind)).join(' | ')} |`);
  return [title, ...body].join('\n');
}

function requestTable(platform: Platform): string {
  const options = Object.entries(platform.carried).flatMap(([option, offer]) =>
    missing(offer) ? [] : [[`\`${option}\``, (kind: SocketKind) => asked(platform, offer[kind])] as const],
  );
  const destination = ['the destination', (kind: SocketKind) => asked(platform, platform.requests[kind])] as const;
  return kindTable(platform, 'setsockopt(…, 1) for', [destination, ...options]);
}

/** What a socket can be, and what the system has not got. */
function settingTable(platform: Platform): string {
  const { bindToDevice, freebind, transparent, onlyOwnGroups, mtuDiscover, pathMtu, ...others } = platform.settings;
  const { txTime, mark, filter, steer, overflow, blockSource, errorQueue } = others;
  const lacks: string[] = [];
  const rows: [string, (kind: SocketKind) => string][] = [];
  const add = <T extends object>(subject: string, offer: T | Because, of: (offer: T, kind: SocketKind) => string) => {
    if (missing(offer)) lacks.push(`${subject}: ${offer.because}`);
    else rows.push([subject, (kind) => of(offer, kind) || '–']);
  };
  const name = (option: Option) => `\`${spell(platform, option, /^(?!SCM_)/)}\``;
  const setting = ({ ask, needs }: { ask: Asked; needs?: string }, kind: SocketKind) =>
    `${asked(platform, ask[kind])}${needs === undefined || ask[kind].length === 0 ? '' : `; ${needs}`}`;
  const takes = { name: 'the name', index: 'the index', networkIndex: 'the index in network byte order' };
  add('`bindToDevice`', bindToDevice, ({ ask }, kind) =>
    ask[kind].map((option) => `${name(option)}, ${takes[option.takes]}`).join('<br>'),
  );
  add('`freebind`', freebind, setting);
  add('`transparent`', transparent, setting);
  add('`multicastAll: false`', onlyOwnGroups, setting);
  for (const wish of ['do', 'dont', 'want', 'probe'] as const) {
    add(`\`mtuDiscover: '${wish}'\``, mtuDiscover[wish], setting);
  }
  add('`pathMtu()`', pathMtu, (of, kind) => {
    const option = of[kind === 'udp4' ? 4 : 6];
    return option === undefined ? '' : `${name(option)}, bytes ${option.at} to ${option.at + 3} of ${option.size}`;
  });
  add('`txTime`', txTime, ({ option }) => name(option));
  add('`mark`', mark, ({ option, needs }) => `${name(option)}; ${needs}`);
  add('`setFilter()`', filter, ({ attach }) => name(attach));
  add('`reusePort: { steer }`', steer, name);
  add('`blockSource()`', blockSource, ({ ip, any }, kind) =>
    kind === 'udp4'
      ? name({ level: platform.constants.IPPROTO_IP, name: ip })
      : `\`IPPROTO_IPV6 MCAST_BLOCK_SOURCE (${any})\``,
  );
  add('errors queued', errorQueue, ({ flag }) => `recvmsg(…, MSG_ERRQUEUE = ${flag})`);
  add('a full queue told', overflow, ({ ask, errno }, kind) => `${asked(platform, ask[kind])}: ${errno}`);
  return [kindTable(platform, 'a socket', rows), ...(lacks.length > 0 ? ['', `${lacks.join('. ')}.`] : [])].join('\n');
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

const CPUS: readonly [string, readonly string[]][] = [
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
  const tables: Record<string, (platform: Platform) => string> = {
    ask: requestTable,
    set: settingTable,
    messages: messageTable,
  };
  const make = tables[kind ?? ''];
  if (make === undefined) throw new Error(`docs/platforms.md asks for ${what}`);
  return make(platform);
}

export function filled(page: string): string {
  return page.replaceAll(
    /(<!-- data: (.+?) -->\n)[\s\S]*?(<!-- \/data -->)/g,
    (_, open: string, what: string, close: string) => `${open}${table(what)}\n${close}`,
  );
}

if (require.main === module) writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8')));
