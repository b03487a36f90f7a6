/** What a descriptor is that came from elsewhere, in the words of dgram's errors (libuv's uv_guess_handle). */
import { fstatSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import type { Engine } from '../../datagram/engine';
import { block, wordsOf } from '../../datagram/ring';
import { newRemote, SOCKADDR_SPACE } from '../../datagram/sockaddr';

/** <sys/socket.h> of every OS that we know. */
const SOCK_STREAM = 1;

export type DescriptorType = 'UDP' | 'TCP' | 'TTY' | 'FILE' | 'PIPE' | 'UNKNOWN';

export function descriptorType(engine: Engine, fd: number): DescriptorType {
  if (isatty(fd)) return 'TTY';
  let stats: Stats;
  try {
    stats = fstatSync(fd);
  } catch {
    return 'UNKNOWN';
  }
  if (stats.isFile() || stats.isCharacterDevice()) return 'FILE';
  if (stats.isFIFO()) return 'PIPE';
  return stats.isSocket() ? socketType(engine, fd) : 'UNKNOWN';
}

function socketType({ host, sockaddrs }: Engine, fd: number): DescriptorType {
  const { SOL_SOCKET, SO_TYPE, SOCK_DGRAM } = host.platform.constants;
  const [type, name] = [block(4), block(SOCKADDR_SPACE)];
  if (host.syscalls.getsockopt(fd, SOL_SOCKET, SO_TYPE, type) < 0) return 'UNKNOWN';
  if (host.syscalls.getsockname(fd, name) < 0) return 'UNKNOWN';
  const ip = sockaddrs.read(name, wordsOf(name), 0, newRemote());
  const kind = wordsOf(type)[0];
  if (kind === SOCK_DGRAM && ip) return 'UDP';
  if (kind === SOCK_STREAM) return ip ? 'TCP' : 'PIPE';
  return 'UNKNOWN';
}
