// cluster.cjs <answers|fair|descriptors>
// Workers of node:cluster that share a port by recvfromto. Prints what was seen as JSON.
'use strict';
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { readdirSync, readlinkSync } = require('node:fs');
const { join } = require('node:path');
const { createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));
const [what] = process.argv.slice(2);

const BLOCKED = 1500;

/** Sockets among the descriptors of this process. */
function sockets() {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // that of readdir itself
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

const workers = {
  answers() {
    const socket = createSocket('udp4', (msg, rinfo) => socket.reply(`${msg} to ${rinfo.destination.address}`, rinfo));
    socket.bind(0, () => process.send(socket.address().port));
  },

  fair() {
    const socket = createSocket('udp4', (msg, rinfo) => {
      // What this worker has taken beside this message nobody else can answer.
      if (String(msg) === 'block') for (const end = Date.now() + BLOCKED; Date.now() < end; );
      socket.reply(msg, rinfo);
    });
    socket.bind(0, '127.0.0.1', () => process.send(socket.address().port));
  },

  async descriptors() {
    const once = () =>
      new Promise((done) => {
        const socket = createSocket('udp4');
        socket.bind(0, '127.0.0.1', () => socket.close(done));
      });
    await once();
    const before = sockets();
    for (let i = 0; i < 30; i++) await once();
    process.send({ leaked: sockets() - before });
  },
};

function start(count) {
  const all = Array.from({ length: count }, () => cluster.fork());
  return Promise.all(all.map((worker) => new Promise((done) => worker.once('message', done))));
}

function end(result) {
  console.log(JSON.stringify(result));
  for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL');
}

function ask(client, port, address, question) {
  return new Promise((done) => {
    client.once('message', (msg, from) => done(`${msg}, from ${from.address}`));
    client.send(question, port, address);
  });
}

const primaries = {
  async answers() {
    const [port, other] = await start(2);
    const client = dgram.createSocket('udp4');
    const answers = [];
    for (const address of ['127.0.0.1', '127.0.0.2', '127.9.8.7']) {
      for (const question of ['first', 'second', 'third']) answers.push(await ask(client, port, address, question));
    }
    client.close();
    end({ samePort: port === other, answers });
  },

  async fair() {
    const [port] = await start(2);
    const client = dgram.createSocket('udp4');
    const began = Date.now();
    let answered = 0;
    client.on('message', (msg) => {
      if (String(msg) === 'block') return;
      if (++answered < 20) return;
      const inTime = Date.now() - began < BLOCKED;
      client.close();
      end({ answered, inTime });
    });
    client.send('block', port, '127.0.0.1');
    for (let i = 0; i < 20; i++) client.send(`${i}`, port, '127.0.0.1');
  },

  async descriptors() {
    const before = sockets();
    const [{ leaked }] = await start(1);
    await new Promise((done) => {
      cluster.once('exit', done);
      for (const worker of Object.values(cluster.workers)) worker.disconnect();
    });
    await new Promise((done) => setImmediate(done));
    end({ worker: leaked, primary: sockets() - before });
  },
};

if (cluster.isPrimary) void primaries[what]();
else void workers[what]();
