/** What nobody catches while an action runs to its end. Jest keeps the real `process` from tests, and listens on it itself. */
import { runInThisContext } from 'node:vm';
import { settled } from '../../support/fake-socket';

const real = runInThisContext('process') as NodeJS.Process;
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** @param on hears of each at once, where that matters */
export async function uncaughtDuring(
  action: () => Promise<void>,
  on: (error: unknown) => void = () => {},
): Promise<unknown[]> {
  const errors: unknown[] = [];
  const hear = (error: unknown) => {
    errors.push(error);
    on(error);
  };
  const before = EVENTS.map((event) => real.rawListeners(event) as (() => void)[]);
  for (const event of EVENTS) {
    real.removeAllListeners(event);
    real.on(event, hear);
  }
  try {
    await action();
    await settled();
  } finally {
    for (const [i, event] of EVENTS.entries()) {
      real.removeAllListeners(event);
      for (const listener of before[i]!) real.on(event, listener);
    }
  }
  return errors;
}
