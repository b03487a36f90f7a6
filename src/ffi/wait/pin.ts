/**
 * Keeps koffi's addon mapped. When a worker that alone had loaded it ends, Node unmaps the addon before libuv has called
 * the close callbacks that lie inside it: SIGSEGV (docs/koffi.md §2.2). One more dlopen that forbids unloading
 * cures it. The path comes from the addon itself, so neither /proc nor the layout of node_modules matters.
 */
import { unsupportedPlatform } from '../../errors';
import type { Platform } from '../../platform/platform';
import type { Koffi, Library, Pointer } from '../koffi';

/**
 * @param inside any address inside the addon, such as that of a registered callback
 * @returns whether the addon will stay; failing is not an error, it leaves things as they were
 */
export function pin(koffi: Koffi, libc: Library, platform: Platform, inside: Pointer): boolean {
  try {
    if (platform.calls === 'winsock') return pinModule(koffi, inside);
    const flags = platform.pinFlags;
    if (flags === undefined) return false;
    // void *dlopen(const char *filename, int flags);
    const dlopen = libc.func<Pointer>('uintptr_t dlopen(uintptr_t, int)');
    const dli_fname = fileNameOf(koffi, libc, inside);
    return dli_fname !== undefined && Number(dlopen(dli_fname, flags)) !== 0;
  } catch {
    return false; // a libc without dladdr
  }
}

/** → the address of the path of what is mapped there. @throws where libc has no dladdr */
function fileNameOf(koffi: Koffi, libc: Library, inside: Pointer): Pointer | undefined {
  // int dladdr(const void *addr, Dl_info *info); Dl_info: { const char *dli_fname; void *dli_fbase; … } four pointers
  const dladdr = libc.func('int dladdr(uintptr_t, void *)');
  const info = Buffer.alloc(4 * koffi.sizeof('void *'));
  return dladdr(inside, info) === 0 ? undefined : koffi.decode(koffi.address(info), 0, 'uintptr_t');
}

/** The file that koffi's addon was loaded from, wherever a bundler or the user has laid it. @throws where libc cannot tell */
export function addonPath(koffi: Koffi): string {
  const inside = koffi.register(() => {}, koffi.pointer(koffi.proto('void', [])));
  try {
    const name = fileNameOf(koffi, koffi.load(null), inside);
    if (name !== undefined) return koffi.decode.string(name);
    throw unsupportedPlatform('recvfromto cannot find the file that koffi was loaded from: dladdr(3) does not know it');
  } finally {
    koffi.unregister(inside);
  }
}

/** <libloaderapi.h> */
const GET_MODULE_HANDLE_EX_FLAG_PIN = 0x1;
const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS = 0x4;

function pinModule(koffi: Koffi, inside: Pointer): boolean {
  // BOOL GetModuleHandleExW(DWORD dwFlags, LPCWSTR lpModuleName, HMODULE *phModule);
  const GetModuleHandleExW = koffi
    .load('kernel32.dll')
    .func('int __stdcall GetModuleHandleExW(uint32_t, uintptr_t, void *)');
  const flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  return GetModuleHandleExW(flags, inside, Buffer.alloc(8)) !== 0;
}
