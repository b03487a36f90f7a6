/** recvfromto/libc with real sockets on loopback, and what happens around a call that blocks. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSocket } from '../../src';
import * as libc from '../../src/libc';

const { AF_INET, AF_INET6, SOCK_DGRAM, constants } = libc;
const ROOT = join(__dirname, '../..');
const onLinux = process.platform === 'linux' ? test : test.skip;

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) {
    try {
      libc.close(fd);
    } catch {
      // closed by the test
    }
  }
});

function socketOn(address: string): { fd: number; port: number } {
  const fd = libc.socket(address.includes(':') ? AF_INET6 : AF_INET, SOCK_DGRAM);
  open.push(fd);
  libc.bind(fd, { address });
  return { fd, port: libc.getsockname(fd).port };
}

onLinux.each([
  ['0.0.0.0', '127.0.0.2', '127.0.0.2'],
  ['::', '127.0.0.3', '::ffff:127.0.0.3'],
  ['::', '::1', '::1'],
])('bound to %s and asked on %s: told so, and answered from there', (bound, asked, told) => {
  const { fd, port } = socketOn(bound);
  const client = socketOn(asked.includes(':') ? '::1' : '127.0.0.9');
  libc.connect(client.fd, { address: asked, port });
  expect(libc.sendfromto(client.fd, 'hello')).toBe(5);
  const received = libc.recvfromto(fd);
  expect(received).toMatchObject({ to: { address: told, port, localAddress: told }, ifindex: 1, interface: 'lo' });
  expect(received.from.port).toBe(client.port);
  libc.sendfromto(fd, [received.msg, ' to you'], { to: received.from, from: received.to });
  expect(String(libc.recvfromto(client.fd, { timeout: 2000 })?.msg)).toBe('hello to you');
});

test('what was asked for with setsockopt comes with the datagram', () => {
  const { fd, port } = socketOn('127.0.0.1');
  const { IPPROTO_IP, SOL_SOCKET, IP_RECVTTL, IP_RECVTOS, SO_TIMESTAMPNS, SO_TIMESTAMP, IP_TTL } = constants;
  for (const name of [IP_RECVTTL, IP_RECVTOS]) libc.setsockopt(fd, IPPROTO_IP, name, 1);
  libc.setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS ?? SO_TIMESTAMP, true);
  libc.setsockopt(fd, IPPROTO_IP, IP_TTL, 33);
  expect(libc.getsockopt(fd, IPPROTO_IP, IP_TTL)).toBe(33);
  expect(libc.getsockopt(fd, IPPROTO_IP, IP_TTL, 4)).toEqual(Buffer.from([33, 0, 0, 0]));
  const before = BigInt(Date.now()) * 1_000_000n;
  libc.sendfromto(fd, '', { to: { address: '127.0.0.1', port } });
  const { msg, ttl, tos, timestamp } = libc.recvfromto(fd);
  expect({ size: msg.length, ttl, tos }).toEqual({ size: 0, ttl: 33, tos: 0 });
  expect(timestamp).toBeGreaterThan(before - 1_000_000_000n);
});

test('a peek leaves the datagram where it is', () => {
  const { fd, port } = socketOn('127.0.0.1');
  libc.sendfromto(fd, 'x', { to: { address: '127.0.0.1', port } });
  expect(String(libc.recvfromto(fd, { peek: true }).msg)).toBe('x');
  expect(String(libc.recvfromto(fd, { dontwait: true })?.msg)).toBe('x');
  expect(libc.recvfromto(fd, { dontwait: true })).toBeUndefined();
});

test('a timeout is waited for, and no longer', () => {
  const { fd } = socketOn('127.0.0.1');
  const start = performance.now();
  expect(libc.recvfromto(fd, { timeout: 150 })).toBeUndefined();
  const waited = performance.now() - start;
  expect(waited).toBeGreaterThan(149);
  expect(waited).toBeLessThan(2000);
});

test('a connected socket hears that nobody is there', () => {
  const { fd } = socketOn('127.0.0.1');
  const gone = socketOn('127.0.0.1');
  libc.connect(fd, { address: '127.0.0.1', port: gone.port });
  libc.close(gone.fd);
  libc.sendfromto(fd, 'x');
  expect(() => libc.recvfromto(fd, { timeout: 2000 })).toThrow(
    expect.objectContaining({ code: 'ECONNREFUSED', syscall: 'recvfromto' }),
  );
});

onLinux('an error queue that nobody reads does not end a call that waits, and can be read by hand', () => {
  const { fd } = socketOn('127.0.0.1');
  const gone = socketOn('127.0.0.1');
  libc.close(gone.fd);
  const { IPPROTO_IP, IP_RECVERR, MSG_ERRQUEUE } = constants;
  libc.setsockopt(fd, IPPROTO_IP, IP_RECVERR, 1);
  libc.sendfromto(fd, 'lost', { to: { address: '127.0.0.1', port: gone.port } });
  expect(() => libc.recvfromto(fd, { timeout: 2000 })).toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }));
  expect(libc.recvfromto(fd, { timeout: 50 })).toBeUndefined();

  const { iovec, msghdr, sockaddr_in } = libc.structs;
  const data = Buffer.alloc(8);
  const name = new sockaddr_in();
  const msg = new msghdr({ msg_name: name, msg_iov: new iovec({ iov_base: data }), msg_control: Buffer.alloc(256) });
  expect(libc.recvmsg(fd, msg, MSG_ERRQUEUE)).toBe(4);
  expect([data.toString('latin1', 0, 4), name.sin_port]).toEqual(['lost', gone.port]);
  const types = [];
  for (let cmsg = libc.CMSG_FIRSTHDR(msg); cmsg !== null; cmsg = libc.CMSG_NXTHDR(msg, cmsg))
    types.push(cmsg.cmsg_type);
  expect(types).toContain(IP_RECVERR);
  expect(() => libc.recvmsg(fd, msg, MSG_ERRQUEUE | constants.MSG_DONTWAIT)).toThrow(
    expect.objectContaining({ code: 'EAGAIN' }),
  );
});

test('recvmsg without MSG_DONTWAIT waits, with it throws EAGAIN; so does a non-blocking descriptor', () => {
  const { fd, port } = socketOn('127.0.0.1');
  const data = Buffer.alloc(8);
  const msg = new libc.structs.msghdr({ msg_iov: [new libc.structs.iovec({ iov_base: data })] });
  expect(() => libc.recvmsg(fd, msg, constants.MSG_DONTWAIT)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  const sender = spawn('python3', [
    '-c',
    `
import socket, time
time.sleep(0.3)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"late", ("127.0.0.1", ${port}))`,
  ]);
  expect(libc.recvmsg(fd, msg)).toBe(4);
  expect(data.toString('latin1', 0, 4)).toBe('late');
  sender.kill();
  const nonBlocking = libc.socket(AF_INET, SOCK_DGRAM | constants.SOCK_NONBLOCK);
  open.push(nonBlocking);
  expect(() => libc.recvmsg(nonBlocking, msg)).toThrow(expect.objectContaining({ code: 'EAGAIN', syscall: 'recvmsg' }));
});

test('SO_RCVTIMEO bounds the wait of recvmsg', () => {
  const { fd } = socketOn('127.0.0.1');
  const { timeval, msghdr, iovec } = libc.structs;
  const time = new timeval({ tv_sec: 0, tv_usec: 120_000 });
  libc.setsockopt(fd, constants.SOL_SOCKET, constants.SO_RCVTIMEO, time);
  const msg = new msghdr({ msg_iov: new iovec({ iov_base: Buffer.alloc(1) }) });
  const start = performance.now();
  expect(() => libc.recvmsg(fd, msg)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  const waited = performance.now() - start;
  expect(waited).toBeGreaterThan(115);
  expect(waited).toBeLessThan(2000);
});

test('two buffers are one datagram, both ways, and lengths and flags come back', () => {
  const { fd, port } = socketOn('127.0.0.1');
  const { iovec, msghdr, sockaddr_in } = libc.structs;
  const to = new sockaddr_in({ sin_family: AF_INET, sin_port: port, sin_addr: '127.0.0.1' });
  const [he, llo] = [Buffer.from('he'), Buffer.from('llo')];
  expect(
    libc.sendmsg(fd, new msghdr({ msg_name: to, msg_iov: [he, llo].map((iov_base) => new iovec({ iov_base })) })),
  ).toBe(5);
  const [first, second] = [Buffer.alloc(1), new Uint8Array(2)];
  const msg = new msghdr({
    msg_name: new sockaddr_in(),
    msg_iov: [first, second].map((iov_base) => new iovec({ iov_base })),
    msg_control: Buffer.alloc(4),
  });
  expect(libc.recvmsg(fd, msg)).toBe(3);
  expect([String(first), Buffer.from(second).toString()]).toEqual(['h', 'el']);
  expect(msg.msg_flags).toBe(constants.MSG_TRUNC | constants.MSG_CTRUNC);
  expect([msg.msg_namelen, msg.msg_controllen]).toEqual([16, 0]);
  expect(new sockaddr_in(msg.msg_name as Buffer).sin_port).toBe(port);
});

test('poll waits for several, and tells which', () => {
  const [a, b] = [socketOn('127.0.0.1'), socketOn('127.0.0.1')];
  const fds = [a.fd, -1, b.fd].map((fd) => ({ fd, events: constants.POLLIN, revents: 77 }));
  expect(libc.poll(fds, 20)).toBe(0);
  libc.sendfromto(a.fd, 'x', { to: { address: '127.0.0.1', port: b.port } });
  expect(libc.poll(fds)).toBe(1);
  expect(fds.map(({ revents }) => revents)).toEqual([0, 0, constants.POLLIN]);
  const closed = new libc.structs.pollfd({ fd: 9999, events: constants.POLLIN });
  expect(libc.poll([closed], 0)).toBe(1);
  expect(String(closed)).toContain('POLLNVAL');
});

onLinux('a descriptor blocks, and ends with an exec', () => {
  const { fd } = socketOn('127.0.0.1');
  const flags = Number.parseInt(
    /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '',
    8,
  );
  expect(flags & constants.O_NONBLOCK).toBe(0);
  expect(flags & constants.SOCK_CLOEXEC).toBe(constants.SOCK_CLOEXEC);
});

test('createSocket().bind({ fd }) takes a descriptor over, and close() then leaves it alone', async () => {
  const { fd, port } = socketOn('127.0.0.1');
  const socket = createSocket('udp4');
  const listening = once(socket, 'listening'); // dgram emits it at once for a descriptor
  socket.bind({ fd });
  await listening;
  const client = socketOn('127.0.0.1');
  libc.sendfromto(client.fd, 'x', { to: { address: '127.0.0.1', port } });
  const [msg, rinfo] = await once(socket, 'message');
  expect([String(msg), rinfo.destination.address]).toEqual(['x', '127.0.0.1']);
  expect(() => libc.close(fd)).toThrow(/belongs to the Socket/);
  // And back: the calls go on working on it.
  libc.sendfromto(fd, 'y', { to: { address: '127.0.0.1', port: client.port }, from: { address: '127.0.0.1' } });
  expect(String(libc.recvfromto(client.fd).msg)).toBe('y');
  socket.close();
  await once(socket, 'close');
  expect(() => libc.close(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

test('a descriptor that somebody else has closed is not closed again, though its number is in use', () => {
  const { fd } = socketOn('127.0.0.1');
  closeSync(fd);
  const next = libc.socket(AF_INET, SOCK_DGRAM);
  open.push(next);
  expect(next).toBe(fd);
  const stranger = socketOn('127.0.0.1');
  closeSync(stranger.fd);
  const taken = spawnHolder();
  expect(taken).toBe(stranger.fd);
  expect(() => libc.close(stranger.fd)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'close' }));
  closeSync(taken);
});

/** Opens a file, which gets the lowest free number. */
function spawnHolder(): number {
  return (require('node:fs') as typeof import('node:fs')).openSync(__filename, 'r');
}

