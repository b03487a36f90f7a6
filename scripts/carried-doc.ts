/**
 * Writes docs/carried.md: what a datagram carries and what a socket can be, on each OS, from the option table and the platform
 * data, tried on the kernel models. `npm run docs:carried` writes it, test/unit/carried-doc.test.ts holds that it is up to
 * date and that the tests which it names are there.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { carried } from '../src/datagram/carried';
import type { OptionName, Platform } from '../src/platform/platform';
import { missing } from '../src/platform/settings';
import { type Features, findings } from '../src/socket/capabilities';
import { World } from '../test/models/world';

export const PAGE = join(__dirname, '../docs/carried.md');

const OSES = [
  ['Linux', 'linux-x64'],
  ['macOS', 'darwin-arm64'],
  ['FreeBSD', 'freebsd-x64'],
  ['OpenBSD', 'openbsd-x64'],
  ['NetBSD', 'netbsd-x64'],
  ['Android', 'android-arm64'],
  ['Windows', 'win32-x64'],
] as const;

/** Whether there are sockets at all, and where they answer from: docs/matrix.md. */
type Basic = 'ipv4' | 'ipv6' | 'destination' | 'localAddress' | 'interface' | 'dualStack';

/** A test that Linux' own kernel takes part in: file below test/e2e, and the beginning of its name. */
type Tried = readonly [file: string, name: string];

interface Row {
  /** As a user asks for it. */
  readonly what: string;
  readonly tried: Tried;
}

const scene = (name: string) => `carried/${name}.scene.ts`;
const LOOPBACK = 'carried.test.ts';
const TPROXY: Tried = [scene('addresses'), 'what a firewall hands over says where it was sent to'];
const MARKS: Tried = [scene('traffic'), 'a mark of the firewall is told, and answers carry it'];
const BATCHES: Tried = ['netns/calls.ts', 'datagrams do not move one by one'];

/** tsc names a feature that is missing here. */
const ROWS: Readonly<Record<Exclude<keyof Features, Basic>, Row>> = {
  ttl: { what: '`recvTTL`', tried: [scene('icmp'), 'TTL and hop limit drop by one per hop'] },
  tos: { what: '`recvTOS`', tried: [scene('icmp'), 'ECN of the sender comes through'] },
  timestamp: { what: '`recvTimestamp`, `maxQueueTime`', tried: [LOOPBACK, 'what waited longer than maxQueueTime'] },
  drops: { what: '`recvDrops`', tried: [scene('traffic'), 'the counter of drops of a flood is right'] },
  errors: { what: '`recvErrors`', tried: [scene('icmp'), 'a port unreachable is told with its peer'] },
  recvMark: { what: '`recvMark`, `replyMark`', tried: MARKS },
  originalDestination: { what: '`rinfo.originalDestination`', tried: TPROXY },
  fullSize: { what: '`rinfo.fullSize`', tried: [LOOPBACK, 'a datagram that was cut says how long it was'] },
  gro: { what: '`gro`', tried: [LOOPBACK, "gro: 'runs' hands over what it has coalesced"] },
  gso: { what: 'runs, `segmentSize`: cut by the kernel', tried: [LOOPBACK, 'segmentSize cuts a message'] },
  batchReceive: { what: 'many datagrams received by one call', tried: BATCHES },
  batchSend: { what: 'many datagrams sent by one call', tried: BATCHES },
  mark: { what: '`mark` with a datagram', tried: MARKS },
  txTime: { what: '`txTime`', tried: [scene('traffic'), 'txTime: what has a time leaves'] },
  bindToDevice: { what: '`bindToDevice`', tried: [scene('addresses'), 'two devices with equal subnets'] },
  freebind: { what: '`freebind`', tried: [scene('addresses'), 'freebind binds to an address that comes later'] },
  transparent: { what: '`transparent`', tried: TPROXY },
  multicastAll: { what: '`multicastAll: false`', tried: [scene('addresses'), 'multicastAll: false does not hear'] },
  mtuDiscover: { what: '`mtuDiscover`', tried: [scene('icmp'), 'behind a small MTU fragmentation is needed'] },
  pathMtu: { what: '`pathMtu()`', tried: [scene('icmp'), 'without recvErrors EMSGSIZE says what fits'] },
  reusePort: { what: '`reusePort`', tried: [LOOPBACK, 'reusePort: { steer }'] },
  steer: { what: '`reusePort: { steer }`', tried: [LOOPBACK, 'reusePort: { steer }'] },
  filter: { what: '`setFilter()`', tried: [scene('traffic'), 'setFilter() drops by the first byte'] },
  blockSource: { what: '`blockSource()`', tried: [scene('traffic'), 'blockSource() hears a group'] },
};

type Name = keyof typeof ROWS;

interface Cell {
  readonly text: 'run' | 'modelled' | 'no' | '–';
  readonly note?: string | undefined;
}

