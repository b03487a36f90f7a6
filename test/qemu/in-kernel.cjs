// in-kernel.cjs <folder of the built package>: what capabilities() says on this kernel, and whether it is so: what is given is
// used, what is not given is refused with a reason. Lines as suite.cjs prints them, without features of the matrix.
'use strict';
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');

const library = require(path.resolve(process.argv[2]));
const given = library.capabilities();
const print = (line) => console.log(JSON.stringify(line));

const HOST = '127.0.0.1';

async function bound(options) {
  const socket = library.createSocket({ type: 'udp4', ...options });
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

/** Sends from one socket to another, and gives what came. */
async function between(sending, receiving, send, count) {
  const [from, to] = [await bound(sending), await bound(receiving)];
  const heard = [];
  const all = new Promise((done) => {
    to.on('message', (msg, rinfo) => heard.push({ text: String(msg), rinfo }) === count && done());
  });
  const error = await send(from, to.address().port);
  if (error === null) await all;
  const { systemCallsOut } = from.stats();
  from.close();
  to.close();
  return { error, heard, systemCallsOut };
}

const sent = (socket, msg, options) =>
  new Promise((done) => {
    try {
      socket.send(msg, { address: HOST, ...options }, (error) => done(error ?? null));
    } catch (error) {
      done(error);
    }
  });

const checks = {
  async batchReceive() {
    const { heard } = await between({}, {}, (from, port) => many(from, port, 20), 20);
    assert.strictEqual(heard.length, 20);
  },
  async gso() {
    const { heard, systemCallsOut } = await between(
      {},
      {},
      (from, port) => sent(from, 'aabbc', { port, segmentSize: 2 }),
      3,
    );
    assert.deepStrictEqual(
      heard.map(({ text }) => text),
      ['aa', 'bb', 'c'],
    );
    assert.strictEqual(systemCallsOut, given.gso ? 1 : systemCallsOut);
  },
  async gro() {
    // Whether a run stays whole on the loopback interface is the kernel's business; that no byte is lost is ours.
    const { heard } = await between(
      {},
      { gro: 'runs' },
      (from, port) => sent(from, 'aabb', { port, segmentSize: 2 }),
      1,
    );
    const [{ text, rinfo }] = heard;
    assert.deepStrictEqual([text, rinfo.segmentSize], text === 'aabb' ? ['aabb', 2] : ['aa', undefined]);
    return text === 'aabb' ? 'a run' : 'cut before the loopback interface';
  },
  async txTime() {
    // Under a queue that heeds it: what is to leave later does, though it was sent before.
    execFileSync('tc', ['qdisc', 'replace', 'dev', 'lo', 'root', 'fq']);
    // Two sockets: fq waits for the first of a flow, and looks at what comes behind it then.
    const [one, other, to] = [await bound({}), await bound({}), await bound({})];
    const { port } = to.address();
    const arrivals = [];
    const both = new Promise((done) => {
      to.on('message', (msg) => arrivals.push([String(msg), process.hrtime.bigint()]) === 4 && done());
    });
    // An emulated machine takes its time for what it does first.
    for (const socket of [one, other]) assert.strictEqual(await sent(socket, 'now', { port, txTime: 1n }), null);
    while (arrivals.length < 2) await once(to, 'message');
    const started = process.hrtime.bigint();
    const [late, soon] = [started + 5_000_000_000n, started + 2_000_000_000n];
    assert.strictEqual(await sent(one, 'late', { port, txTime: late }), null);
    assert.strictEqual(await sent(other, 'soon', { port, txTime: soon }), null);
    await both;
    for (const socket of [one, other, to]) socket.close();
    execFileSync('tc', ['qdisc', 'del', 'dev', 'lo', 'root']);
    assert.deepStrictEqual(
      arrivals.map(([text]) => text),
      ['now', 'now', 'soon', 'late'],
    );
    const [, , [, first], [, second]] = arrivals;
    assert.ok(first >= soon && first < late && second >= late, 'each in its time');
    const ms = [first, second].map((at) => `${Math.round(Number(at - started) / 1e6)} ms`);
    return `heeded by fq: sent at once for 2000 and 5000 ms, came after ${ms.join(' and ')}`;
  },
  async recvMark() {
    const { heard } = await between({}, { recvMark: true }, (from, port) => sent(from, 'x', { port }), 1);
    assert.strictEqual(heard[0].rinfo.mark, 0);
  },
  async fullSize() {
    const { heard } = await between({}, { maxDatagramSize: 4 }, (from, port) => sent(from, 'abcdef', { port }), 1);
    assert.strictEqual(heard[0].rinfo.fullSize, 6);
  },
  async timestamp() {
    const { heard } = await between({}, { recvTimestamp: true }, (from, port) => sent(from, 'x', { port }), 1);
    assert.ok(Math.abs(Number(heard[0].rinfo.timestamp / 1_000_000n) - Date.now()) < 60_000);
  },
  async freebind() {
    const socket = library.createSocket({ type: 'udp6', ipv6Only: true, freebind: true });
    socket.bind(0, '2001:db8:55::1');
    await once(socket, 'listening');
    socket.close();
  },
  async multicastAll() {
    const socket = library.createSocket({ type: 'udp6', ipv6Only: true, multicastAll: false });
    socket.bind(0, '::');
    await once(socket, 'listening');
    socket.close();
  },
  async steer() {
    const socket = await bound({ reusePort: { steer: 'cpu' } });
    socket.close();
  },
};

function many(from, port, count) {
  const datagrams = Array.from({ length: count }, (_, i) => ({ msg: String(i), port, address: HOST }));
  return new Promise((done) => from.sendMany(datagrams, (error) => done(error ?? null)));
}

/** A kernel without it must not be left with half of it: an error that says so, or the field left out. */
const without = {
  async recvMark() {
    const { heard } = await between({}, { recvMark: true }, (from, port) => sent(from, 'x', { port }), 1);
    assert.strictEqual(heard[0].rinfo.mark, undefined);
    return 'the field is left out';
  },
};

async function main() {
  print({ kernel: os.release(), capabilities: given });
  for (const [name, check] of Object.entries(checks)) {
    const what = `kernel: ${name}`;
    try {
      const detail = given[name]
        ? ((await check()) ?? '')
        : `not given: ${given.notes[name]}; ${(await without[name]?.()) ?? ''}`;
      print({ name: what, result: 'run', detail });
    } catch (error) {
      print({ name: what, result: 'failed', detail: `${error?.stack ?? error}` });
    }
  }
  print({ done: true });
  process.exit(0);
}

main();
