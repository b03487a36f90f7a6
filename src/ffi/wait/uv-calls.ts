/**
 * The little of libuv's C API and Node-API that uv.ts needs, called in the running executable: Node exports them for
 * addons. All of them are part of stable ABIs (libuv 1.x, Node-API 1 and 3). Handles are addresses here.
 */
import type { Platform } from '../../platform/platform';
import { type EnvCleanup, envCleanup } from '../env-cleanup';
import { type Koffi, type Library, type NativeFunction, type NativeType, once, type Pointer } from '../koffi';

/** uv.h, enum uv_handle_type: UV_POLL. */
const UV_POLL = 8;

/** @returns undefined where the executable does not export what we need */
export function openUv(koffi: Koffi, platform: Platform): Uv | undefined {
  try {
    return new Uv(koffi, platform);
  } catch {
    return undefined;
  }
}

/** For every environment. */
function declare(library: Library, walk: NativeType) {
  return {
    // int uv_poll_start(uv_poll_t* handle, int events, uv_poll_cb cb);
    uv_poll_start: library.func('int uv_poll_start(uintptr_t, int, uintptr_t)'),
    // int uv_poll_stop(uv_poll_t* handle);
    uv_poll_stop: library.func('int uv_poll_stop(uintptr_t)'),
    // void uv_ref(uv_handle_t* handle);
    uv_ref: library.func<void>('void uv_ref(uintptr_t)'),
    // void uv_unref(uv_handle_t* handle);
    uv_unref: library.func<void>('void uv_unref(uintptr_t)'),
    // int uv_is_active(const uv_handle_t* handle);
    uv_is_active: once(() => library.func('int uv_is_active(uintptr_t)')),
    // int uv_fileno(const uv_handle_t* handle, uv_os_fd_t* fd);
    uv_fileno: library.func('int uv_fileno(uintptr_t, void *)'),
    // uv_handle_type uv_handle_get_type(const uv_handle_t* handle);
    uv_handle_get_type: library.func('int uv_handle_get_type(uintptr_t)'),
    // size_t uv_handle_size(uv_handle_type type);
    uv_handle_size: library.func('size_t uv_handle_size(int)'),
    // void uv_walk(uv_loop_t* loop, uv_walk_cb walk_cb, void* arg);
    uv_walk: library.func('uv_walk', 'void', ['uintptr_t', walk, 'uintptr_t']) as NativeFunction<unknown>,
  };
}

/** For handles of our own. */
function declareHandles(library: Library, allocator: Library) {
  return {
    // int uv_poll_init_socket(uv_loop_t* loop, uv_poll_t* handle, uv_os_sock_t socket); a SOCKET is a pointer on Windows
    uv_poll_init_socket: library.func('int uv_poll_init_socket(uintptr_t, uintptr_t, intptr_t)'),
    // void uv_close(uv_handle_t* handle, uv_close_cb close_cb);
    uv_close: library.func<void>('void uv_close(uintptr_t, uintptr_t)'),
    // void *calloc(size_t n, size_t size); as an intptr_t, which is how koffi hands a callback its pointers
    calloc: allocator.func<Pointer>('intptr_t calloc(size_t, size_t)'),
    // void free(void *ptr); as a uv_close_cb
    free: allocator.symbol('free'),
  };
}

export class Uv {
  readonly library: Library;
  readonly cleanup: EnvCleanup;
  /** void (*uv_poll_cb)(uv_poll_t* handle, int status, int events); */
  readonly uv_poll_cb: NativeType;
  readonly #koffi: Koffi;
  readonly #calls: ReturnType<typeof declare>;
  readonly #loop: Pointer;
  readonly #allocator: Library;
  #handleCalls: ReturnType<typeof declareHandles> | undefined;
  readonly #pointerSize: number;
  readonly #handleSize: number;
  /** Memory of a handle that libuv refused, for the next. */
  #spare: Pointer | undefined;
  /** A uv_os_fd_t. */
  readonly #fd = Buffer.alloc(8);
  /** Offset of a handle's link in the loop's list; undefined until seen, NaN if the list is not as we think. */
  #link: number | undefined;

  constructor(koffi: Koffi, platform: Platform) {
    this.#koffi = koffi;
    this.library = koffi.load(null); // on Windows node.exe itself, which exports libuv but no C library
    const windows = platform.calls === 'winsock';
    this.#allocator = windows ? koffi.load('msvcrt.dll') : this.library;
    this.uv_poll_cb = koffi.pointer(koffi.proto('void', ['uintptr_t', 'int', 'int']));
    // void (*uv_walk_cb)(uv_handle_t* handle, void* arg);
    this.#calls = declare(this.library, koffi.pointer(koffi.proto('void', ['uintptr_t', 'uintptr_t'])));
    this.cleanup = envCleanup(koffi, this.library, windows ? closesocket(koffi, platform) : undefined);
    this.#pointerSize = koffi.sizeof('void *');
    this.#handleSize = this.#calls.uv_handle_size(UV_POLL);
    this.#loop = koffi.node.loop ?? this.#askForLoop(koffi.node.env!);
  }

