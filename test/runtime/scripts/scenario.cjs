// scenario.cjs <name>: one way to misuse or strain readiness, in a process that may crash. Prints one line of JSON.
'use strict';
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');
const dgram = require('node:dgram');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const udp = require('./udp.cjs');
const { syscalls, readiness, open, send, drain, sleep, until } = udp;

/** So many others wait that there are no handles of their own for those of the scenario (ffi/wait/many.ts). */
if (process.env.RECVFROMTO_CROWDED) {
  for (let i = 0; i < 40; i++) readiness.watch(open().fd, () => {}, 1).unref();
}

/** Watches a new socket, drains it and counts. */
function receiver(ready = () => {}) {
  const socket = open();
  const state = { ...socket, wakeups: 0, datagrams: 0, events: [] };
  state.watcher = readiness.watch(socket.fd, (events) => {
    state.wakeups++;
    state.events.push(events);
    const { count, errno } = drain(socket.fd);
    state.datagrams += count;
    state.errno = errno || state.errno;
    ready(state);
  });
  state.watcher.start(1);
  state.close = () => {
    state.watcher.close();
    return syscalls.close(socket.fd);
  };
  return state;
}

const codeOf = (action) => {
  try {
    action();
    return 'no error';
  } catch (error) {
    return error.code ?? error.name;
  }
};

const sockets = () =>
  fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

/** A worker that runs `body` (text) with udp.cjs at hand. */
function work(body) {
  const text = `const udp = require(${JSON.stringify(require.resolve('./udp.cjs'))});
    const { parentPort } = require('node:worker_threads'); ${body}`;
  const worker = new Worker(text, { eval: true });
  return { worker, ended: new Promise((done) => worker.once('exit', done)) };
}
const message = (worker) => new Promise((done) => worker.once('message', done));

