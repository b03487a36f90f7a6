/** Cases of sources, and of the messages that name them. */
import { withLength } from './control';
import { type Case, from, GROUP4, type GroundAddress, loopbackIndex, MAPPED, outside, V4, V6 } from './ground';
import { CannotTry, type Kernel } from './kernel';

export const sending: readonly Case[] = [
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
