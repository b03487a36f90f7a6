// Sockets made of Syscalls and Readiness alone, for the scripts beside this one.
'use strict';
cripple(process.env.RECVFROMTO_KOFFI);
const { openHost } = require(`${process.env.RECVFROMTO_COMPILED}/ffi/index.js`);
const { platform, syscalls, readiness } = openHost();
const { message: layout, constants } = platform;
const P = layout.pointerSize;

const word = (bytes, at, value) =>
  P === 8 ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(Number(value), at);

function sockaddr(port = 0) {
  const name = Buffer.alloc(16);
  if (platform.saLen) name.set([16, constants.AF_INET]);
  else name.writeUInt16LE(constants.AF_INET, 0);
  name.writeUInt16BE(port, 2);
  name.set([127, 0, 0, 1], 4);
  return name;
}

/** A bound UDP socket on 127.0.0.1. */
function open() {
  const fd = syscalls.socket(constants.AF_INET);
  const name = sockaddr();
  if (fd < 0 || syscalls.bind(fd, name) < 0 || syscalls.getsockname(fd, name) < 0) throw new Error('no socket');
  return { fd, name, port: name.readUInt16BE(2) };
}

/** `count` messages of up to `size` bytes; with `name`, addressed to it. */
function ring(count, size, name) {
  const r = { messages: Buffer.alloc(count * layout.size), iov: Buffer.alloc(count * layout.iovec.size) };
  r.bytes = Buffer.alloc(count * size);
  r.names = Buffer.alloc(count * 16);
  for (let i = 0; i < count; i++) {
    const at = i * layout.size;
    const iov = i * layout.iovec.size;
    if (name) name.copy(r.names, i * 16);
    word(r.messages, at + layout.name, syscalls.addressOf(r.names) + BigInt(i * 16));
    r.messages.writeUInt32LE(16, at + layout.namelen);
    word(r.messages, at + layout.iov, syscalls.addressOf(r.iov) + BigInt(iov));
    r.messages.writeUInt32LE(1, at + layout.iovlen);
    word(r.iov, iov + layout.iovec.base, syscalls.addressOf(r.bytes) + BigInt(i * size));
    word(r.iov, iov + layout.iovec.len, size);
  }
  return r;
}

const receiving = ring(16, 256);
const sending = ring(1, 8);

/** → datagrams taken, or a negative errno */
const receive = (fd) => syscalls.recvmmsg(fd, receiving.messages, 16, constants.MSG_DONTWAIT);

/** → 1, or a negative errno */
function send(fd, name) {
  name.copy(sending.names);
  return syscalls.sendmmsg(fd, sending.messages, 0, 1, 0);
}

/** Takes all that waits. → datagrams, the first error */
function drain(fd) {
  let count = 0;
  for (;;) {
    const got = receive(fd);
    if (got < 0) return { count, errno: got === -platform.errno.EAGAIN ? 0 : got };
    count += got;
    if (got < 16) return { count, errno: 0 };
  }
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** Waits until `condition` holds, 3 s at most. → whether it does */
async function until(condition, ms = 3000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(1)) if (condition()) return true;
  return condition();
}

module.exports = {
  koffiOfOurs,
  platform,
  syscalls,
  readiness,
  constants,
  layout,
  sockaddr,
  open,
  ring,
  receive,
  send,
  drain,
  sleep,
  until,
};

/** koffi as ffi/koffi.ts loads it: its binary, without its JavaScript. */
function koffiOfOurs() {
  const { createRequire } = require('node:module');
  const near = createRequire(require.resolve('koffi', { paths: [process.env.RECVFROMTO_COMPILED] }));
  return near(`@koromix/koffi-${process.platform}-${process.arch}`);
}

/** A koffi whose callbacks are all taken, or in an executable that hides libuv. Function declarations are hoisted. */
function cripple(how) {
  if (how === undefined) return;
  const koffi = koffiOfOurs();
  if (how === 'no-callbacks') {
    koffi.register = () => {
      throw new Error('Too many callbacks are in use (max = 8192)');
    };
  } else {
    const { load } = koffi;
    koffi.load = (path) => {
      const library = load(path);
      const func = (prototype, ...rest) => {
        if (prototype.includes('uv_')) throw new Error(`Cannot find function '${prototype}' in shared library`);
        return library.func(prototype, ...rest);
      };
      return { func, symbol: (name) => library.symbol(name) };
    };
  }
}