/** Why the OS cannot, by its data; undefined where it can. */
function lacks(
  { carried: asked, settings, quirks, segment, mmsg, privateBatch, tried }: Platform,
  feature: Name,
): string | undefined {
  const option = (Object.keys(carried) as OptionName[]).find((name) => carried[name].feature === feature);
  const offer = {
    ...settings,
    multicastAll: {},
    mtuDiscover: settings.mtuDiscover.do,
    gso: segment ?? tried?.segment ?? { because: 'is not asked to cut datagrams' },
    batchReceive: mmsg ?? privateBatch ?? { because: 'has no recvmmsg' },
    batchSend: mmsg ?? { because: 'has no sendmmsg' },
    fullSize: quirks.truncTellsLength ? {} : { because: 'does not tell how long a datagram was that it cuts' },
    reusePort: quirks.reusePort === undefined ? { because: 'does not balance between sockets on one port' } : {},
    ...(option === undefined ? {} : { [feature]: asked[option] }),
    ...(missing(settings.overflow) ? {} : { drops: {} }),
  }[feature as 'filter'];
  return offer !== undefined && missing(offer) ? offer.because : undefined;
}

function cells(model: string, linux: boolean): ReadonlyMap<Name, Cell> {
  const { engine, platform } = new World(model);
  const found = findings(engine);
  return new Map(
    (Object.keys(ROWS) as Name[]).map((name): [Name, Cell] => {
      const because = lacks(platform, name);
      const { given, note } = found[name];
      if (because !== undefined) return [name, { text: 'no', note: because }];
      if (linux) return [name, { text: 'run' }];
      // A model that does not know an option says nothing of the kernel.
      return [name, given ? { text: 'modelled', note } : { text: '–' }];
    }),
  );
}

/** Which of the two families take it with a datagram. */
function sent(platform: Platform, what: 'ttl' | 'tos'): string {
  const { udp4, udp6 } = platform[what];
  return udp4 && udp6 ? 'both' : udp4 ? 'IPv4' : udp6 ? 'IPv6' : 'no';
}

export function page(): string {
  const columns = OSES.map(([os, model]) => ({ os, cells: cells(model, os === 'Linux') }));
  const head = `| | ${OSES.map(([os]) => os).join(' | ')} |\n|---|${OSES.map(() => '---').join('|')}|`;
  const names = Object.keys(ROWS) as Name[];
  const rows = names.map((name) => {
    const all = columns.map(({ cells }) => cells.get(name) as Cell);
    return `| ${ROWS[name].what} | ${all.map(({ text, note }) => (text === 'modelled' && note ? 'modelled, in part' : text)).join(' | ')} |`;
  });
  const out = (['ttl', 'tos'] as const).map((what) => {
    const all = OSES.map(([, model]) => sent(new World(model).engine.host.platform, what));
    return `| \`send()\` with \`${what}\` | ${all.join(' | ')} |`;
  });
  const reasons = names.flatMap((name) => {
    const by = new Map<string, string[]>();
    for (const { os, cells } of columns) {
      const { note } = cells.get(name) as Cell;
      // The first word of most reasons is the OS.
      const text = note?.replace(new RegExp(`^(${os}) `), '').replaceAll(`${os} `, '');
      if (text !== undefined) by.set(text, [...(by.get(text) ?? []), os]);
    }
    const told = [...by].map(([text, oses]) => `${oses.join(', ')}: ${text}`);
    return told.length === 0 ? [] : [`- **${ROWS[name].what}** – ${told.join('. ')}.`];
  });
  const tests = names.map(
    (name) => `| ${ROWS[name].what} | ${ROWS[name].tried[1]}… | \`test/e2e/${ROWS[name].tried[0]}\` |`,
  );
  return `# What a datagram carries, and what a socket can be

Written by \`npm run docs:carried\` from the option table and the data of each OS. What each option does is in
[api.md](api.md), the numbers that each OS is asked with in [platforms.md](platforms.md), where answers leave from in
[matrix.md](matrix.md). \`capabilities()\` tells the same of the machine that it runs on, privileges and kernel included.

- **run**: a test that Linux' own kernel takes part in does it; [below](#the-tests) is which.
- **modelled**: a model of that OS's kernel (\`test/models\`), which refuses what that kernel's sources do not know, takes what
  is asked for. No such machine took part.
- **no**: this OS cannot. The socket then refuses the option by name, or leaves the field out of \`rinfo\`.
- **–**: this OS has it by its headers, and nobody tried.

${[head, ...rows].join('\n')}

With a datagram that is sent, what an OS does not take is left out, and the socket's own setting holds:

${[head, ...out].join('\n')}

On Windows \`ttl\`, \`tos\` and runs are used where a datagram to the machine itself has shown them: releases since 10 2004 have them
by their documentation.

## Why not, and what is missing

${reasons.join('\n')}

## The tests

| | on Linux, in | |
|---|---|---|
${tests.join('\n')}

That \`txTime\` is heeded, not taken alone, is tried where the kernel has the fq qdisc; elsewhere that test is skipped and says so.
\`npm run test:qemu -- kernels\` tries it on Debian's own kernels, which have it.
`;
}

/** For the test: what each *run* stands on. */
export const evidence: readonly Tried[] = Object.values(ROWS).map(({ tried }) => tried);

if (require.main === module) writeFileSync(PAGE, page());
