/** The `signal` option: aborting it closes the socket. */
import { EventEmitter } from 'node:events';

/** @param close does nothing where it is closed already */
export function closeOn(socket: EventEmitter, signal: AbortSignal, close: () => void): void {
  if (signal.aborted) {
    close();
    return;
  }
  // Nobody else's stopImmediatePropagation() keeps this one from being called. Since Node 20.5.
  const { dispose } = listen(signal, close);
  socket.once('close', dispose);
}

type AddAbortListener = (signal: AbortSignal, listener: () => void) => Disposable;

function listen(signal: AbortSignal, listener: () => void): { dispose(): void } {
  const { addAbortListener } = EventEmitter as unknown as { readonly addAbortListener?: AddAbortListener };
  if (addAbortListener !== undefined) {
    const disposable = addAbortListener(signal, listener);
    return { dispose: () => disposable[Symbol.dispose]() };
  }
  signal.addEventListener('abort', listener, { once: true });
  return { dispose: () => signal.removeEventListener('abort', listener) };
}
