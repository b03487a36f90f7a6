/**
 * Which thread this is. node:worker_threads takes milliseconds to load, and streams with it, so Node is asked by the marks
 * that it puts on what a worker may not call (lib/internal/process/worker_thread_only.js and its like, since Node 11;
 * test/unit/thread.test.ts). Other runtimes have no marks.
 */
const MARKED = ['abort', 'chdir'] as const;

let main: boolean | undefined;

export function isMainThread(): boolean {
  main ??= ask();
  return main;
}

function ask(): boolean {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (bun === undefined && deno === undefined) {
    return !MARKED.some((name) => (process[name] as { readonly disabled?: boolean }).disabled === true);
  }
  return (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread;
}
