/**
 * Where kernels differ from each other, one case each: what is tried, and in a word or two what came of it. They run on this
 * machine, and on the models of other kernels. Everything stays on the machine: loopback addresses, its own, and groups of
 * the interface.
 */
import { withLength } from './control';
import { CannotTry, type Kernel, type Received } from './kernel';

export interface Ground {
  readonly kernel: Kernel;
  readonly addresses: readonly GroundAddress[];
}

export interface GroundAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly interface: string;
  readonly internal: boolean;
  readonly netmask: string;
}

export interface Case {
  readonly name: string;
  readonly about: string;
  /** Its message or its buffer is not as it should be: tried in a process of its own. */
  readonly malformed?: true;
  /** @throws CannotTry */
  run(ground: Ground): Promise<string>;
}

const V4 = '127.0.0.1';
const V6 = '::1';
const MAPPED = '::ffff:127.0.0.1';
/** 239.255.0.0/16 is for the site, to be used as one likes (RFC 2365, section 6.1). */
const GROUP4 = '239.255.53.0';
/** Transient and interface-local (RFC 4291, section 2.7). */
const GROUP6 = 'ff11::5300';

/** What a datagram came with: the kind of its name, and whether its destination was told. */
function told(kernel: Kernel, got: Received | string | undefined): string {
  if (got === undefined) return 'nothing received';
  if (typeof got === 'string') return got;
  const known = kernel.platform.arrivals.some((one) =>
    got.messages.some(({ level, type, size }) => level === one.level && type === one.type && size >= 4),
  );
  return `${got.name}, ${known ? 'destination told' : 'no destination'}`;
}

const from = (got: Received | string | undefined) => (typeof got === 'object' ? got.from : (got ?? 'nothing received'));

/** An address of another interface than the loopback. @throws CannotTry */
function outside({ addresses }: Ground, family: 4 | 6): GroundAddress {
  const found = addresses.find((one) => !one.internal && one.family === family && !one.address.includes('%'));
  if (found === undefined) throw new CannotTry(`no IPv${family} address beside the loopback's`);
  return found;
}

function loopbackIndex({ kernel, addresses }: Ground): number {
  const name = addresses.find(({ internal }) => internal)?.interface;
  const index = name === undefined ? 0 : kernel.index(name);
  if (index === 0) throw new CannotTry('no loopback interface');
  return index;
}

async function afterDisconnect(kernel: Kernel, peer: string): Promise<string> {
  // A port that was asked for by its number: Linux gives back one that it chose itself.
  const { fd: first, port } = kernel.bound('dual', '::');
  kernel.release(first);
  const fd = kernel.socket('dual');
  const bound = kernel.bind(fd, { address: '::', port });
  if (bound !== 'ok') throw new CannotTry(`bind: ${bound}`);
  const v4 = kernel.bound('udp4', V4);
  const v6 = kernel.bound('udp6', V6);
  const connected = kernel.connect(fd, { address: peer, port: peer === V6 ? v6.port : v4.port });
  if (connected !== 'ok') return `connect: ${connected}`;
  kernel.dissolve(fd, 6);
  kernel.send(v4.fd, { to: { address: V4, port } });
  const hearsIPv4 = typeof (await kernel.receive(fd)) === 'object';
  kernel.send(v6.fd, { to: { address: V6, port } });
  const hearsIPv6 = typeof (await kernel.receive(fd)) === 'object';
  if (hearsIPv4 && hearsIPv6) return 'hears both families';
  return hearsIPv4 ? 'hears IPv4 alone' : hearsIPv6 ? 'hears IPv6 alone' : 'hears nothing';
}

