/** Android: Linux's kernel and numbers under bionic's declarations. Termux's Node.js reports this platform. */
import { cmsghdrSizeT } from '../structs/cmsghdr';
import { group_req, group_source_req } from '../structs/membership';
import { mmsghdr, msghdrSizeT } from '../structs/msghdr';
import type { Abi } from '../structs/ref';
import { sockaddr_storageAndroid } from '../structs/sockaddr';
import { timespec, timeval } from '../structs/time';
import { kernelStructs, linuxKernel } from './linux';
import type { Platform } from './platform';

const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };

/** undefined for a CPU that no fixture covers. */
export function android(arch: string): Platform | undefined {
  if (arch !== 'arm64' && arch !== 'x64') return undefined;
  return linuxKernel('android', arch, LP64, {
    ...kernelStructs(LP64),
    msghdr: msghdrSizeT(LP64),
    mmsghdr: mmsghdr(msghdrSizeT)(LP64),
    cmsghdr: cmsghdrSizeT(LP64),
    sockaddr_storage: sockaddr_storageAndroid(LP64),
    group_req: group_req(sockaddr_storageAndroid)(LP64),
    group_source_req: group_source_req(sockaddr_storageAndroid)(LP64),
    timespec: timespec(LP64),
    timeval: timeval(LP64),
  });
}
