/** What a program would hear as 'uncaughtException'. Jest keeps the real `process` from tests, and listens on it itself. */
import { runInThisContext } from 'node:vm';
import { settled } from './fake-socket';

const real = runInThisContext('process') as NodeJS.Process;

/** Runs `action`, and a few turns. → what nobody caught meanwhile */
export async function uncaught(action: () => void): Promise<unknown[]> {
  const errors: unknown[] = [];
  const listeners = real.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
  real.removeAllListeners('uncaughtException');
  real.on('uncaughtException', (error) => errors.push(error));
  try {
    action();
    await settled();
  } finally {
    real.removeAllListeners('uncaughtException');
    for (const listener of listeners) real.on('uncaughtException', listener);
  }
  return errors;
}
