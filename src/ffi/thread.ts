/** Which thread this is. node:worker_threads takes milliseconds to load, so it is asked when a socket is made. */
let main: boolean | undefined;

export function isMainThread(): boolean {
  main ??= (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread;
  return main;
}
