/** Opening the host: what is loaded when, and what a user is told where it cannot be. */
import { join } from 'node:path';

import { dependencies } from '../../package.json';
import { checkHost, openHost, openReadiness } from '../../src/ffi/index';
import type { Koffi } from '../../src/ffi/koffi';
import { explain, hasBinary, isOurs, mayRefuseAddons, OLDEST, refuseInSnapshot } from '../../src/ffi/koffi';
import { heedDrops, refuseWithoutNet } from '../../src/ffi/permission';
import type { Syscalls } from '../../src/ffi/syscalls';
import { Epoll } from '../../src/ffi/wait/epoll-calls';
import { hostPlatform, platformFor } from '../../src/platform/index';

const host = hostPlatform();
const NODE_MODULES = join(__dirname, '../../node_modules');
/** All that koffi may be loaded by. */
const KOFFI = [
  'koffi',
  `@koromix/koffi-${host.name}-${host.arch}`,
  join(NODE_MODULES, `@koromix/koffi-${host.name}-${host.arch}/${host.name}_${host.arch}/koffi.node`),
];

test('the host is opened once', () => {
  expect(openHost()).toBe(openHost());
  expect(openHost().platform).toBe(host);
});

test('importing loads neither koffi nor a library', () => {
  jest.isolateModules(() => {
    const load = jest.fn();
    for (const name of KOFFI) jest.doMock(name, load, { virtual: true });
    require('../../src/ffi/index');
    expect(load).not.toHaveBeenCalled();
    for (const name of KOFFI) jest.dontMock(name);
  });
});

describe('a binary of koffi that stands where npm puts one for all', () => {
  test('has to be of a version that package.json takes', () => {
    expect(dependencies.koffi).toBe(`^${OLDEST}`);
    const [major, minor, patch] = OLDEST.split('.').map(Number);
    for (const version of [OLDEST, `${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major}.99.0-beta.1`])
      expect([version, isOurs({ version })]).toEqual([version, true]);
    for (const version of [
      undefined,
      '',
      `${major}.${minor - 1}.99`,
      `${major - 1}.99.99`,
      `${major + 1}.0.0`,
      'three',
    ])
      expect([version, isOurs({ version })]).toEqual([version, false]);
  });
});

test('nothing is refused but while a snapshot is built', () => {
  expect(() => refuseInSnapshot([])).not.toThrow();
  expect(() => refuseInSnapshot(['--build-snapshot'])).not.toThrow(); // here none is
});

