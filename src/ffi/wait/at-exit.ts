/**
 * Runs tasks when this environment exits by itself ('exit' of process: also process.exit(), not worker.terminate()).
 * One listener however many copies of this package are loaded, or the eleventh would bring a MaxListeners warning.
 */
const TASKS = Symbol.for('recvfromto.exit');

/** @returns takes the task back */
export function onExit(task: () => void): () => void {
  const holder = process as unknown as Record<symbol, Set<() => void> | undefined>;
  let tasks = holder[TASKS];
  if (tasks === undefined) {
    tasks = new Set();
    Object.defineProperty(process, TASKS, { value: tasks });
    const all = tasks;
    process.on('exit', () => {
      for (const each of all) each();
    });
  }
  const joined = tasks;
  joined.add(task);
  return () => joined.delete(task);
}