const scenarios = {
  /** Natural exit with an unref'd watcher and datagrams sent to it in 'exit'. */
  async exit() {
    const to = receiver();
    to.watcher.unref();
    const from = open();
    process.on('exit', () => {
      for (let i = 0; i < 10; i++) send(from.fd, to.name);
      // sockets may still be opened, for what that is worth
      const late = open();
      const watcher = readiness.watch(late.fd, () => {});
      watcher.start(1);
      watcher.unref();
      watcher.close();
    });
    send(from.fd, to.name);
    await until(() => to.datagrams === 1);
    return { datagrams: to.datagrams };
  },

  /** A ref'd watcher keeps the process; one that is stopped, unref'd or closed does not. */
  async idle() {
    const stopped = receiver();
    stopped.watcher.start(0);
    const unrefd = receiver();
    unrefd.watcher.unref();
    receiver().close();
    const refd = receiver();
    let held = true;
    setTimeout(() => {
      held = false;
      refd.close();
    }, 50);
    process.on('exit', () => held && console.log('exited too early'));
    return {};
  },

  /** What terminated workers held is closed, and nothing else. */
  async descriptors() {
    const before = sockets();
    for (let i = 0; i < 5; i++) {
      const { worker, ended } = work(`
        for (let i = 0; i < 4; i++) udp.readiness.watch(udp.open().fd, () => {}).start(1);
        const gone = udp.open(), watcher = udp.readiness.watch(gone.fd, () => {});
        watcher.close(); udp.syscalls.close(gone.fd);
        parentPort.postMessage(gone.fd); setInterval(() => {}, 1000);`);
      const fd = await message(worker);
      // takes the number that the worker has closed itself
      const reused = open();
      await worker.terminate();
      await ended;
      if (reused.fd === fd && syscalls.getsockname(fd, Buffer.alloc(16)) < 0)
        throw new Error('closed a foreign descriptor');
      syscalls.close(reused.fd);
    }
    return { leaked: sockets() - before };
  },

  /** A worker that ends by itself, its socket unref'd and forgotten; and one whose 'exit' listener closes it. */
  async workerEnds() {
    const before = sockets();
    const closing = `process.on('exit', () => { watcher.close(); udp.syscalls.close(socket.fd);
      /* the same number, of somebody else: leaks */
      require('koffi').load(null).func('int socket(int, int, int)')(2, 2, 0); });`;
    const results = [];
    for (const more of ['', closing]) {
      const { ended } = work(`const socket = udp.open(), watcher = udp.readiness.watch(socket.fd, () => {});
        watcher.start(1); watcher.unref(); ${more}`);
      await ended;
      results.push(sockets() - before);
    }
    return { results };
  },

  /** An open socket outlives garbage collections though its program holds nothing of it. */
  async gc() {
    let datagrams = 0;
    let name;
    (() => {
      const socket = open();
      name = socket.name;
      readiness
        .watch(socket.fd, () => {
          datagrams += drain(socket.fd).count;
        })
        .start(1);
    })();
    const from = open();
    for (let i = 0; i < 5; i++) {
      for (let k = 0; k < 3; k++) globalThis.gc();
      await sleep(5);
      send(from.fd, name);
      await until(() => datagrams === i + 1);
    }
    setImmediate(() => process.exit());
    return { datagrams };
  },

  /** A connected socket whose peer refuses: the error is received, and so is what comes after it. */
  async refused() {
    const to = receiver();
    const peer = open();
    syscalls.close(peer.fd);
    syscalls.connect(to.fd, peer.name);
    const results = [];
    for (let i = 0; i < 3; i++) {
      to.errno = 0;
      send(to.fd, peer.name);
      await until(() => to.errno !== 0);
      results.push(to.errno === -udp.platform.errno.ECONNREFUSED);
    }
    const wakeups = to.wakeups;
    await sleep(50);
    const idle = to.wakeups - wakeups;
    const unspecified = Buffer.alloc(16);
    syscalls.connect(to.fd, unspecified);
    // disconnecting forgets an ephemeral port
    syscalls.getsockname(to.fd, to.name);
    if (to.name.readUInt16BE(2) === 0) syscalls.bind(to.fd, udp.sockaddr()) < 0 || syscalls.getsockname(to.fd, to.name);
    send(open().fd, to.name);
    const heard = await until(() => to.datagrams === 1);
    const { events } = to;
    to.close();
    return { results, idle, heard, error: events[0] === 5 };
  },

  /** An exception in one callback reaches the process, and stops neither this socket nor others. */
  async throwing() {
    const seen = [];
    // mocked timers are not for us: sinon and Jest replace the globals, node:test the module's too
    globalThis.setImmediate = () => {};
    require('node:timers').setImmediate = () => {};
    process.on('uncaughtException', (error) => seen.push(error.message));
    const bad = receiver((state) => {
      throw new Error(`thrown ${state.wakeups}`);
    });
    const good = receiver();
    const from = open();
    for (let i = 0; i < 3; i++) {
      send(from.fd, bad.name);
      await until(() => seen.length === i + 1);
      send(from.fd, good.name);
      await until(() => good.datagrams === i + 1);
    }
    bad.close();
    good.close();
    return { seen, datagrams: [bad.datagrams, good.datagrams] };
  },

  /** Closed by its own callback and by another's, with datagrams left: nothing comes any more. */
  async closeInside() {
    const from = open();
    const first = receiver((state) => {
      state.close();
      for (const other of others) other.close();
    });
    const others = Array.from({ length: 20 }, () => receiver((state) => state.close()));
    for (const { name } of [first, ...others]) for (let i = 0; i < 20; i++) send(from.fd, name);
    await until(() => first.wakeups > 0);
    await sleep(20);
    return { first: first.wakeups, others: others.every(({ wakeups }) => wakeups <= 1) };
  },

  /** The same descriptor number for one socket after the other, each with datagrams pending when it goes. */
  async reuse() {
    const from = open();
    let received = 0;
    let same = 0;
    for (let i = 0; i < 1000; i++) {
      const old = receiver();
      if (i % 3) await null;
      if (i % 7 === 0) await sleep(0);
      send(from.fd, old.name);
      old.close();
      const next = receiver();
      if (next.fd === old.fd) same++;
      send(from.fd, next.name);
      if (await until(() => next.datagrams === 1)) received++;
      next.close();
    }
    return { received, same: same > 900 };
  },

  /** Every method after close. */
  async afterClose() {
    const one = receiver();
    one.close();
    for (let i = 0; i < 2; i++) {
      one.watcher.start(1);
      one.watcher.start(3);
      one.watcher.start(0);
      one.watcher.ref();
      one.watcher.unref();
      one.watcher.close();
      await sleep(1);
    }
    // nor does a second close() touch whoever has the descriptor's number now
    const next = receiver();
    one.watcher.close();
    const watched = codeOf(() => readiness.watch(next.fd, () => {}));
    send(open().fd, next.name);
    const heard = await until(() => next.datagrams === 1);
    next.close();
    return { same: next.fd === one.fd, watched, heard };
  },

  /** Others get the numbers of sockets that were closed, and hear while ours come and go, and when none is left. */
  async numbers() {
    const closed = Array.from({ length: 24 }, () => receiver());
    await sleep(1);
    const numbers = closed.map(({ fd }) => fd);
    for (const each of closed) each.close();
    const numbersNow = () => fs.readdirSync('/proc/self/fd').map(Number);
    const taken = () => numbersNow().filter((fd) => numbers.includes(fd));
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'recvfromto-'));
    let changes = 0;
    const files = fs.watch(folder, () => changes++);
    const server = net.createServer((socket) => socket.on('data', (data) => socket.write(data)));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const streams = Array.from({ length: 3 }, () => net.connect(server.address().port, '127.0.0.1'));
    let echoed = 0;
    for (const stream of streams) stream.on('data', () => echoed++);
    let messages = 0;
    const plain = dgram.createSocket('udp4', () => messages++);
    await new Promise((done) => plain.bind(0, '127.0.0.1', done));
    const from = open();
    const allHear = async () => {
      const before = { changes, echoed, messages };
      fs.writeFileSync(path.join(folder, 'file'), String(echoed));
      for (const stream of streams) stream.write('x');
      send(from.fd, udp.sockaddr(plain.address().port));
      return until(() => changes > before.changes && echoed === before.echoed + 3 && messages > before.messages);
    };
    const results = [await allHear()];
    const others = taken().length;
    const ours = Array.from({ length: 24 }, () => receiver());
    await sleep(1);
    results.push(await allHear());
    for (const each of ours) each.close();
    results.push(await allHear());
    await sleep(2500); // what was kept for the next socket has been let go of
    results.push(await allHear());
    const again = receiver();
    send(from.fd, again.name);
    results.push(await until(() => again.datagrams === 1));
    again.close();
    results.push(await allHear());
    for (const each of [files, server, plain, ...streams]) each.close?.() ?? each.destroy?.();
    for (const stream of streams) stream.destroy();
    fs.rmSync(folder, { recursive: true });
    return { results, others: others > 5 };
  },

  /** A descriptor that somebody waits for is not taken over, and goes on hearing. */
  async adopt() {
    const mine = receiver();
    let heard = 0;
    const theirs = dgram.createSocket('udp4', () => heard++);
    await new Promise((done) => theirs.bind(0, '127.0.0.1', done));
    const state = Object.getOwnPropertySymbols(theirs).find(({ description }) => description === 'state symbol');
    const results = [mine.fd, theirs[state].handle.fd].map((fd) => syscalls.adopt(fd));
    const name = (result) =>
      Object.keys(udp.platform.errno).find((key) => udp.platform.errno[key] === -result) ?? result;
    const from = open();
    send(from.fd, mine.name);
    send(from.fd, udp.sockaddr(theirs.address().port));
    const both = await until(() => heard === 1 && mine.datagrams === 1);
    mine.close();
    theirs.close();
    // what waited for one of ours is kept for the next with its number; by then another's handle waits for it
    const one = receiver();
    await sleep(1);
    one.close();
    const given = open();
    const other = dgram.createSocket('udp4', () => heard++).bind({ fd: given.fd });
    await sleep(1);
    const taken = [codeOf(() => readiness.watch(given.fd, () => {}, 1)), given.fd === one.fd];
    send(from.fd, given.name);
    const hears = await until(() => heard === 2);
    other.close();
    // nobody waits for it any more
    const free = open();
    return { results: results.map(name), both, taken, hears, free: syscalls.adopt(free.fd) };
  },

  /** Descriptors that libuv refuses, which koffi does not survive. */
  async badDescriptors() {
    const none = () => {};
    const watch = (fd) => codeOf(() => readiness.watch(fd, none).close());
    const gone = open();
    syscalls.close(gone.fd);
    const closed = watch(gone.fd);
    const file = fs.openSync(__filename);
    const mine = receiver();
    const stopped = receiver();
    stopped.watcher.start(0);
    const foreign = syscalls.socket(udp.constants.AF_INET);
    syscalls.bind(foreign, udp.sockaddr());
    const theirs = dgram.createSocket('udp4').bind({ fd: foreign });
    await sleep(1); // 'listening' may have been emitted by now
    // one that was watched before: what waited for it is kept for the next of its number
    const before = receiver();
    await sleep(1);
    before.close();
    const codes = [closed, watch(before.fd), watch(1e6), watch(file), watch(mine.fd), watch(stopped.fd)];
    // without libuv's symbols nobody can tell, and koffi aborts
    if (process.env.RECVFROMTO_KOFFI !== 'no-symbols') codes.push(watch(foreign));
    const types = [-1, 1.5, '3', null, undefined, Number.NaN, 2 ** 32].map(watch);
    theirs.close();
    stopped.close();
    // and they have left no trace
    send(open().fd, mine.name);
    const heard = await until(() => mine.datagrams === 1);
    const repeated = mine.wakeups;
    mine.close();
    return { codes, types, heard, repeated };
  },

  /** Readable and writable, together and in turn. */
  async events() {
    const socket = open();
    const seen = [];
    const watcher = readiness.watch(socket.fd, (events) => {
      seen.push(events);
      if (events & 1) drain(socket.fd);
      watcher.start(events & 2 ? 1 : 0);
    });
    watcher.start(2);
    await until(() => seen.length === 1);
    send(socket.fd, socket.name);
    await until(() => seen.length === 2);
    send(socket.fd, socket.name);
    await sleep(20);
    watcher.start(3);
    await until(() => seen.length === 3);
    const wrong = [4, 8, -1, 1.5].map((mask) => codeOf(() => watcher.start(mask)));
    watcher.close();
    return { seen, wrong };
  },

  /** The package loaded again and again in one process (jest.resetModules), and side by side. */
  async copies() {
    const warnings = [];
    process.on('warning', ({ name }) => warnings.push(name));
    const copy = () => {
      for (const key of Object.keys(require.cache)) if (!key.includes('koffi')) delete require.cache[key];
      return require('./udp.cjs').readiness;
    };
    const koffi = udp.koffiOfOurs();
    let registered = 0;
    const { register, unregister } = koffi;
    koffi.register = (...args) => {
      registered++;
      return register(...args);
    };
    koffi.unregister = (...args) => {
      registered--;
      return unregister(...args);
    };
    const from = open();
    let heard = 0;
    const all = Array.from({ length: 16 }, () => {
      const socket = open();
      const watcher = copy().watch(socket.fd, () => {
        drain(socket.fd);
        heard++;
      });
      watcher.start(1);
      send(from.fd, socket.name);
      return watcher;
    });
    await until(() => heard === 16);
    const during = registered;
    for (const watcher of all) watcher.close();
    await until(() => registered === 0);
    return { heard, during, after: registered, warnings, listeners: process.listenerCount('exit') };
  },

  /** The set that more than a few sockets share: made for them, closed some time after the last one, and made again. */
  async set() {
    const sets = () =>
      fs.readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]';
        } catch {
          return false;
        }
      }).length;
    const from = open();
    const before = sets();
    const counts = [];
    for (let round = 0; round < 2; round++) {
      const few = Array.from({ length: 32 }, () => receiver());
      counts.push(sets() - before);
      const more = Array.from({ length: 40 }, () => receiver());
      counts.push(sets() - before);
      for (const { name } of [...few, ...more]) send(from.fd, name);
      counts.push(await until(() => [...few, ...more].every(({ datagrams }) => datagrams === 1)));
      for (const each of more) each.close();
      for (const each of few) each.close();
      await sleep(2500);
      counts.push(sets() - before);
    }
    return { counts };
  },

  /** Thousands of open sockets: each watch() costs the same. */
  async many() {
    const open2000 = () => {
      const start = process.hrtime.bigint();
      const all = Array.from({ length: 2000 }, receiver0);
      return { all, ns: Number(process.hrtime.bigint() - start) };
    };
    const receiver0 = () => receiver();
    const rounds = Array.from({ length: 4 }, open2000);
    const from = open();
    const all = rounds.flatMap((each) => each.all);
    for (const { name } of all) send(from.fd, name);
    const heard = await until(() => all.every(({ datagrams }) => datagrams === 1), 10_000); // a busy machine
    for (const each of all) each.close();
    return { heard, ratio: rounds[3].ns / Math.min(rounds[0].ns, rounds[1].ns) };
  },
};

// The process ends by itself, or the test sees it killed: nothing may be left that holds the loop.
scenarios[process.argv[2]]().then(
  (result) => {
    console.log(JSON.stringify(result));
  },
  (error) => {
    console.error(error);
    process.exit(3);
  },
);
