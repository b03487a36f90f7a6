/** SO_RCVBUF and SO_SNDBUF as dgram gives and takes them (uv_recv_buffer_size). */
import { getSystemErrorMap } from 'node:util';
import type { Channel } from '../datagram/channel';
import { errnoName, failure } from '../datagram/failure';
import { badBufferSize, bufferSizeError } from '../errors';

/**
 * @param size bytes to set, or 0 to ask. → bytes, as the kernel counts them (Linux doubles what it is given)
 * @throws ERR_SOCKET_BAD_BUFFER_SIZE, ERR_SOCKET_BUFFER_SIZE
 */
export function bufferSize(channel: Channel, which: 'recv' | 'send', size: number): number {
  if (size >>> 0 !== size) throw badBufferSize();
  const { platform } = channel.engine.host;
  const { constants: c, errno } = platform;
  const name = which === 'recv' ? c.SO_RCVBUF : c.SO_SNDBUF;
  // Before bind(): libuv's word on Windows, where it asks Winsock all the same.
  const unopened = channel.fd < 0 && platform.calls === 'winsock' ? -errno.ENOTSOCK : 0;
  const result =
    unopened ||
    (size > 0x7fffffff
      ? -errno.EINVAL
      : size === 0
        ? channel.getInt(c.SOL_SOCKET, name)
        : channel.setInt(c.SOL_SOCKET, name, size));
  if (result >= 0) return size === 0 ? result : 0;
  const { errno: number } = failure(platform, result, '');
  const message = getSystemErrorMap().get(number)?.[1] ?? '';
  throw bufferSizeError(errnoName(platform, result), number, message, `uv_${which}_buffer_size`);
}
