/**
 * Hostile calls of recvfromto/libc in a process that may crash: node test/e2e/libc-fuzz.cjs
 * FUZZ_SEED and FUZZ_RUNS (calls of each kind) look further. Prints how many there were.
 */
const { closeSync, openSync } = require('node:fs');
require('./netns/typescript.cjs');
const fc = require('fast-check');
const { openHost } = require('../../src/ffi/index.ts');
const { openLibcCalls } = require('../../src/ffi/libc-calls.ts');
const { createLibc } = require('../../src/libc/libc.ts');

Error.stackTraceLimit = 0; // nearly every call throws
fc.configureGlobal({
  seed: Number(process.env.FUZZ_SEED ?? 20150514),
  numRuns: Number(process.env.FUZZ_RUNS ?? 15_000),
});

class WouldBlock extends Error {}
const host = openHost();
const { constants } = host.platform;
const { AF_INET, AF_INET6, SOCK_DGRAM, SOL_SOCKET, MSG_DONTWAIT } = constants;
const syscalls = new Proxy(host.syscalls, {
  get(target, name) {
    if (name === 'poll') {
      return () => {
        throw new WouldBlock();
      };
    }
    const value = target[name];
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const { structs, descriptors, messages, datagrams, control } = createLibc(
  { ...host, syscalls },
  openLibcCalls(host.platform),
);

const sockets = [AF_INET, AF_INET6, AF_INET].map((family) => descriptors.socket(family, SOCK_DGRAM, 0));
for (const fd of sockets) descriptors.bind(fd, { address: fd === sockets[1] ? '::1' : '127.0.0.1' });
const file = openSync(__filename, 'r');
const fds = [...sockets, file, 9999];

function detached() {
  const memory = new ArrayBuffer(16);
  const view = new Uint8Array(memory);
  structuredClone(memory, { transfer: [memory] });
  return view;
}

const made = (make) => fc.constant(undefined).map(make);
const bytes = fc.oneof(
  fc.nat(300).map((length) => Buffer.alloc(length, 0xee)), // 0xeeee is no family, so no sockaddr leads out of here
  made(() => Buffer.alloc(0)),
  made(() => new DataView(new ArrayBuffer(9), 3)),
  made(() => new Float64Array(4)),
  made(detached),
  made(() => new Uint8Array(new SharedArrayBuffer(64))),
  made(() => Object.defineProperty(Buffer.alloc(4), 'length', { value: 2 ** 30 })),
  made(() => Object.defineProperty(Buffer.alloc(4), 'byteLength', { value: 2 ** 30 })),
  made(() => new Proxy(Buffer.alloc(4), {})),
  made(() => Object.create(Buffer.prototype)),
  made(() => new structs.in_pktinfo()),
);
const number = fc.oneof(
  fc.integer({ min: -2, max: 63 }),
  fc.constantFrom(
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 - 1,
    2 ** 53,
    1.5,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ),
  fc.constantFrom(
    ...Object.keys(constants)
      .filter((name) => /^(SO|IP|MSG)/.test(name))
      .map((name) => constants[name]),
  ),
);
const junk = fc.oneof(
  fc.constantFrom(undefined, null, true, '', 'x', 5n, Symbol.iterator, {}, [], () => {}),
  number,
  bytes,
);
const address = fc.constantFrom(
  '127.0.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '0.0.0.0',
  '::',
  'fe80::1%lo',
  'x',
  7,
  undefined,
);
const mostly = (usual, rest) => fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: rest });
const name = fc.oneof(
  junk,
  fc.record({ address, port: mostly(fc.integer({ min: -1, max: 65536 }), junk) }),
  fc
    .constantFrom('127.0.0.1', '127.0.0.2')
    .map((sin_addr) => new structs.sockaddr_in({ sin_family: AF_INET, sin_port: 9, sin_addr })),
  made(() => new structs.sockaddr_storage()),
  // Another answer each time
  made(() => {
    const answers = ['127.0.0.1', 7, undefined];
    return {
      port: 9,
      get address() {
        return answers.shift();
      },
    };
  }),
);
const fd = mostly(
  fc.nat(4).map((i) => fds[i]),
  fc.constantFrom(-1, 2 ** 31, 'x', undefined, 1.5),
);
const flags = mostly(fc.constant(MSG_DONTWAIT), number);

/** As many of the values as are taken. */
function assign(struct, values) {
  for (const [field, value] of Object.entries(values)) {
    try {
      struct[field] = value;
    } catch {
      // refused, as it should be
    }
  }
  return struct;
}

const some = { requiredKeys: [] };
const iovec = fc
  .record({ iov_base: bytes, iov_len: number }, some)
  .map((values) => assign(new structs.iovec(), values));
const msghdr = fc
  .record(
    {
      msg_name: name,
      msg_iov: fc.oneof(fc.array(iovec, { maxLength: 5 }), iovec, junk),
      msg_control: bytes,
      msg_namelen: number,
      msg_iovlen: number,
      msg_controllen: number,
      msg_flags: number,
    },
    some,
  )
  .map((values) => {
    const empty = { msg_name: null, msg_iov: null, msg_control: null };
    return assign(new structs.msghdr(Buffer.alloc(structs.msghdr.size, 0x41)), { ...empty, ...values });
  });

let calls = 0;
let succeeded = 0;

/** Every error has a code, but for what JavaScript itself says of forged objects. */
function check(title, args, call) {
  let good = 0;
  fc.assert(
    fc.property(args, (given) => {
      calls++;
      try {
        call(...given);
        good++;
      } catch (error) {
        if (error instanceof WouldBlock) good++;
        else if (typeof error?.code !== 'string' && !/incompatible receiver|read only|symbol/i.test(error?.message)) {
          throw error;
        }
      }
    }),
  );
  if (good === 0) throw new Error(`${title}: not one call went through, so nothing was tried`);
  succeeded += good;
}

check('recvmsg', fc.tuple(fd, mostly(msghdr, junk), flags), (a, b, c) => messages.recvmsg(a, b, c));
check('sendmsg', fc.tuple(fd, mostly(msghdr, junk), flags), (a, b, c) => messages.sendmsg(a, b, c));
const options = fc.record(
  { length: number, timeout: number, dontwait: mostly(fc.boolean(), junk), peek: fc.boolean() },
  some,
);
check('recvfromto', fc.tuple(fd, mostly(options, junk)), (a, b) => datagrams.recvfromto(a, b));
const to = fc.record({ to: name, from: name, interface: fc.oneof(number, junk) }, some);
const payload = fc.oneof(bytes, junk, fc.array(bytes, { maxLength: 5 }));
check('sendfromto', fc.tuple(fd, payload, mostly(to, junk)), (a, b, c) => datagrams.sendfromto(a, b, c));
const named = fc.constantFrom('bind', 'connect', 'getsockname', 'getpeername');
check('names', fc.tuple(fd, named, name), (a, call, b) => descriptors[call](a, b));
const level = fc.constantFrom(SOL_SOCKET, constants.IPPROTO_IP, constants.IPPROTO_IPV6, constants.IPPROTO_UDP, 'x');
const option = fc.constantFrom('setsockopt', 'getsockopt');
check('options', fc.tuple(fd, option, level, number, junk), (a, call, ...rest) => descriptors[call](a, ...rest));
const entry = mostly(fc.record({ fd, events: number }), junk);
check('poll', fc.tuple(mostly(fc.array(entry, { maxLength: 4 }), junk)), (a) => descriptors.poll(a, 0));
const walked = fc.array(fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer()), { maxLength: 32 });
check('control messages', fc.tuple(msghdr, walked, mostly(fc.constant(undefined), number)), (msg, words, length) => {
  const given = Buffer.from(Int32Array.from(words).buffer);
  assign(msg, { msg_control: given, msg_controllen: length ?? given.length });
  let left = 1000;
  for (let cmsg = control.CMSG_FIRSTHDR(msg); cmsg !== null; cmsg = control.CMSG_NXTHDR(msg, cmsg)) {
    if (--left === 0) throw new Error('without end');
    String(cmsg);
    control.CMSG_DATA(cmsg);
  }
});

closeSync(file);
for (const each of sockets) descriptors.close(each);
console.log(`${calls} calls, ${succeeded} of them not refused`);