/** Does a wildcard socket hear a group that another one has joined on that interface? Or why it cannot be tried. */
async function byStranger(kernel: Kernel, index: number): Promise<string> {
  const { IPPROTO_IPV6, IPV6_JOIN_GROUP, IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS, SOL_SOCKET } =
    kernel.platform.constants;
  const [stranger, member] = [kernel.socket('udp6'), kernel.socket('udp6')] as const;
  for (const fd of [stranger, member]) kernel.set(fd, SOL_SOCKET, kernel.platform.quirks.reuseAddr, 1);
  kernel.bind(stranger, { address: '::', port: 0 });
  const port = kernel.port(stranger);
  const bound = kernel.bind(member, { address: '::', port });
  if (bound !== 'ok') return `two sockets on one port: ${bound}`;
  const joined = kernel.set(member, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership(kernel, index));
  if (joined !== 'ok') return `joining ${GROUP6}: ${joined}`;
  const client = kernel.socket('udp6');
  kernel.set(client, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
  kernel.set(client, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 0);
  const sent = kernel.send(client, { to: { address: GROUP6, port, scope: index } });
  if (sent !== 'sent') return `sending to ${GROUP6}: ${sent}`;
  if (typeof (await kernel.receive(member)) !== 'object') return 'the member hears nothing';
  return typeof (await kernel.receive(stranger)) === 'object' ? 'delivered' : 'not delivered';
}

function share(kernel: Kernel, options: readonly (number | undefined)[], addresses: readonly string[]): string {
  const { SOL_SOCKET } = kernel.platform.constants;
  const first = kernel.socket('udp4');
  const second = kernel.socket('udp4');
  for (const [at, fd] of [first, second].entries()) {
    const option = options[at];
    if (option !== undefined && kernel.set(fd, SOL_SOCKET, option, 1) !== 'ok') throw new CannotTry('no such option');
  }
  const bound = kernel.bind(first, { address: addresses[0]!, port: 0 });
  if (bound !== 'ok') return `first: ${bound}`;
  return kernel.bind(second, { address: addresses[1]!, port: kernel.port(first) });
}

const asking: readonly Case[] = [
  {
    name: 'mapped-bound',
    about: 'a dual-stack socket bound to ::ffff:127.0.0.1 hears an IPv4 datagram',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('dual', MAPPED);
      const client = kernel.bound('udp4', V4);
      kernel.send(client.fd, { to: { address: V4, port } });
      return told(kernel, await kernel.receive(fd));
    },
  },
  {
    name: 'mapped-connected',
    about: 'a dual-stack socket connected to ::ffff:127.0.0.1 hears its peer',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('dual', '::');
      const client = kernel.bound('udp4', V4);
      const connected = kernel.connect(fd, { address: MAPPED, port: client.port });
      if (connected !== 'ok') return `connect: ${connected}`;
      kernel.send(client.fd, { to: { address: V4, port } });
      return told(kernel, await kernel.receive(fd));
    },
  },
  {
    name: 'disconnect-mapped',
    about: 'a dual-stack socket is connected to a mapped address and disconnected',
    run: ({ kernel }) => afterDisconnect(kernel, MAPPED),
  },
  {
    name: 'disconnect-ipv6',
    about: 'a dual-stack socket is connected to ::1 and disconnected',
    run: ({ kernel }) => afterDisconnect(kernel, V6),
  },
  {
    name: 'group-not-joined',
    about: 'a wildcard IPv6 socket is no member of a group that another socket has joined',
    async run(ground) {
      const { kernel, addresses } = ground;
      const names = new Set(addresses.filter(({ family }) => family === 6).map((one) => one.interface));
      let why = 'no interface with IPv6';
      for (const index of [...names].map((name) => kernel.index(name))) {
        const heard = await byStranger(kernel, index);
        if (heard === 'delivered' || heard === 'not delivered') return heard;
        why = heard;
      }
      throw new CannotTry(why);
    },
  },
  {
    name: 'short-control',
    malformed: true,
    about: 'a datagram is received with room for half of its control messages',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('udp4', '0.0.0.0');
      const client = kernel.bound('udp4', V4);
      const { cmsg, arrivals } = kernel.platform;
      const least = Math.min(...arrivals.map(({ size }) => size).filter((size) => size >= 4));
      kernel.send(client.fd, { to: { address: V4, port } });
      const got = await kernel.receive(fd, cmsg.data + Math.max(least - 2, 1));
      if (typeof got !== 'object') return got ?? 'nothing received';
      const cut = got.cut ? 'MSG_CTRUNC' : 'no MSG_CTRUNC';
      return got.messages.length === 0 ? `no message, ${cut}` : `part of a message, ${cut}`;
    },
  },
  {
    name: 'timestamp-place',
    about: 'where the timestamp stands among control messages',
    async run({ kernel }) {
      const { platform } = kernel;
      const requests = platform.optionRequests.recvTimestamp?.udp4;
      if (requests === undefined || requests.length === 0) throw new CannotTry('no timestamps here');
      const fd = kernel.socket('udp4');
      for (const { level, name, value = 1 } of requests) kernel.set(fd, level, name, value);
      kernel.bind(fd, { address: V4, port: 0 });
      const client = kernel.bound('udp4', V4);
      kernel.send(client.fd, { to: { address: V4, port: kernel.port(fd) } });
      const got = await kernel.receive(fd);
      if (typeof got !== 'object') return got ?? 'nothing received';
      const at = got.messages.findIndex(({ level }) => level === platform.constants.SOL_SOCKET);
      if (at < 0) return 'none';
      return at === 0 ? 'first' : at === got.messages.length - 1 ? 'last' : 'between';
    },
  },
  {
    name: 'interface-length',
    about: 'bytes of the sockaddr_dl that IP_RECVIF tells',
    async run({ kernel }) {
      const { IP_RECVIF, IPPROTO_IP } = kernel.platform.constants;
      if (IP_RECVIF === undefined) throw new CannotTry('no IP_RECVIF here');
      const fd = kernel.socket('udp4', { asked: false });
      kernel.set(fd, IPPROTO_IP, IP_RECVIF, 1);
      kernel.bind(fd, { address: V4, port: 0 });
      const client = kernel.bound('udp4', V4);
      kernel.send(client.fd, { to: { address: V4, port: kernel.port(fd) } });
      const got = await kernel.receive(fd);
      if (typeof got !== 'object') return got ?? 'nothing received';
      const message = got.messages.find(({ level, type }) => level === IPPROTO_IP && type === IP_RECVIF);
      return message === undefined ? 'not told' : `${message.size}`;
    },
  },
  {
    name: 'queue-room',
    about: 'how many small datagrams fit into the receive queue when destinations are asked for',
    async run({ kernel }) {
      const plain = await room(kernel, false);
      const asked = await room(kernel, true);
      return asked < plain * 0.97 ? 'fewer than without' : 'as many as without';
    },
  },
];

