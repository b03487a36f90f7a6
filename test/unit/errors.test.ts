/** Errors beside Node's own, made by provoking Node. */
import * as dgram from 'node:dgram';
import * as errors from '../../src/errors';

const thrownBy = (action: () => unknown): NodeJS.ErrnoException => {
  try {
    action();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('nothing was thrown');
};

function theirs(use: (socket: dgram.Socket) => unknown): NodeJS.ErrnoException {
  const socket = dgram.createSocket({ type: 'udp4', lookup: () => {} });
  try {
    return thrownBy(() => use(socket));
  } finally {
    socket.close();
  }
}

const send = (socket: dgram.Socket, ...args: unknown[]) => (socket.send as (...all: unknown[]) => void)(...args);

test.each([
  ['badType', errors.badType(), thrownBy(() => dgram.createSocket('udp5' as never))],
  ['alreadyBound', errors.alreadyBound(), theirs((socket) => socket.bind().bind())],
  ['notRunning', errors.notRunning(), thrownBy(() => dgram.createSocket('udp4').close().close())],
  ['notConnected', errors.notConnected(), theirs((socket) => socket.disconnect())],
  ['alreadyConnected', errors.alreadyConnected(), theirs((socket) => [socket.connect(9), socket.connect(9)])],
  ['badBufferSize', errors.badBufferSize(), theirs((socket) => socket.setRecvBufferSize(-1))],
  ['missingArgs', errors.missingArgs('multicastAddress'), theirs((socket) => socket.addMembership(''))],
  ['outOfBounds', errors.outOfBounds('offset'), theirs((socket) => send(socket, 'x', 2, 0, 9))],
  ['badPort', errors.badPort(70000, false), theirs((socket) => send(socket, 'x', 70000))],
  ['invalidMessage', errors.invalidMessage('buffer', 5), theirs((socket) => send(socket, 5, 9))],
])('%s is what dgram throws', (_, ours, expected) => {
  const { name, code, message } = ours;
  expect({ name, code, message }).toEqual({ name: expected.name, code: expected.code, message: expected.message });
  // Their stacks are compared in test/compat: Jest writes those of Node anew.
  expect(String(ours)).toBe(String(expected));
  expect(Object.keys(ours)).toEqual(Object.keys(expected));
});

class Thing {}
test.each([
  [null],
  [undefined],
  [0],
  [-0],
  [Number.NaN],
  [1.5],
  [70000],
  [2 ** 53],
  [-1],
  ['x'],
  ["it's"],
  ['a text that is longer than twenty-eight characters'],
  [true],
  [10n],
  [Symbol('s')],
  [{}],
  [[]],
  [new Thing()],
  [Object.create(null)],
  [function named() {}],
  [() => {}],
])('what was received: %p', (value) => {
  // A port is no callback only in the sliced form.
  const expected = theirs((socket) => send(socket, 'x', value, undefined, null));
  expect(errors.badPort(value, false).message).toBe(expected.message);
});

test.each([4294967296, -1, 1.5, 1e15])('out of range: %p', (recvBufferSize) => {
  const expected = thrownBy(() => dgram.createSocket({ type: 'udp4', recvBufferSize }));
  const range = Number.isInteger(recvBufferSize) ? '>= 0 && <= 4294967295' : 'an integer';
  expect(errors.outOfRange('options.recvBufferSize', range, recvBufferSize)).toMatchObject({
    code: expected.code,
    message: expected.message,
  });
});

describe('systemError', () => {
  test.each([
    [undefined, 'bind EPERM'],
    [{ address: '127.0.0.1', port: 53 }, 'bind EPERM 127.0.0.1:53'],
    [{ address: '127.0.0.1', port: 0 }, 'bind EPERM 127.0.0.1'],
    [{ address: '127.0.0.1', port: 53, localAddress: '::1' }, 'bind EPERM 127.0.0.1:53 from ::1'],
    [{ localAddress: '::1' }, 'bind EPERM from ::1'],
  ])('%j', (place, message) => {
    const error = errors.systemError('EPERM', -1, 'bind', place);
    expect(error).toMatchObject({ message, code: 'EPERM', errno: -1, syscall: 'bind' });
    for (const [key, value] of Object.entries(place ?? {})) {
      if (value) expect((error as unknown as Record<string, unknown>)[key]).toBe(value);
    }
  });
});
