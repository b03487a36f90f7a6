/** node:cluster: what workers that bind the same port share, what they hear of failures, and how they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output } from '../child';
import { NativeSocket, type Scenarios, type Stage } from '../stage';

interface Cluster {
  readonly name: string;
  /** JavaScript with fork(env), say(…), and `hear(line, worker)`, called for each line of a worker. */
  readonly primary: string;
  /** JavaScript with dgram, say(…) and its NAME. */
  readonly worker: string;
}

/** Runs clusters, all at once; their primaries print what was said, sorted. */
async function run(t: Stage, ...clusters: readonly Cluster[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recvfromto-cluster-'));
  const outcomes = clusters.map(({ primary, worker }, i) => {
    const file = join(folder, `${i}.cjs`);
    writeFileSync(file, program(t.modulePath, primary, worker));
    return output(process.execPath, [file]);
  });
  for (const [i, { status, signal, stdout, stderr }] of (await Promise.all(outcomes)).entries()) {
    t.log(clusters[i].name, status, signal, stdout.replace(/\b[1-6]\d{4}\b/g, 'PORT').split('\n'), stderr);
  }
  rmSync(folder, { recursive: true, force: true });
}

function program(modulePath: string, primary: string, worker: string): string {
  return `const cluster = require('node:cluster');
    const net = { ...require('node:dgram') };
    const dgram = require(${JSON.stringify(modulePath)});
    if (cluster.isPrimary) {
      const lines = [];
      let hear = () => {};
      const say = (...words) => lines.push(words.map((word) => typeof word === 'string' ? word : JSON.stringify(word)).join(' '));
      const fork = (env) => { const worker = cluster.fork(env); worker.on('message', (line) => { lines.push(line); hear(line, worker); }); return worker; };
      process.on('exit', () => { for (const line of lines.sort()) console.log(line); });
      setTimeout(() => { say('timed out'); process.exit(1); }, 20_000).unref();
      ${primary}
    } else {
      const say = (...words) => process.send(words.map((word) => typeof word === 'string' ? word : JSON.stringify(word)).join(' '));
      const { NAME } = process.env;
      process.on('uncaughtException', (error) => say(NAME, 'uncaught', error.message));
      ${worker}
    }`;
}

/** Two workers; each says when it listens; at the second the primary goes on. */
const TWO = `let listening = 0; const [a, b] = [fork({ NAME: 'a' }), fork({ NAME: 'b' })];`;

export const scenarios: Scenarios = {
  'a port that is shared': async (t) => {
    await run(
      t,
      {
        name: 'port 0',
        primary: `${TWO} const ports = new Set(); let heard = 0;
      const client = net.createSocket('udp4');
      hear = (line) => {
        if (line.startsWith('port')) { ports.add(line); lines.pop(); if (++listening < 2) return;
          say('different ports', ports.size);
          for (let i = 0; i < 40; i++) client.send('x' + i, Number(line.split(' ')[1]), '127.0.0.1');
        } else if (line.startsWith('heard')) { lines.pop(); if (++heard === 40) { say('all heard', heard); client.close(); a.kill(); b.kill(); } }
      };`,
        worker: `const s = dgram.createSocket('udp4', (msg, { size, family }) => say('heard', String(msg), size, family));
      s.bind(0, '127.0.0.1', () => say('port', s.address().port));`,
      },
      {
        name: "cluster's events",
        primary: `${TWO} cluster.on('listening', (worker, { address, port, addressType }) => { say('listening', address, port > 0, addressType); if (++listening === 2) { a.disconnect(); b.disconnect(); } });
      cluster.on('exit', (worker, code, signal) => say('exit', code, signal));`,
        worker: `const s = dgram.createSocket({ type: 'udp6', ipv6Only: true }); s.bind(0, '::1'); s.on('close', () => {}); `,
      },
    );
  },

  'answers of workers': async (t) => {
    await run(t, {
      name: 'udp4',
      primary: `${TWO} const client = net.createSocket('udp4', (msg, { port }) => { say('answer', String(msg), port === to); client.close(); a.kill(); b.kill(); }); let to;
      hear = (line) => { if (line.startsWith('port')) { to = Number(line.split(' ')[1]); if (++listening === 2) client.send('question', to, '127.0.0.1'); } };`,
      worker: `const s = dgram.createSocket('udp4', (msg, { address, port }) => s.send(msg + ' answered', port, address));
      s.bind(0, () => say('port', s.address().port));`,
    });
  },

  exclusive: async (t) => {
    await run(
      t,
      {
        name: 'the same port',
        primary: `${TWO} hear = () => { if (++listening === 2) { a.kill(); b.kill(); } };
      const free = net.createSocket('udp4').bind(0, '127.0.0.1', () => { const { port } = free.address(); free.close(() => { a.send(port); b.send(port); }); });`,
        worker: `process.on('message', (port) => {
        const s = dgram.createSocket('udp4');
        s.on('error', ({ code, syscall, address, message }) => say('error', code, syscall, address, message));
        s.bind({ port, address: '127.0.0.1', exclusive: true }, () => say('listening', s.address().address));
      });`,
      },
      {
        name: 'port 0',
        primary: `${TWO} const ports = new Set(); hear = (line) => { lines.pop(); ports.add(line); if (++listening === 2) { say('different ports', ports.size); a.kill(); b.kill(); } };`,
        worker: `const s = dgram.createSocket('udp4').bind({ port: 0, address: '127.0.0.1', exclusive: true }, () => say('port', s.address().port));`,
      },
      {
        name: 'implicitly bound',
        primary: `${TWO} const ports = new Set(); hear = (line) => { lines.pop(); ports.add(line); if (++listening === 2) { say('different ports', ports.size); a.kill(); b.kill(); } };`,
        worker: `const s = dgram.createSocket('udp4'); s.send('x', 9, '127.0.0.1', () => say('port', s.address().port));`,
      },
    );
  },

  failures: async (t) => {
    const report = `s.on('error', (e) => say(NAME, Object.keys(e).join(), e.code, e.errno, e.syscall, e.address, typeof e.port, e.message));`;
    await run(
      t,
      {
        name: 'an address in use',
        primary: `${TWO} hear = () => { if (++listening === 2) { a.kill(); b.kill(); taken.close(); } };
      const taken = net.createSocket('udp4').bind(0, '127.0.0.1', () => { a.send(taken.address().port); b.send(taken.address().port); });`,
        worker: `process.on('message', (port) => { const s = dgram.createSocket('udp4'); ${report} s.bind(port, '127.0.0.1', () => say('never')); });`,
      },
      {
        name: 'an address that is not here',
        primary: `${TWO} hear = () => { if (++listening === 2) { a.kill(); b.kill(); } };`,
        worker: `const s = dgram.createSocket('udp4'); ${report} s.bind(0, '198.51.100.7');`,
      },
      {
        name: 'a descriptor that is none',
        primary: `fork({ NAME: 'a' }); hear = (line, worker) => worker.kill();`,
        worker: `const s = dgram.createSocket('udp4'); ${report} s.bind({ fd: 987 });`,
      },
      {
        name: 'an exclusive descriptor that is none',
        primary: `fork({ NAME: 'a' }); hear = (line, worker) => worker.kill();`,
        worker: `const s = dgram.createSocket('udp4'); s.bind({ fd: 987, exclusive: true });`,
      },
    );
  },

  'a worker that dies': async (t) => {
    await run(t, {
      name: 'the other goes on',
      primary: `${TWO} let to; const client = net.createSocket('udp4');
      hear = (line) => {
        if (line.startsWith('port')) { to = Number(line.split(' ')[1]); if (++listening === 2) a.process.kill('SIGKILL'); }
        else if (line.startsWith('b heard')) { client.close(); b.kill(); }
      };
      a.on('exit', (code, signal) => { say('a exit', code, signal); client.send('still there?', to, '127.0.0.1'); });`,
      worker: `const s = dgram.createSocket('udp4', (msg) => say(NAME, 'heard', String(msg)));
      s.bind(0, '127.0.0.1', () => say('port', s.address().port));`,
    });
  },

  closing: async (t) => {
    await run(
      t,
      {
        name: 'a port is free when all have closed it',
        primary: `${TWO} let closed = 0; let to;
      hear = (line) => {
        if (line.startsWith('port')) { to = Number(line.split(' ')[1]); if (++listening === 2) { a.send('close'); b.send('close'); } }
        else if (line.endsWith('closed') && ++closed === 2) setTimeout(() => {
          const s = net.createSocket('udp4').on('error', (e) => { say('still taken', e.message); process.exit(); }).bind(to, '127.0.0.1', () => { say('free'); s.close(); a.kill(); b.kill(); });
        }, 100);
      };`,
        worker: `const s = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => say('port', s.address().port));
      process.on('message', () => s.close(() => say(NAME, 'closed')));`,
      },
      {
        name: 'before listening',
        primary: `fork({ NAME: 'a' }); hear = (line, worker) => { if (line === 'a later') worker.kill(); };`,
        worker: `const s = dgram.createSocket('udp4'); s.on('listening', () => say('never')); s.bind(0, '127.0.0.1'); process.nextTick(() => process.nextTick(() => s.close(() => say('a closed')))); setTimeout(() => say('a later'), 200);`,
      },
      {
        name: 'disconnect closes',
        primary: `const a = fork({ NAME: 'a' }); hear = (line) => { if (line.startsWith('port')) a.disconnect(); }; a.on('exit', (code, signal) => say('exit', code, signal, a.exitedAfterDisconnect)); a.on('disconnect', () => say('disconnect'));`,
        worker: `const s = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => say('port', s.address().port)); s.on('close', () => say('a closed'));`,
      },
      {
        name: 'the primary goes away',
        primary: `const a = fork({ NAME: 'a' }); hear = (line) => { if (line.startsWith('port')) process.exit(); };`,
        worker: `const s = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => say('port', s.address().port));`,
      },
    );
  },

  unref: async (t) => {
    await run(t, {
      name: 'a worker whose channel and socket hold nothing',
      primary: `const a = fork({ NAME: 'a' }); a.on('exit', (code, signal) => say('exit', code, signal));`,
      worker: `const s = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => { s.unref(); say('a bound'); process.channel.unref(); });`,
    });
    await run(t, {
      name: 'a worker whose socket was unref()ed before bind()',
      primary: `const a = fork({ NAME: 'a' }); a.on('exit', (code, signal) => say('exit', code, signal));`,
      worker: `const s = dgram.createSocket('udp4').unref().bind(0, '127.0.0.1', () => {
        say('holds', process.getActiveResourcesInfo().filter((name) => /udp/i.test(name)));
        s.close(() => cluster.worker.disconnect());
      });`,
    });
  },

  reusePort: async (t) => {
    if (!/reusePort/.test(String(NativeSocket))) return; // ignored by dgram, not by recvfromto
    await run(t, {
      name: 'workers have their own descriptors',
      primary: `const a = fork({ NAME: 'a' }); let b;
      hear = (line) => {
        if (line.startsWith('port')) { b = fork({ NAME: 'b', PORT: line.split(' ')[1] }); }
        else if (line.startsWith('b')) { a.kill(); b.kill(); }
      };`,
      worker: `const s = dgram.createSocket({ type: 'udp4', reusePort: true });
      s.on('error', (e) => say(NAME, e.code));
      s.bind(Number(process.env.PORT ?? 0), '127.0.0.1', () => say(NAME === 'a' ? 'port' : 'b too', s.address().port));`,
    });
  },
};