const sources: readonly Case[] = [
  {
    name: 'leftover-flags',
    about: 'a message is sent whose msg_flags are left over from a receive',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('udp4', V4);
      const { MSG_TRUNC, MSG_CTRUNC, MSG_WAITFORONE = 0 } = kernel.platform.constants;
      const leftover = MSG_TRUNC | MSG_CTRUNC | MSG_WAITFORONE;
      return kernel.send(fd, { to: { address: V4, port }, leftover });
    },
  },
  {
    name: 'v6only-to-mapped',
    about: 'an IPV6_V6ONLY socket sends to ::ffff:127.0.0.1',
    async run({ kernel }) {
      const receiver = kernel.bound('udp4', V4);
      const sent = kernel.send(kernel.socket('udp6'), { to: { address: MAPPED, port: receiver.port } });
      if (sent !== 'sent') return sent;
      return typeof (await kernel.receive(receiver.fd)) === 'object' ? 'sent as IPv4' : 'sent, and lost';
    },
  },
  {
    name: 'broadcast-source',
    about: 'a datagram is to leave from the broadcast address of a network',
    async run(ground) {
      const { kernel } = ground;
      const own = outside(ground, 4);
      const source = broadcastOf(own);
      const receiver = kernel.bound('udp4', own.address);
      const { fd } = kernel.bound('udp4', '0.0.0.0');
      const to = { address: own.address, port: receiver.port };
      return kernel.send(fd, { to, control: kernel.source('udp4', source) });
    },
  },
  {
    name: 'foreign-interface-source',
    about: 'a datagram to 127.0.0.1 is to leave from an address of another interface',
    async run(ground) {
      const { kernel } = ground;
      const own = outside(ground, 4);
      const receiver = kernel.bound('udp4', V4);
      const { fd } = kernel.bound('udp4', '0.0.0.0');
      const sent = kernel.send(fd, {
        to: { address: V4, port: receiver.port },
        control: kernel.source('udp4', own.address),
      });
      if (sent !== 'sent') return sent;
      return from(await kernel.receive(receiver.fd)) === own.address ? 'sent from it' : 'sent from another';
    },
  },
  {
    name: 'zero-tail',
    malformed: true,
    about: 'zero bytes stand behind the control message of a send',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('udp4', '0.0.0.0');
      const control = Buffer.concat([kernel.source('udp4', V4), Buffer.alloc(2 * kernel.platform.cmsg.data)]);
      return kernel.send(fd, { to: { address: V4, port }, control });
    },
  },
  {
    name: 'cut-message',
    malformed: true,
    about: 'the control message of a send is longer than the buffer',
    async run({ kernel }) {
      const { fd, port } = kernel.bound('udp4', '0.0.0.0');
      const whole = kernel.source('udp4', V4);
      return kernel.send(fd, {
        to: { address: V4, port },
        control: withLength(kernel.platform, whole, whole.length + 64),
      });
    },
  },
  {
    name: 'two-sources',
    about: 'two control messages of one send name two sources',
    async run(ground) {
      const { kernel } = ground;
      const own = outside(ground, 4);
      const receiver = kernel.bound('udp4', '0.0.0.0');
      const { fd } = kernel.bound('udp4', '0.0.0.0');
      const control = Buffer.concat([kernel.source('udp4', V4), kernel.source('udp4', own.address)]);
      const sent = kernel.send(fd, { to: { address: own.address, port: receiver.port }, control });
      if (sent !== 'sent') return sent;
      const source = from(await kernel.receive(receiver.fd));
      return source === V4 ? 'the first wins' : source === own.address ? 'the last wins' : 'another';
    },
  },
  {
    name: 'other-index',
    about: "IPV6_PKTINFO names an address of one interface and the loopback's index",
    async run(ground) {
      const { kernel } = ground;
      const { address } = outside(ground, 6);
      const receiver = kernel.bound('udp6', address);
      const { fd } = kernel.bound('udp6', '::');
      const control = kernel.source('udp6', address, loopbackIndex(ground));
      return kernel.send(fd, { to: { address, port: receiver.port }, control });
    },
  },
  {
    name: 'index-alone',
    about: "IPV6_PKTINFO names the loopback's index alone, towards an address of another interface",
    async run(ground) {
      const { kernel } = ground;
      const { address } = outside(ground, 6);
      const receiver = kernel.bound('udp6', address);
      const { fd } = kernel.bound('udp6', '::');
      const control = kernel.source('udp6', '::', loopbackIndex(ground));
      const sent = kernel.send(fd, { to: { address, port: receiver.port }, control });
      if (sent !== 'sent') return sent;
      const source = from(await kernel.receive(receiver.fd));
      if (source === address) return 'routing chooses the address';
      return source === V6 ? "the loopback's address" : source === 'nothing received' ? 'lost' : 'another address';
    },
  },
  {
    name: 'control-counts',
    about: 'a payload as large as SO_SNDBUF is sent with a control message',
    async run({ kernel }) {
      const { SOL_SOCKET, SO_SNDBUF } = kernel.platform.constants;
      const { fd, port } = kernel.bound('udp4', '0.0.0.0');
      kernel.set(fd, SOL_SOCKET, SO_SNDBUF, 9000);
      const size = kernel.get(fd, SOL_SOCKET, SO_SNDBUF);
      // Linux doubles what it was asked for, and tells the double.
      const payload = Buffer.alloc(Math.min(size, 9000));
      return kernel.send(fd, { to: { address: V4, port }, payload, control: kernel.source('udp4', V4) });
    },
  },
  {
    name: 'group-bound-source',
    about: 'a socket bound to a group answers without naming a source',
    async run(ground) {
      const { kernel } = ground;
      const { IPPROTO_IP, IP_ADD_MEMBERSHIP } = kernel.platform.constants;
      const fd = kernel.socket('udp4');
      const bound = kernel.bind(fd, { address: GROUP4, port: 0 });
      if (bound !== 'ok') throw new CannotTry(`bind to ${GROUP4}: ${bound}`);
      kernel.set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership4(kernel));
      const client = kernel.bound('udp4', V4);
      const sent = kernel.send(fd, { to: { address: V4, port: client.port } });
      if (sent !== 'sent') return sent;
      const source = from(await kernel.receive(client.fd));
      return source === GROUP4
        ? 'from the group'
        : source === 'nothing received'
          ? 'lost'
          : 'from an address of its own';
    },
  },
];

