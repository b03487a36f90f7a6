/**
 * Two hosts on two cables, made of network namespaces. The server is the namespace that we run in; the client is a
 * child. Nothing here is torn down: namespaces go when their last process does, and run.sh sees to that.
 *
 *     server                                                  client
 *     v0  10.77.0.1-3/24  fd77::1-3/64  fe80::1, fe80::2  ──  v1  10.77.0.100  fd77::100  fe80::100
 *     w0  10.88.0.1-2/24  fd88::1-2/64  fe80::1           ──  w1  10.88.0.100  fd88::100  fe80::100
 *     lo  10.99.0.1/32    fd99::1/128 (VIPs; the client's route to them leads over v1)
 *
 * The client also reaches 10.88.0.2 and fd88::2 over v1 (weak host: the address is on the other interface), and the
 * server knows a second way to the client's v1 addresses over w0 (asymmetric routes): a longer one for IPv4, an equal
 * one behind the first for IPv6. There the interface in IPV6_PKTINFO decides between equal routes only: with a source
 * address beside it Linux takes a better route by another interface (ip6_route_output_flags; seen on 6.18).
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Client {
  /** The command that runs a program in the client's namespace: put the program and its arguments behind it. */
  readonly enter: readonly [string, ...string[]];
}

/** Addresses of the server that may answer a group or broadcast request that came in over the interface. */
export const ON = {
  v0: {
    ipv4: ['10.77.0.1', '10.77.0.2', '10.77.0.3'],
    ipv6: ['fd77::1', 'fd77::2', 'fd77::3'],
    linkLocal: ['fe80::1', 'fe80::2'],
  },
  w0: { ipv4: ['10.88.0.1', '10.88.0.2'], ipv6: ['fd88::1', 'fd88::2'], linkLocal: ['fe80::1'] },
} as const;

export const GROUPS = { ipv4: '239.77.0.1', linkScope: 'ff02::7777', siteScope: 'ff15::7777' } as const;

const CLIENT_V1_MAC = '02:00:00:00:77:64';
const CLIENT_W1_MAC = '02:00:00:00:88:64';

// No duplicate address detection and no generated link-local addresses: what stands here can be used at once.
const SERVER = `
link set lo up
link set v0 addrgenmode none
link set w0 addrgenmode none
${ON.v0.ipv4.map((address) => `addr add ${address}/24 brd + dev v0`).join('\n')}
${[...ON.v0.ipv6, ...ON.v0.linkLocal].map((address) => `addr add ${address}/64 dev v0 nodad`).join('\n')}
${ON.w0.ipv4.map((address) => `addr add ${address}/24 brd + dev w0`).join('\n')}
${[...ON.w0.ipv6, ...ON.w0.linkLocal].map((address) => `addr add ${address}/64 dev w0 nodad`).join('\n')}
addr add 10.99.0.1/32 dev lo
addr add fd99::1/128 dev lo nodad
link set v0 up
link set w0 up
route add 10.77.0.0/24 dev w0 metric 2048
route append fd77::/64 dev w0 metric 256
neigh add 10.77.0.100 lladdr ${CLIENT_W1_MAC} dev w0
neigh add fd77::100 lladdr ${CLIENT_W1_MAC} dev w0
`;

const CLIENT = `
link set lo up
link set v1 address ${CLIENT_V1_MAC} addrgenmode none
link set w1 address ${CLIENT_W1_MAC} addrgenmode none
addr add 10.77.0.100/24 brd + dev v1
addr add fd77::100/64 dev v1 nodad
addr add fe80::100/64 dev v1 nodad
addr add 10.88.0.100/24 brd + dev w1
addr add fd88::100/64 dev w1 nodad
addr add fe80::100/64 dev w1 nodad
link set v1 up
link set w1 up
route add 10.99.0.1/32 via 10.77.0.1
route add fd99::1/128 via fd77::1
route add 10.88.0.2/32 via 10.77.0.1
route add fd88::2/128 via fd77::1
`;

// Answers on one cable to requests from the other must not be dropped by a distribution's default (P11).
const NO_REVERSE_PATH_FILTER =
  'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do [ "$(cat $f)" = 0 ] || echo 0 > $f; done';

/** Builds both hosts. Call once, in a namespace of our own. */
export async function build(): Promise<Client> {
  // The shell names itself as /proc does, which shows the outer PID namespace.
  const holder = spawn('unshare', [
    '--net',
    'sh',
    '-c',
    'read -r pid rest < /proc/self/stat && echo "$pid" && exec sleep infinity',
  ]);
  holder.stderr.pipe(process.stderr);
  const [line] = await once(holder.stdout, 'data');
  const namespace = `/proc/${String(line).trim()}/ns/net`;
  const enter = ['nsenter', `--net=${namespace}`] as const;

  ip('link add v0 type veth peer name v1\nlink add w0 type veth peer name w1\n');
  ip(`link set v1 netns ${namespace}\nlink set w1 netns ${namespace}\n`);
  execFileSync('sh', ['-c', NO_REVERSE_PATH_FILTER]);
  execFileSync(enter[0], [enter[1], 'sh', '-c', NO_REVERSE_PATH_FILTER]);
  execFileSync(enter[0], [enter[1], 'ip', '-batch', '-'], { input: CLIENT });
  ip(SERVER);
  return { enter };
}

/** Runs lines of ip(8) in the server's namespace. */
export function ip(lines: string): void {
  execFileSync('ip', ['-batch', '-'], { input: lines });
}

/** Interface indexes of the server by name. */
export function indexes(): ReadonlyMap<string, number> {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as {
    ifindex: number;
    ifname: string;
  }[];
  return new Map(links.map((link) => [link.ifname, link.ifindex]));
}
