/** What stands between recvfromto and the kernel, by name and version, for bug reports. Cold; never throws. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { hostPlatform } from '../platform/index';
import { loadKoffi } from './koffi';

export interface Versions {
  /** undefined where koffi does not load. */
  readonly koffi: string | undefined;
  /** undefined where the C library does not tell, which on most systems is part of the system anyway. */
  readonly libc: { readonly name: 'glibc' | 'musl'; readonly version: string } | undefined;
}

export function versions(): Versions {
  try {
    const koffi = loadKoffi(hostPlatform());
    const { version } = koffi;
    try {
      // const char *gnu_get_libc_version(void); <gnu/libc-version.h>
      const gnu_get_libc_version = koffi.load(null).func<string>('const char *gnu_get_libc_version()');
      return { koffi: version, libc: { name: 'glibc', version: gnu_get_libc_version() } };
    } catch {
      return { koffi: version, libc: musl() };
    }
  } catch {
    return { koffi: undefined, libc: undefined };
  }
}

/** musl has no call for it; its loader, started without a program, says "musl libc (x86_64)\nVersion 1.2.5" on stderr. */
function musl(): Versions['libc'] {
  try {
    const loader = readdirSync('/lib').find((name) => /^ld-musl-.*\.so\.1$/.test(name));
    if (loader === undefined) return undefined;
    execFileSync(`/lib/${loader}`, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 1000 });
  } catch (error) {
    const version = /^Version (\S+)/m.exec(String((error as { stderr?: unknown }).stderr))?.[1];
    if (version !== undefined) return { name: 'musl', version };
  }
  return undefined;
}
