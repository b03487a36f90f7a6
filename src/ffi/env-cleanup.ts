/**
 * Closes descriptors when an environment ends, whether it ends by itself or is terminated: no JavaScript runs then, so
 * close(2) itself is the hook. Node, Bun and Deno run these hooks; the main thread's descriptors end with the process.
 */
import type { Koffi, Library, Pointer } from './koffi';

export class EnvCleanup {
  readonly #koffi: Koffi;
  readonly #calls: ReturnType<typeof declare>;
  readonly #close: Pointer | null;

  /**
   * @param close closes a descriptor, and has C's own calling convention; null where there is no such function
   * @throws where this executable does not export Node-API
   */
  constructor(koffi: Koffi, library: Library, close: Pointer | null = library.symbol('close')) {
    this.#koffi = koffi;
    this.#calls = declare(library);
    this.#close = close;
  }

  /** Has close(fd) called when this environment ends. Adding one twice aborts Node (node::CleanupQueue::Add). */
  closeAtEnd(fd: number): void {
    if (this.#close === null) return;
    this.#calls.napi_add_env_cleanup_hook(this.#koffi.node.env, this.#close, fd);
  }

  /** Takes closeAtEnd back. Taking back what was never given panics Deno. */
  keepAtEnd(fd: number): void {
    if (this.#close === null) return;
    this.#calls.napi_remove_env_cleanup_hook(this.#koffi.node.env, this.#close, fd);
  }
}

function declare(library: Library) {
  return {
    // napi_status napi_add_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook fun, void* arg);
    napi_add_env_cleanup_hook: library.func('int napi_add_env_cleanup_hook(uintptr_t, uintptr_t, uintptr_t)'),
    // napi_status napi_remove_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook fun, void* arg);
    napi_remove_env_cleanup_hook: library.func('int napi_remove_env_cleanup_hook(uintptr_t, uintptr_t, uintptr_t)'),
  };
}
