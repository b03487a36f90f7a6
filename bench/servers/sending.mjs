// What a server sends of its own accord: as fast as it can, or as real programs do.
//
//   how=one        windows of 64 send() calls, the callback of the last says that all have left
//   how=many       windows of 64 in one call (sendMany, Bun's too)
//   how=segments   windows of 64 buffers of many datagrams of `size`, each in one call where there is one for that
//   how=tick       one send() in each turn of the event loop, to the next of `peers` hosts
//   how=name       the same to a host name, which has to be looked up
//   how=paced      RTP: to each of `peers` a datagram every 20 ms, in one timer

/** Datagrams that may wait for their callbacks, or be handed over in one call. */
const WINDOW = 64;
const PACE_MS = 20;
/** As native/commands.h: what fits into a datagram, and what UDP_SEGMENT cuts at most. */
const RUN_BYTES = 65000;
const RUN_SEGMENTS = 64;

/** The i-th of many addresses in 127/8; as native/common.h. */
function peerAddress(i) {
  return `127.${1 + Math.floor(i / 64000)}.${Math.floor((i % 64000) / 250)}.${(i % 250) + 1}`;
}

function targets(port, peers, address) {
  if (peers <= 1) return [{ port, address }];
  return Array.from({ length: peers }, (_, i) => ({ port, address: peerAddress(i) }));
}

async function inWindows(send, msg, all, until) {
  const windows = Array.from({ length: Math.ceil(Math.max(all.length, WINDOW) / WINDOW) }, (_, w) =>
    Array.from({ length: WINDOW }, (_, i) => all[(w * WINDOW + i) % all.length]),
  );
  let sent = 0;
  for (let w = 0; performance.now() < until; w = (w + 1) % windows.length) {
    await send(msg, windows[w]);
    sent += WINDOW;
  }
  return sent;
}

async function oneATurn(send, msg, all, until) {
  let sent = 0;
  while (performance.now() < until) {
    const { port, address } = all[sent++ % all.length];
    send(msg, port, address);
    await new Promise(setImmediate);
  }
  return sent;
}

function paced(send, msg, all, until) {
  return new Promise((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      for (const { port, address } of all) send(msg, port, address);
      sent += all.length;
      if (performance.now() < until) return;
      clearInterval(timer);
      resolve(sent);
    }, PACE_MS);
  });
}

async function inRuns(send, segment, all, until) {
  const size = segment.length;
  const count = Math.min(RUN_SEGMENTS, Math.floor(RUN_BYTES / size));
  const run = new Uint8Array(size * count).fill(segment[0]);
  return count * (await inWindows((_, targets) => send(run, size, targets), run, all, until));
}

const WAYS = { one: inWindows, many: inWindows, segments: inRuns, tick: oneATurn, name: oneATurn, paced };

/** The datagrams that a run is cut into, for those who have no call that does it. */
export const cut = (run, size) =>
  Array.from({ length: run.length / size }, (_, i) => run.subarray(i * size, (i + 1) * size));

/**
 * Sends until the time is over. `send` takes (msg, targets), or (run, size, targets), and resolves when they have left, or
 * (msg, port, address).
 */
export async function sendFor(send, { how = 'one', size = '100', port, peers = '1', ms = '300' }) {
  const msg = new Uint8Array(Number(size)).fill(120);
  const all = targets(Number(port), Number(peers), how === 'name' ? 'localhost' : '127.0.0.1');
  return { sent: await WAYS[how](send, msg, all, performance.now() + Number(ms)) };
}
