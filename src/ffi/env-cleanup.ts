/**
 * Closes descriptors when an environment ends, whether it ends by itself or is terminated: no JavaScript runs then, so
 * close(2) itself is the hook. Node, Bun and Deno run these hooks; the main thread's descriptors end with the process. With
 * node:ffi, which has no Node-API, nobody closes them.
 */
import type { Koffi, Library, NativeFunction, Pointer } from './koffi';
import { own } from './own';

const known = new WeakMap<Koffi, EnvCleanup>();

/**
 * One per environment: who opens a descriptor and who watches it must not both have it closed.
 * @param close closes a descriptor, and has C's own calling convention; null where there is no such function
 * @throws where this executable does not export Node-API
 */
export function envCleanup(koffi: Koffi, library: Library, close?: Pointer | null): EnvCleanup {
  let cleanup = known.get(koffi);
  if (cleanup === undefined) {
    cleanup = new EnvCleanup(koffi, library, close);
    known.set(koffi, cleanup);
  }
  return cleanup;
}

export class EnvCleanup {
  readonly #koffi: Koffi;
  readonly #calls: ReturnType<typeof declare>;
  readonly #close: Pointer | null;

  /** Use {@link envCleanup}. */
  constructor(koffi: Koffi, library: Library, close: Pointer | null = library.symbol('close')) {
    this.#koffi = koffi;
    this.#calls = declare(library);
    this.#close = close;
  }

  /**
   * The two hooks as C functions with their first two arguments, for whoever opens and closes descriptors. Called on
   * the line beside socket(2) or close(2), nothing can come between: JavaScript is terminated where it enters a function
   * or goes round a loop, not between two calls of C. Watchers leave these descriptors alone ({@link own}). undefined
   * where there is no close(2).
   */
  get atOnce(): AtOnce | undefined {
    const { env } = this.#koffi.node;
    if (this.#close === null || env === undefined) return undefined;
    const { napi_add_env_cleanup_hook: add, napi_remove_env_cleanup_hook: remove } = this.#calls;
    return { add, remove, env, close: this.#close };
  }

  /** Has close(fd) called when this environment ends. Adding one twice aborts Node (node::CleanupQueue::Add). */
  closeAtEnd(fd: number): void {
    const { env } = this.#koffi.node;
    if (this.#close === null || env === undefined || own.has(fd)) return;
    this.#calls.napi_add_env_cleanup_hook(env, this.#close, fd);
  }

  /** Takes closeAtEnd back. Taking back what was never given panics Deno. */
  keepAtEnd(fd: number): void {
    const { env } = this.#koffi.node;
    if (this.#close === null || env === undefined || own.has(fd)) return;
    this.#calls.napi_remove_env_cleanup_hook(env, this.#close, fd);
  }
}

export interface AtOnce {
  readonly add: NativeFunction;
  readonly remove: NativeFunction;
  readonly env: Pointer;
  readonly close: Pointer;
}

function declare(library: Library) {
  return {
    // napi_status napi_add_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook fun, void* arg);
    napi_add_env_cleanup_hook: library.func('int napi_add_env_cleanup_hook(uintptr_t, uintptr_t, uintptr_t)'),
    // napi_status napi_remove_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook fun, void* arg);
    napi_remove_env_cleanup_hook: library.func('int napi_remove_env_cleanup_hook(uintptr_t, uintptr_t, uintptr_t)'),
  };
}