const binding: readonly Case[] = [
  {
    name: 'dual-beside-udp4',
    about: 'a wildcard IPv4 socket has the port that a dual-stack one wants',
    async run({ kernel }) {
      const { port } = kernel.bound('udp4', '0.0.0.0');
      return kernel.bind(kernel.socket('dual'), { address: '::', port });
    },
  },
  {
    name: 'reuseport-second',
    about: 'SO_REUSEPORT on the second of two sockets on one port',
    async run({ kernel }) {
      const { SO_REUSEPORT } = kernel.platform.constants;
      if (SO_REUSEPORT === undefined) throw new CannotTry('no SO_REUSEPORT here');
      return share(kernel, [undefined, SO_REUSEPORT], ['0.0.0.0', '0.0.0.0']);
    },
  },
  {
    name: 'reuseaddr-specific',
    about: 'SO_REUSEADDR on both, one on all addresses and one on 127.0.0.1',
    async run({ kernel }) {
      const { SO_REUSEADDR } = kernel.platform.constants;
      return share(kernel, [SO_REUSEADDR, SO_REUSEADDR], ['0.0.0.0', V4]);
    },
  },
  {
    name: 'bind-broadcast',
    about: 'a socket is bound to 255.255.255.255',
    async run({ kernel }) {
      return kernel.bind(kernel.socket('udp4'), { address: '255.255.255.255', port: 0 });
    },
  },
];