  #askForLoop(env: Pointer): Pointer {
    // napi_status napi_get_uv_event_loop(node_api_basic_env env, struct uv_loop_s** loop);
    const napi_get_uv_event_loop = this.library.func('int napi_get_uv_event_loop(uintptr_t, void *)');
    const loop = Buffer.alloc(this.#pointerSize);
    if (napi_get_uv_event_loop(env, loop) !== 0) throw new Error('no event loop');
    return this.#koffi.decode(this.#koffi.address(loop), 0, 'uintptr_t');
  }

  /**
   * A handle of our own for a descriptor, stopped and ref'd. {@link close} has to end it before the loop is closed.
   * @returns its address; or, negative, UV_EBADF, UV_EPERM (a regular file), UV_EEXIST (an active handle watches it)
   */
  open(fd: number): { readonly handle: Pointer } | number {
    const { calloc, uv_poll_init_socket } = this.#handles;
    const handle = this.#spare ?? calloc(1, this.#handleSize);
    this.#spare = undefined;
    if (Number(handle) === 0) throw new Error('out of memory');
    const refused = uv_poll_init_socket(this.#loop, handle, fd);
    if (refused === 0) return { handle };
    this.#spare = handle;
    return refused;
  }

  /** Ends a handle of {@link open}; libuv frees it when it has let go of it. */
  close(handle: Pointer): void {
    const { uv_close, free } = this.#handles;
    uv_close(handle, free);
  }

  get #handles() {
    this.#handleCalls ??= declareHandles(this.library, this.#allocator);
    return this.#handleCalls;
  }

  ref(handle: Pointer): void {
    this.#calls.uv_ref(handle);
  }

  unref(handle: Pointer): void {
    this.#calls.uv_unref(handle);
  }

  /** @returns 0 or a negative errno; with no events it stops */
  start(handle: Pointer, events: number, callback: Pointer): number {
    return events === 0 ? this.#calls.uv_poll_stop(handle) : this.#calls.uv_poll_start(handle, events, callback);
  }

  /** Has any active handle of this loop this descriptor? Of whatever type: sockets of node:dgram, pipes, our own. */
  isWatched(fd: number): boolean {
    return this.#walk((handle) => this.#calls.uv_is_active(handle) !== 0 && this.#has(handle, fd)) !== undefined;
  }

  /**
   * The handle that koffi has just made for `fd`, spelled as the callback spells it.
   *
   * libuv appends each new handle to a list that uv_loop_t points into, so it is the last one: no walk over 10,000
   * handles for each new one. Where in a handle its link stands is learnt from the first handle, found by uv_walk;
   * where the list stands in uv_loop_t (void *data, unsigned active_handles, next, prev) has not changed since libuv
   * 1.0. If either is not so, we walk each time.
   */
  find(fd: number): Pointer | undefined {
    if (this.#link === undefined) {
      const handle = this.#walk((each) => this.#is(each, fd));
      if (handle === undefined) return undefined;
      const link = Number(this.#last() - BigInt(handle));
      this.#link = link > 0 && link < this.#handleSize ? link : Number.NaN;
      return handle;
    }
    if (!Number.isNaN(this.#link)) {
      const handle = spell(this.#last() - BigInt(this.#link));
      if (this.#is(handle, fd)) return handle;
    }
    return this.#walk((each) => this.#is(each, fd));
  }

  /** The last link of the loop's list of handles. */
  #last(): bigint {
    return BigInt(this.#koffi.decode(this.#loop, 3 * this.#pointerSize, 'intptr_t'));
  }

  #is(handle: Pointer, fd: number): boolean {
    return this.#calls.uv_handle_get_type(handle) === UV_POLL && this.#has(handle, fd);
  }

  /** UV_EBADF for a handle that is closing, UV_EINVAL for one that is no descriptor's. */
  #has(handle: Pointer, fd: number): boolean {
    return this.#calls.uv_fileno(handle, this.#fd) === 0 && this.#fd.readInt32LE(0) === fd;
  }

  /** The last handle that `matches`. */
  #walk(matches: (handle: Pointer) => boolean): Pointer | undefined {
    let found: Pointer | undefined;
    const visit = (handle: Pointer) => {
      if (matches(handle)) found = handle;
    };
    this.#calls.uv_walk(this.#loop, visit, 0);
    return found;
  }
}

/** On ia32 closesocket takes its argument off the stack, which Node's caller of hooks does too: no hook there. */
function closesocket(koffi: Koffi, platform: Platform): Pointer | null {
  return platform.arch === 'ia32' ? null : koffi.load('ws2_32.dll').symbol('closesocket');
}

/** koffi passes a pointer to a callback as an intptr_t, and as a number if that is a safe integer (interp.cc, NewInt). */
function spell(address: bigint): Pointer {
  const number = Number(address);
  return Number.isSafeInteger(number) ? number : BigInt.asIntN(64, address);
}
