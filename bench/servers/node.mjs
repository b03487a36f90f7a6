// node:dgram, recvfromto, and recvfromto under register: one program, so that nothing differs but what is compared.
//
//   module=dgram|recvfromto   answer=reply|send|run   own=0 (ownBuffers: false)   gro=1|runs   event=message|messages
//   how=plain|callback|awaited|late   work=µs (of each message)
import { promisify } from 'node:util';
import { counters, HOST, serve, work } from './control.mjs';
import { cut } from './sending.mjs';

/** Not before a socket is wanted: sockets=0 measures the bare runtime. */
async function load(module) {
  if (module === 'dgram') return (await import('node:dgram')).default;
  return (await import(process.env.RECVFROMTO_DIST)).default;
}

const done = (error) => {
  if (error) throw error;
};

const LATE_MS = 2;

/** `answer` is a function of its own for each, so that nobody pays for a call that another needs. */
const ECHOES = {
  reply: {
    plain: (socket) => (msg, rinfo) => {
      counters.received++;
      socket.reply(msg, rinfo);
    },
    callback: (socket) => (msg, rinfo) => {
      counters.received++;
      socket.reply(msg, rinfo, done);
    },
    awaited: (socket) => {
      const reply = promisify(socket.reply).bind(socket);
      return async (msg, rinfo) => {
        counters.received++;
        await reply(msg, rinfo);
      };
    },
    late: (socket) => (msg, rinfo) => {
      counters.received++;
      setTimeout(() => socket.reply(msg, rinfo), LATE_MS);
    },
  },
  send: {
    plain: (socket) => (msg, rinfo) => {
      counters.received++;
      socket.send(msg, rinfo.port, rinfo.address);
    },
    callback: (socket) => (msg, rinfo) => {
      counters.received++;
      socket.send(msg, rinfo.port, rinfo.address, done);
    },
    awaited: (socket) => {
      const send = promisify(socket.send).bind(socket);
      return async (msg, rinfo) => {
        counters.received++;
        await send(msg, rinfo.port, rinfo.address);
      };
    },
    late: (socket) => (msg, rinfo) => {
      counters.received++;
      setTimeout(() => socket.send(msg, rinfo.port, rinfo.address), LATE_MS);
    },
  },
  // What the kernel has coalesced is answered without being cut: a rinfo says where to, from where and where to cut.
  run: {
    plain: (socket) => (run, rinfo) => {
      counters.received += rinfo.segmentSize === undefined ? 1 : Math.ceil(run.length / rinfo.segmentSize);
      socket.send(run, rinfo);
    },
  },
};

function listenTo(socket, { event = 'message', mode, answer = 'send', how = 'plain', work: us }) {
  if (event === 'messages') {
    socket.on('messages', (batch) => {
      counters.received += batch.length;
      if (mode === 'echo') for (const { msg, rinfo } of batch) socket.reply(msg, rinfo);
    });
  } else if (us !== undefined) {
    socket.on('message', () => {
      counters.received++;
      work(Number(us));
    });
  } else if (mode === 'count') socket.on('message', () => counters.received++);
  else socket.on('message', ECHOES[answer][how](socket));
}

let last;
let settings;

async function create({ module, family, own, gro }) {
  const { createSocket } = await load(module);
  const type = family === '4' ? 'udp4' : 'udp6';
  return createSocket({
    type,
    ipv6Only: family === '6',
    ...(gro === undefined ? {} : { gro: gro === 'runs' ? gro : true }),
    ...(own === '0' ? { ownBuffers: false } : {}),
  });
}

/** A window at a time: the callback of the last one says that all have left. */
const windowed = (msg, list) =>
  new Promise((resolve) => {
    const end = list.length - 1;
    for (let i = 0; i < end; i++) last.send(msg, list[i].port, list[i].address);
    last.send(msg, list[end].port, list[end].address, resolve);
  });

/** The same with buffers that are cut into datagrams. */
const RUNS = {
  dgram: (run, size, list) =>
    new Promise((resolve) => {
      for (const [i, { port, address }] of list.entries()) {
        const parts = cut(run, size);
        const end = parts.length - 1;
        for (let part = 0; part < end; part++) last.send(parts[part], port, address);
        last.send(parts[end], port, address, i === list.length - 1 ? resolve : undefined);
      }
    }),
  recvfromto: (run, segmentSize, list) =>
    new Promise((resolve) => {
      const end = list.length - 1;
      for (let i = 0; i < end; i++) {
        const { port, address } = list[i];
        last.send(run, { port, address, segmentSize });
      }
      last.send(run, { ...list[end], segmentSize }, resolve);
    }),
};

const single = (msg, port, address) => last.send(msg, port, address);

const question = Buffer.alloc(32, 'question');

await serve({
  async open(options) {
    settings = options;
    const socket = await create(options);
    listenTo(socket, options);
    await new Promise((resolve) => socket.bind(0, HOST[options.family], resolve));
    last = socket;
    return socket.address().port;
  },
  send: {
    one: windowed,
    // The records are made anew for every call, as a program would.
    many: (msg, list) =>
      new Promise((resolve) =>
        last.sendMany(
          list.map(({ port, address }) => ({ msg, port, address })),
          resolve,
        ),
      ),
    segments: (run, size, list) => RUNS[settings.module](run, size, list),
    tick: single,
    name: single,
    paced: single,
  },
  async query({ port }) {
    const socket = await create(settings);
    await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', resolve);
      socket.once('message', () => socket.close());
      socket.send(question, Number(port), '127.0.0.1');
    });
  },
  async bindAndClose() {
    const socket = await create(settings);
    await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
    await new Promise((resolve) => socket.close(resolve));
  },
});