describe('scripts', () => {
  const running: ChildProcessWithoutNullStreams[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  beforeAll(() => {
    if (!existsSync(join(ROOT, 'dist/libc.js'))) throw new Error('dist/libc.js is missing; npm run build makes it');
  });

  /** → the child after its first line */
  async function start(
    argv: string[],
  ): Promise<{ child: ChildProcessWithoutNullStreams; line: string; ended: Promise<unknown[]>; output: () => string }> {
    const child = spawn(process.execPath, argv, { cwd: ROOT });
    running.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    const ended = once(child, 'close');
    const [line] = await Promise.race([
      once(createInterface(child.stdout), 'line'),
      ended.then(() => Promise.reject(new Error(output))),
    ]);
    return { child, line, ended, output: () => output };
  }

  const SCRIPT = `const { socket, bind, recvfromto, AF_INET, SOCK_DGRAM } = require('./dist/libc.js');
    const fd = socket(AF_INET, SOCK_DGRAM); bind(fd, { address: '127.0.0.1' });`;
  const BLOCK = `console.log('waiting'); recvfromto(fd);`;

  test('Ctrl-C ends a program that waits', async () => {
    const { child, ended } = await start(['-e', SCRIPT + BLOCK]);
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
  });

  test('Ctrl-C that somebody listens to ends the call with EINTR, and then is heard', async () => {
    const listening = `process.on('SIGINT', () => { console.log('heard'); process.exit(7); });
      try { ${BLOCK} } catch (error) { console.log(error.code, error.syscall); setTimeout(() => {}, 5000); }`;
    const { child, ended, output } = await start(['-e', SCRIPT + listening]);
    // The line comes before the call: once more until one arrives during it.
    const again = setInterval(() => child.kill('SIGINT'), 50);
    expect(await ended).toEqual([7, null]);
    clearInterval(again);
    expect(output()).toBe('waiting\nEINTR recvfromto\nheard\n');
  });

  test('a signal that only says something, as of a window that changes its size, does not end a call', async () => {
    const listening = `process.on('SIGWINCH', () => {}); console.log('waiting'); console.log(recvfromto(fd, { timeout: 600 }));`;
    const { child, ended, output } = await start(['-e', SCRIPT + listening]);
    const again = setInterval(() => child.kill('SIGWINCH'), 50);
    expect(await ended).toEqual([0, null]);
    clearInterval(again);
    expect(output()).toBe('waiting\nundefined\n');
  });

  test('a worker that waits can be terminated, and does not keep the process', async () => {
    const { ended, output } = await start([join(__dirname, 'libc-worker.cjs')]);
    expect(await ended).toEqual([0, null]);
    expect(output()).toBe('terminated\n');
  });

  onLinux.each(['recvfromto', 'by-hand'])(
    'examples/libc/%s.js answers python3 from each address that it asks',
    async (name) => {
      const { line } = await start([`examples/libc/${name}.js`, '0']);
      const port = /\d+$/.exec(line)?.[0] as string;
      const addresses = ['127.0.0.1', '127.0.0.2', '127.200.3.4', ...(name === 'recvfromto' ? ['::1'] : [])];
      const client = spawnSync('python3', [join(__dirname, 'libc-client.py'), port, ...addresses], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(client.stderr).toBe('');
      expect(JSON.parse(client.stdout)).toEqual(
        addresses.map((address) => ({
          asked: address,
          from: address,
          port: Number(port),
          to: address.includes(':') ? '::1' : '127.0.0.1',
        })),
      );
    },
  );

  test('examples/libc/dump.js prints what a datagram carries, field by field', async () => {
    const { line, output } = await start(['examples/libc/dump.js', '0']);
    const port = Number(/\d+$/.exec(line)?.[0]);
    const { fd } = socketOn('127.0.0.1');
    libc.sendfromto(fd, 'hello', { to: { address: '127.0.0.1', port } });
    while (!output().includes('IP_PKTINFO')) await new Promise((done) => setTimeout(done, 10));
    expect(output()).toMatch(/msg_iov: \[\s*iovec \{\s*iov_base: <Buffer 68 65 6c 6c 6f 00/);
    expect(output()).toMatch(/sin6_addr: '::ffff:127\.0\.0\.1'/);
    expect(output()).toMatch(
      /cmsg_type: 50 \(IPV6_PKTINFO\)\s*\} <Buffer .*> in6_pktinfo \{ ipi6_addr: '::ffff:127\.0\.0\.1'/,
    );
  });
});
