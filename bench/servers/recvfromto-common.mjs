// Loads the build under test, and not before a socket is wanted: sockets=0 measures the bare runtime.
import process from 'node:process';

export async function load() {
  const { default: recvfromto } = await import(process.env.RECVFROMTO_DIST);
  return recvfromto;
}

/** send(), a window at a time: the callback of the last one says that all have left. */
export function sendOne(socket) {
  return (msg, targets) =>
    new Promise((resolve) => {
      const from = socket();
      const last = targets.length - 1;
      for (let i = 0; i < last; i++) from.send(msg, targets[i].port, targets[i].address);
      from.send(msg, targets[last].port, targets[last].address, resolve);
    });
}

/** sendMany(); the records are made anew for every call, as a program would. */
export function sendMany(socket) {
  return (msg, targets) =>
    new Promise((resolve) => {
      socket().sendMany(
        targets.map(({ port, address }) => ({ msg, port, address })),
        resolve,
      );
    });
}
