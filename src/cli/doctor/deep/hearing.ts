/** Cases of what a socket hears, and what it is told of it. */
import { type Case, GROUP6, MAPPED, told, V4, V6 } from './ground';
import { CannotTry, type Kernel } from './kernel';

export const hearing: readonly Case[] = [
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
    name: 'connect-after-mapped',
    about: 'a dual-stack socket that was connected to a mapped address is connected to ::1',
    async run({ kernel }) {
      const { fd } = kernel.bound('dual', '::');
      const connected = kernel.connect(fd, { address: MAPPED, port: 9 });
      if (connected !== 'ok') throw new CannotTry(`connect to ${MAPPED}: ${connected}`);
      kernel.dissolve(fd, 6);
      return kernel.connect(fd, { address: V6, port: 9 });
    },
  },
  {
    name: 'error-and-datagram',
    about: 'a connected socket has a datagram, and its peer refuses one, before it receives',
    async run({ kernel }) {
      const one = kernel.bound('udp4', V4);
      const peer = kernel.bound('udp4', V4);
      kernel.connect(one.fd, { address: V4, port: peer.port });
      kernel.send(peer.fd, { to: { address: V4, port: one.port } });
      await kernel.settle();
      kernel.release(peer.fd);
      kernel.send(one.fd, {});
      await kernel.settle();
      const got = [await kernel.receive(one.fd), await kernel.receive(one.fd)];
      const [first, second] = got.map((each) => (typeof each === 'object' ? 'the datagram' : each));
      if (second === undefined) return `${first} alone`;
      return `${first}, then ${second}`;
    },
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

function membership(kernel: Kernel, index: number): Buffer {
  const { size, fields } = kernel.platform.structs.ipv6_mreq!;
  const bytes = Buffer.alloc(size);
  // ff11::5300
  bytes.set([0xff, 0x11, ...Array<number>(12).fill(0), 0x53, 0x00], fields.ipv6mr_multiaddr!.offset);
  bytes.writeUInt32LE(index, fields.ipv6mr_interface!.offset);
  return bytes;
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
