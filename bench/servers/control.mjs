// What every JavaScript server under test has in common: its arguments (key=value), and commands on stdin, one a line,
// each answered by one line of JSON. Plain JavaScript that Node, Bun and Deno run as it is.
//
//   family=4|6|dual   mode=echo|count   sockets=N (0: none, the bare runtime)   and what each server says of itself
//   beside=http       an HTTP server in the same process
//   beside=timers     measures how late timers are
//   stats                                       → {"received":N, "at":ms, …}; lateness since the last time
//   send how=one|many|… size= port= peers= ms=  → {"sent":N}
//   query port= n=    binds n=                  → {"done":N,"cpuNs":N}: a socket for each question; bind and close
//   heap sockets=N                              → {"bytes":N}: V8's heap for each further bound socket
//   profile kind=cpu|heap ms= file=             → {"file":…}, Node only
//   quit
import process from 'node:process';

export const HOST = { 4: '0.0.0.0', 6: '::', dual: '::' };
export const counters = { received: 0 };

function words(list) {
  return Object.fromEntries(list.map((word) => word.split('=')));
}

/** Some 2 µs of work between two looks at the clock, whose numbers V8 would have to collect otherwise. */
const STEPS = 500;

/** Keeps the CPU at work for so many µs, as a handler does that parses, looks up and signs. → what came out */
export function work(us) {
  const until = performance.now() + us / 1000;
  let sum = 0;
  do {
    for (let i = 0; i < STEPS; i++) sum = (sum * 31 + i) | 0;
  } while (performance.now() < until);
  return sum;
}

/** Runs `one` so often, each after the other, and says what that cost this process. */
async function repeated(one, { n = '1000', ...given }) {
  const before = process.cpuUsage();
  for (let i = 0; i < Number(n); i++) await one(given);
  const { user, system } = process.cpuUsage(before);
  return { done: Number(n), cpuNs: (user + system) * 1000 };
}

/** V8's heap for each of many idle sockets, the first one (with all that is shared) left out. */
async function heapOf(open, { sockets = '1000' }, options) {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const used = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 20)).then(collect);
    return process.memoryUsage().heapUsed;
  };
  await open(options);
  const before = await used();
  for (let i = 0; i < Number(sockets); i++) await open(options);
  return { bytes: ((await used()) - before) / Number(sockets) };
}

/** @param beside what else the process does, by name */
const BESIDE = {
  async http() {
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end('ok'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { http: server.address().port };
  },
  /** One timer was due in every millisecond, and fires when the event loop gets round to it. */
  timers() {
    let due = performance.now() + 1;
    const lateness = [];
    const tick = () => {
      for (const now = performance.now(); due <= now; due++) lateness.push(now - due);
      setTimeout(tick, 1);
    };
    tick();
    Object.defineProperty(counters, 'lateMs', {
      enumerable: true,
      get() {
        const all = lateness.splice(0).sort((a, b) => a - b);
        return { p50: all[Math.floor(all.length / 2)], p99: all[Math.floor(all.length * 0.99)] };
      },
    });
    return {};
  },
};

/**
 * @param subject `open(options)` → port of one more socket that echoes or counts; `send`, how → function (msg, targets);
 * `query(options)` and `bindAndClose()`, once each
 */
export async function serve(subject) {
  const options = { family: '4', mode: 'echo', sockets: '1', ...words(process.argv.slice(2)) };
  const ports = [];
  for (let i = 0; i < Number(options.sockets); i++) ports.push(await subject.open(options));
  const more = options.beside === undefined ? {} : await BESIDE[options.beside]();
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  const commands = {
    stats: () => ({ ...counters, at: performance.now() }),
    send: async (given) => (await import('./sending.mjs')).sendFor(subject.send[given.how ?? 'one'], given),
    query: (given) => repeated(subject.query, given),
    binds: (given) => repeated(subject.bindAndClose, given),
    heap: (given) => heapOf(subject.open, given, options),
    profile: async (given) => (await import('./record.mjs')).record(given),
    quit: () => process.exit(0),
  };
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', async (text) => {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const [command, ...rest] = line.split(' ');
      say(await commands[command](words(rest)));
    }
  });
  process.stdin.on('end', () => process.exit(0));
  say({ ports, ...more });
}
