/** Cases of who may have which address and port. */
import { type Case, V4 } from './ground';
import { CannotTry, type Kernel } from './kernel';

export const binding: readonly Case[] = [
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
