/** Workers, cluster workers and children that end at any moment: who is left goes on. */
import { library, lines, program } from '../support/program';

const COUNT = Number(process.env.CHAOS_WORKERS ?? 60);

/** Opens sockets, and has them flooded by themselves. */
const busy = `
const { createSocket } = require('recvfromto');
const s = createSocket('udp4');
s.on('message', (msg, rinfo) => s.reply(msg, rinfo));
s.bind(0, '127.0.0.1', () => {
  const { port } = s.address();
  const more = () => {
    for (let i = 0; i < 20; i++) s.send('x', port, '127.0.0.1');
    setTimeout(more, 1);
  };
  more();
  const w = require('node:worker_threads').parentPort;
  if (w) w.postMessage('busy');
  else process.send?.('busy');
});
`;

test('workers under load that are terminated, one after the other: the process and its sockets go on', async () => {
  const ended = await program(
    `${library}
    const { Worker } = require('node:worker_threads');
    const fds = () => require('node:fs').readdirSync('/proc/self/fd').length;
    const s = await bound(createSocket('udp4'));
    const heard = [];
    s.on('message', (msg) => heard.push(msg));
    const one = async (i) => {
      const worker = new Worker(${JSON.stringify(busy)}, { eval: true });
      worker.on('error', () => {});
      await once(worker, 'message');
      await new Promise((done) => setTimeout(done, (i * 7) % 20));
      await worker.terminate();
    };
    for (let i = 0; i < 4; i++) await one(i);
    const before = fds();
    const lane = async (first) => { for (let i = first; i < ${COUNT}; i += 2) await one(i); };
    await Promise.all([lane(0), lane(1)]);
    say(fds() - before <= 2);
    s.send('x', s.address().port, '127.0.0.1');
    say(await when(() => heard.length > 0));
    process.exit(0);`,
    { timeout: 240_000 },
  );
  expect(lines(ended)).toEqual(['true', 'true']);
}, 240_000);

test('cluster workers that are killed: the primary starts others, and they answer', async () => {
  const played = await program(
    `const cluster = require('node:cluster');
    const { writeFileSync, rmSync } = require('node:fs');
    const file = require('node:path').join(process.cwd(), 'node_modules/.chaos-worker-' + process.pid + '.cjs');
    writeFileSync(file, "const { createSocket } = require(" + JSON.stringify(process.cwd()) + ");" +
      "const s = createSocket('udp4'); s.on('message', (msg, rinfo) => s.reply(String(process.pid), rinfo));" +
      "s.bind(Number(process.env.PORT), '127.0.0.1', () => process.send('up'));");
    process.on('exit', () => rmSync(file, { force: true }));
    const probe = await bound(dgram.createSocket('udp4'));
    const { port } = probe.address();
    await new Promise((done) => probe.close(done));
    cluster.setupPrimary({ exec: file, execArgv: [] });
    const up = new Set();
    const fork = () => {
      const worker = cluster.fork({ PORT: String(port) });
      worker.on('message', () => up.add(worker));
      worker.on('exit', () => { up.delete(worker); });
      return worker;
    };
    for (let i = 0; i < 3; i++) fork();
    await when(() => up.size === 3, 20000);
    const client = await bound(dgram.createSocket('udp4'));
    const heard = [];
    client.on('message', (msg) => heard.push(String(msg)));
    for (let round = 0; round < 4; round++) {
      const [victim] = up;
      victim.process.kill('SIGKILL');
      await when(() => !up.has(victim), 10000);
      fork();
      await when(() => up.size === 3, 20000);
      const before = heard.length;
      await when(() => { client.send('x', port, '127.0.0.1'); return heard.length > before; }, 5000);
      say(heard.length > before);
    }
    process.exit(0);`,
    { timeout: 120_000 },
  );
  expect(lines(played)).toEqual(['true', 'true', 'true', 'true']);
}, 130_000);
