// Bun.udpSocket. It knows no destination and chooses no source; its send() has no callback and is not awaited.
import { counters, HOST, serve, work } from './control.mjs';
import { cut } from './sending.mjs';

const LATE_MS = 2;

let last;
let drained = () => {};

const drain = () =>
  new Promise((resolve) => {
    drained = resolve;
  });

function listener({ mode, how, work: us }) {
  if (us !== undefined) {
    return () => {
      counters.received++;
      work(Number(us));
    };
  }
  if (mode === 'count') return () => counters.received++;
  if (how === 'late') {
    return (socket, msg, port, address) => {
      counters.received++;
      setTimeout(() => socket.send(msg, port, address), LATE_MS);
    };
  }
  return (socket, msg, port, address) => {
    counters.received++;
    socket.send(msg, port, address);
  };
}

/** Bun throws for a datagram sent before, which nobody was there for any more: the sink has heard enough. */
function single(msg, port, address) {
  try {
    last.send(msg, port, address);
  } catch (error) {
    if (error.code !== 'ECONNREFUSED') throw error;
  }
}

async function sendMany(list) {
  if (last.sendMany(list) < list.length / 3) await drain();
  else await new Promise(setImmediate);
}

await serve({
  async open(options) {
    last = await Bun.udpSocket({
      hostname: HOST[options.family],
      port: 0,
      socket: { data: listener(options), drain: () => drained(), error() {} },
    });
    return last.port;
  },
  send: {
    async one(msg, targets) {
      for (const { port, address } of targets) if (!last.send(msg, port, address)) await drain();
      await new Promise(setImmediate);
    },
    many: (msg, targets) => sendMany(targets.flatMap(({ port, address }) => [msg, port, address])),
    async segments(run, size, targets) {
      for (const { port, address } of targets) await sendMany(cut(run, size).flatMap((msg) => [msg, port, address]));
    },
    tick: single,
    paced: single,
  },
  async query({ port }) {
    let answered;
    const answer = new Promise((resolve) => {
      answered = resolve;
    });
    const socket = await Bun.udpSocket({
      hostname: '0.0.0.0',
      port: 0,
      socket: { data: () => answered(), error() {} },
    });
    socket.send('questionquestionquestionquestion', Number(port), '127.0.0.1');
    await answer;
    socket.close();
  },
  async bindAndClose() {
    (await Bun.udpSocket({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })).close();
  },
});
