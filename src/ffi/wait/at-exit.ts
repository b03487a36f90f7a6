/**
 * Runs tasks when this environment exits by itself ('exit' of process: also process.exit(), not worker.terminate()).
 * One listener however many copies of this package are loaded, or the eleventh would bring a MaxListeners warning. It
 * comes before the program's own, any of which may throw and so be the last.
 */
const TASKS = Symbol.for('recvfromto.exit');

/** What is done before an environment ends by itself, where a socket is open then. */
export interface Ending {
  task?: () => void;
}

/** @returns takes the task back */
export function onExit(task: () => void): () => void {
  const holder = process as unknown as Record<symbol, Set<() => void> | undefined>;
  let tasks = holder[TASKS];
  if (tasks === undefined) {
    tasks = new Set();
    Object.defineProperty(process, TASKS, { value: tasks });
    const all = tasks;
    process.prependListener('exit', () => {
      for (const each of all) each();
    });
  }
  const joined = tasks;
  joined.add(task);
  return () => joined.delete(task);
}
