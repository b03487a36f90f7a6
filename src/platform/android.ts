/** Android: Linux's kernel and numbers under bionic's declarations. Termux's Node.js reports this platform. */
import { cmsghdrSizeT } from '../structs/cmsghdr';
import { group_req, group_source_req } from '../structs/membership';
import { mmsghdr, msghdrSizeT } from '../structs/msghdr';
import { LP64 } from '../structs/ref';
import { sockaddr_storageAndroid } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { timespec, timeval } from '../structs/time';
import { kernelStructs, linuxKernel } from './linux';
import type { Platform } from './platform';

const structs = {
  ...kernelStructs,
  msghdr: msghdrSizeT,
  mmsghdr: mmsghdr(msghdrSizeT),
  cmsghdr: cmsghdrSizeT,
  sockaddr_storage: sockaddr_storageAndroid,
  group_req: group_req(sockaddr_storageAndroid),
  group_source_req: group_source_req(sockaddr_storageAndroid),
  timespec,
  timeval,
};

/** undefined for a CPU that no fixture covers. */
export function android(arch: string): Platform | undefined {
  if (arch !== 'arm64' && arch !== 'x64') return undefined;
  return linuxKernel('android', arch, LP64, structsOf(LP64, structs));
}