export const cases: readonly Case[] = [...asking, ...sources, ...binding];

function membership(kernel: Kernel, index: number): Buffer {
  const { size, fields } = kernel.platform.structs.ipv6_mreq!;
  const bytes = Buffer.alloc(size);
  // ff11::5300
  bytes.set([0xff, 0x11, ...Array<number>(12).fill(0), 0x53, 0x00], fields.ipv6mr_multiaddr!.offset);
  bytes.writeUInt32LE(index, fields.ipv6mr_interface!.offset);
  return bytes;
}

function membership4(kernel: Kernel): Buffer {
  const { size, fields } = kernel.platform.structs.ip_mreq!;
  const bytes = Buffer.alloc(size);
  bytes.set(GROUP4.split('.').map(Number), fields.imr_multiaddr!.offset);
  bytes.set(V4.split('.').map(Number), fields.imr_interface!.offset);
  return bytes;
}

function broadcastOf({ address, netmask }: GroundAddress): string {
  const mask = netmask.split('.').map(Number);
  if ((mask[3] ?? 255) >= 254) throw new CannotTry('its network has no broadcast address');
  return address
    .split('.')
    .map((byte, at) => Number(byte) | (~(mask[at] ?? 0) & 0xff))
    .join('.');
}

/** Datagrams of 40 bytes that a queue of 8 KiB takes. */
async function room(kernel: Kernel, asked: boolean): Promise<number> {
  const { SOL_SOCKET, SO_RCVBUF } = kernel.platform.constants;
  const fd = kernel.socket('udp4', { asked });
  kernel.set(fd, SOL_SOCKET, SO_RCVBUF, 8192);
  kernel.bind(fd, { address: V4, port: 0 });
  const client = kernel.bound('udp4', V4);
  const to = { address: V4, port: kernel.port(fd) };
  const payload = Buffer.alloc(40);
  for (let sent = 0; sent < 300; sent++) kernel.send(client.fd, { to, payload });
  let heard = 0;
  while (typeof (await kernel.receive(fd)) === 'object') heard++;
  return heard;
}
