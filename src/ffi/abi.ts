import type { Platform } from '../platform/platform';
import type { Abi } from '../structs/ref';

/** What structs that no Platform carries (epoll_event, pollfd) are laid out by. */
export function abiOf({ arch, calls, message: { pointerSize, littleEndian } }: Platform): Abi {
  return {
    pointerSize,
    endianness: littleEndian ? 'LE' : 'BE',
    int64Alignment: arch === 'ia32' && calls === 'posix' ? 4 : 8,
  };
}