describe('whether the host can be opened', () => {
  test('is told without loading anything, where all signs are good', () => {
    jest.isolateModules(() => {
      const load = jest.fn();
      for (const name of KOFFI) jest.doMock(name, load, { virtual: true });
      (require('../../src/ffi/index') as typeof import('../../src/ffi/index')).checkHost();
      expect(load).not.toHaveBeenCalled();
      for (const name of KOFFI) jest.dontMock(name);
    });
  });

  test('has to be tried where no binary is in the usual place, or addons may be forbidden', () => {
    expect(hasBinary(host)).toBe(true);
    expect(hasBinary({ ...host, arch: 's390x' })).toBe(false);
    expect(mayRefuseAddons({})).toBe(false);
    expect(mayRefuseAddons({ permission: { has: () => true } })).toBe(true);
  });

  test('is refused on a platform that is not known', () => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
    Object.defineProperty(process, 'platform', { ...platform, value: 'sunos' });
    try {
      expect(checkHost).toThrow(expect.objectContaining({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM' }));
    } finally {
      Object.defineProperty(process, 'platform', platform);
    }
  });
});

describe('koffi that does not load', () => {
  test('for want of a binary', () => {
    const cause = new Error('Cannot find the native Koffi module; did you bundle it correctly?');
    const error = explain(cause, host);
    expect(error).toMatchObject({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM', cause });
    expect(error.message).toContain(`${host.name}-${host.arch}`);
    expect(error.message).toContain(cause.message);
    expect(error.message).toContain('--omit=optional');
  });

  test('for want of a permission', () => {
    const cause = Object.assign(new Error('Cannot load native addon'), { code: 'ERR_DLOPEN_DISABLED' });
    const error = explain(cause, host);
    expect(error).toMatchObject({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM', cause });
    expect(error.message).toContain('--allow-addons');
  });
});

describe('which FFI', () => {
  /** What koffi loads, and we in its place. */
  const linux = platformFor('linux', 'x64');
  const BINARY = '@koromix/koffi-linux-x64';
  const DIRECT = join(NODE_MODULES, BINARY, 'linux_x64/koffi.node');
  const BESIDE = '../../src/ffi/beside';
  const { RECVFROMTO_FFI } = process.env;
  afterEach(() => {
    delete process.env.RECVFROMTO_FFI;
    if (RECVFROMTO_FFI !== undefined) process.env.RECVFROMTO_FFI = RECVFROMTO_FFI;
    for (const name of ['koffi', BINARY, DIRECT, BESIDE, 'node:ffi']) jest.dontMock(name);
  });

  /** What is loaded where koffi and node:ffi are there or not, with this word in RECVFROMTO_FFI. */
  function loaded(word: string | undefined, { koffi, node }: { koffi: boolean; node: boolean }): string {
    delete process.env.RECVFROMTO_FFI;
    if (word !== undefined) process.env.RECVFROMTO_FFI = word;
    const missing = (name: string) => () => {
      throw new Error(`no ${name} here`);
    };
    let found = '';
    jest.isolateModules(() => {
      for (const name of ['koffi', BINARY, DIRECT]) {
        const factory = koffi ? () => ({ load: () => {}, node: { env: 1 }, version: OLDEST }) : missing('koffi');
        jest.doMock(name, factory, { virtual: true });
      }
      jest.doMock(BESIDE, () => ({ koffiBeside: () => undefined }));
      class DynamicLibrary {
        getFunction = () => () => 0n;
      }
      const ffi = { DynamicLibrary, getCurrentEventLoop: () => 0n };
      jest.doMock('node:ffi', node ? () => ffi : missing('node:ffi'), { virtual: true });
      const { loadKoffi } = require('../../src/ffi/koffi') as typeof import('../../src/ffi/koffi');
      try {
        found = loadKoffi(linux).node.env === undefined ? 'node:ffi' : 'koffi';
      } catch (error) {
        found = (error as Error).message;
      }
    });
    return found;
  }
  const both = { koffi: true, node: true };

  test('koffi, where it loads', () => {
    expect(loaded(undefined, both)).toBe('koffi');
    expect(loaded('koffi', both)).toBe('koffi');
  });
  test('node:ffi where koffi does not load, and where it is asked for', () => {
    expect(loaded(undefined, { koffi: false, node: true })).toBe('node:ffi');
    expect(loaded('node', both)).toBe('node:ffi');
  });
  test('the one that was asked for and no other', () => {
    expect(loaded('koffi', { koffi: false, node: true })).toContain('no koffi here');
    expect(loaded('node', { koffi: true, node: false })).toContain('no node:ffi here');
  });
  test('neither is there: what is said is about koffi', () => {
    expect(loaded(undefined, { koffi: false, node: false })).toMatch(/no koffi here.*--omit=optional.*Node\.js 26/);
  });
});

describe('the permission model', () => {
  const asks = new Set(['--allow-net']);
  const permission = (net: boolean) => ({ has: (scope: string) => scope === 'net' && net });

  test('is not there: nothing is refused', () => {
    expect(() => refuseWithoutNet({ allowedNodeEnvironmentFlags: asks })).not.toThrow();
  });
  test('does not know the network: nothing is refused', () => {
    const host = { permission: permission(false), allowedNodeEnvironmentFlags: new Set<string>() };
    expect(() => refuseWithoutNet(host)).not.toThrow();
  });
  test('grants the network', () => {
    expect(() => refuseWithoutNet({ permission: permission(true), allowedNodeEnvironmentFlags: asks })).not.toThrow();
  });
  test('would withhold it, and only tells (--permission-audit): nothing is refused', () => {
    const host = { permission: permission(false), allowedNodeEnvironmentFlags: asks };
    expect(() => refuseWithoutNet({ ...host, execArgv: ['--permission-audit'] })).not.toThrow();
    expect(() => refuseWithoutNet({ ...host, env: { NODE_OPTIONS: '--permission-audit' } })).not.toThrow();
  });
  test('takes the network away later: what needs it fails then, and what does not goes on', () => {
    let net = true;
    const calls = { bind: () => 0, connect: () => 0, sendmmsg: () => 3, recvmmsg: () => 1 } as unknown as Syscalls;
    heedDrops(calls, -13, {
      permission: { has: () => net, drop: () => {} },
      allowedNodeEnvironmentFlags: asks,
    });
    const bytes = Buffer.alloc(16);
    const all = () => [calls.bind(1, bytes), calls.connect(1, bytes), calls.sendmmsg(1, bytes, 0, 3, 0)];
    expect(all()).toEqual([0, 0, 3]);
    net = false;
    expect(all()).toEqual([-13, -13, -13]);
    expect(calls.recvmmsg(1, bytes, 1, 0)).toBe(1);
  });
  test('that cannot take it away costs nothing', () => {
    const bind = () => 0;
    const calls = { bind } as unknown as Syscalls;
    heedDrops(calls, -13, { permission: permission(true), allowedNodeEnvironmentFlags: asks });
    expect(calls.bind).toBe(bind);
  });
  test('withholds the network', () => {
    expect(() => refuseWithoutNet({ permission: permission(false), allowedNodeEnvironmentFlags: asks })).toThrow(
      expect.objectContaining({ code: 'ERR_ACCESS_DENIED', permission: 'Net' }),
    );
  });
});

describe.each(['bun', 'deno'])('%s is told apart before anything is tried', (runtime) => {
  const versions = Object.getOwnPropertyDescriptor(process, 'versions')!;
  beforeAll(() => {
    Object.defineProperty(process, 'versions', { ...versions, value: { ...process.versions, [runtime]: '9.8.7' } });
  });
  afterAll(() => {
    Object.defineProperty(process, 'versions', versions);
  });

  test.each(['darwin', 'freebsd', 'openbsd'] as const)('and refused on %s, where nothing waits for it', (name) => {
    const touched = jest.fn();
    const koffi = new Proxy({}, { get: touched }) as never;
    expect(() => openReadiness(koffi, platformFor(name, 'arm64'), {} as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM',
        message: expect.stringMatching(new RegExp(`(Bun|Deno) 9\\.8\\.7 on ${name}`)),
      }),
    );
    expect(touched).not.toHaveBeenCalled();
  });

  const declared: string[] = [];
  const library = {
    func: (prototype: string) => {
      declared.push(prototype);
      return () => 0;
    },
  };
  const koffi = { load: () => library, errno: () => 0 } as unknown as Koffi;
  const open = () => openReadiness(koffi, platformFor('linux', 'x64'), {} as Syscalls);

  test("and nothing of libuv's or koffi's poll is touched on Linux", () => {
    open();
    expect(declared).toEqual(expect.arrayContaining([expect.stringContaining('epoll_ctl')]));
    expect(declared.filter((prototype) => prototype.includes('uv_'))).toEqual([]);
  });
});

/** x64: what gcc 12 says. Elsewhere a natural layout: EPOLL_PACKED is defined on x86_64 alone, <bits/epoll.h>. */
test.each([
  ['x64', 12, 4],
  ['ia32', 12, 4],
  ['arm64', 16, 8],
  ['arm', 16, 8],
  ['riscv64', 16, 8],
  ['loong64', 16, 8],
  ['ppc64', 16, 8],
])("struct epoll_event on %s is C's", (arch, size, data) => {
  const libc = { func: () => () => 0 };
  const koffi = { load: () => libc, errno: () => 0 } as unknown as Koffi;
  const { eventSize, dataOffset } = new Epoll(koffi, platformFor('linux', arch));
  expect({ eventSize, dataOffset }).toEqual({ eventSize: size, dataOffset: data });
});
