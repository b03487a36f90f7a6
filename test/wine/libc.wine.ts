/** recvfromto/libc on Winsock, as Wine has it: WSARecvMsg, WSAPoll and the structs of Windows. */
import { join } from 'node:path';

const libc: typeof import('../../src/libc') = require(join(__dirname, '../../dist/libc.js'));
const { AF_INET, AF_INET6, SOCK_DGRAM, constants, structs } = libc;

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) libc.close(fd);
});

function socketOn(family: number, address?: string): { fd: number; port: number } {
  const fd = libc.socket(family, SOCK_DGRAM);
  open.push(fd);
  libc.bind(fd, { address });
  return { fd, port: libc.getsockname(fd).port };
}

test.each([
  [AF_INET, '127.0.0.2', '127.0.0.2'],
  [AF_INET6, '127.9.8.7', '::ffff:127.9.8.7'],
  [AF_INET6, '::1', '::1'],
])('a datagram is told where it was sent to (%p, %s)', (family, asked, told) => {
  const { fd, port } = socketOn(family);
  const client = socketOn(asked.includes(':') ? AF_INET6 : AF_INET);
  expect(libc.sendfromto(client.fd, ['hel', 'lo'], { to: { address: asked, port } })).toBe(5);
  const received = libc.recvfromto(fd, { timeout: 5000 });
  expect(String(received?.msg)).toBe('hello');
  expect(received?.to).toEqual({
    address: told,
    family: family === AF_INET ? 'IPv4' : 'IPv6',
    port,
    localAddress: told,
  });
  expect(received?.ifindex).toBeGreaterThan(0);
});

test('nothing came: at once, and after a while', () => {
  const { fd } = socketOn(AF_INET);
  expect(libc.recvfromto(fd, { dontwait: true })).toBeUndefined();
  const start = performance.now();
  expect(libc.recvfromto(fd, { timeout: 150 })).toBeUndefined();
  expect(performance.now() - start).toBeGreaterThan(140);
});

test('by hand: WSAMSG, WSABUF and WSACMSGHDR', () => {
  const { fd, port } = socketOn(AF_INET);
  const client = socketOn(AF_INET, '127.0.0.1');
  const { WSABUF, WSAMSG, in_pktinfo, sockaddr_in } = structs;
  const to = new sockaddr_in({ sin_family: AF_INET, sin_port: port, sin_addr: '127.0.0.3' });
  const buffers = ['he', 'llo'].map((part) => new WSABUF({ buf: Buffer.from(part) }));
  expect(libc.sendmsg(client.fd, new WSAMSG({ name: to, lpBuffers: buffers }))).toBe(5);
  const name = new sockaddr_in();
  const data = Buffer.alloc(9);
  const msg = new WSAMSG({ name, lpBuffers: new WSABUF({ buf: data }) });
  msg.Control.buf = Buffer.alloc(128);
  expect(libc.recvmsg(fd, msg)).toBe(5);
  expect([data.toString('latin1', 0, 5), name.sin_port]).toEqual(['hello', client.port]);
  const destinations = [];
  for (let cmsg = libc.CMSG_FIRSTHDR(msg); cmsg !== null; cmsg = libc.CMSG_NXTHDR(msg, cmsg)) {
    if (cmsg.cmsg_type === constants.IP_PKTINFO) destinations.push(new in_pktinfo(libc.CMSG_DATA(cmsg)).ipi_addr);
  }
  expect(destinations).toEqual(['127.0.0.3']);
});

test('poll tells which of several is readable', () => {
  const sockets = [socketOn(AF_INET, '127.0.0.1'), socketOn(AF_INET, '127.0.0.1')];
  const fds = sockets.map(({ fd }) => ({ fd, events: constants.POLLIN, revents: 0 }));
  expect(libc.poll(fds, 0)).toBe(0);
  libc.sendfromto(sockets[0].fd, 'x', { to: { address: '127.0.0.1', port: sockets[1].port } });
  expect(libc.poll(fds, 5000)).toBe(1);
  expect(fds.map(({ revents }) => revents !== 0)).toEqual([false, true]);
});

test('mistakes are errors', () => {
  const { fd } = socketOn(AF_INET);
  const code = (wanted: string) => expect.objectContaining({ code: wanted });
  expect(() => libc.recvfromto(0x7ffc, { dontwait: true })).toThrow(code('ENOTSOCK'));
  expect(() => libc.close(0x7ffc)).toThrow(code('ERR_INVALID_ARG_VALUE'));
  expect(() => libc.bind(fd, { address: '127.0.0.1', port: 0 })).toThrow(code('EINVAL'));
  expect(() => libc.getpeername(fd)).toThrow(code('ENOTCONN'));
  expect(() => structs.msghdr).toThrow(code('ERR_RECVFROMTO_UNSUPPORTED_PLATFORM'));
});
