/** What is read in dgram's source is what its sockets do. */
import dgram from 'node:dgram';
import { errorMonitor } from 'node:events';

type NodeLine = typeof import('../../../src/socket/dgram/node-line');

/** As a module that has just been loaded says. */
function told(): ReturnType<NodeLine['bindFailureEvent']> | undefined {
  let event: ReturnType<NodeLine['bindFailureEvent']> | undefined;
  jest.isolateModules(() => {
    event = (require('../../../src/socket/dgram/node-line') as NodeLine).bindFailureEvent();
  });
  return event;
}

function done(): 'error' | typeof errorMonitor {
  const socket = dgram.createSocket({ type: 'udp4', lookup: () => {} });
  socket.bind(0, 'any', () => {});
  const event = socket.listenerCount('error') > 0 ? 'error' : errorMonitor;
  socket.close();
  return event;
}

test('by which event bind() hears that it has failed', () => {
  expect(told()).toBe(done());
});

test('the same where a program has wrapped bind(), whose source says nothing', () => {
  const { bind } = dgram.Socket.prototype;
  dgram.Socket.prototype.bind = function (this: dgram.Socket, ...args: unknown[]) {
    return Reflect.apply(bind, this, args);
  } as typeof bind;
  try {
    expect(told()).toBe(done());
  } finally {
    dgram.Socket.prototype.bind = bind;
  }
});
