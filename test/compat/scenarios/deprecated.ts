/** The private names of DEP0112, on the lines that have them, and dgram's state as programs find it by its symbol. */
import { once } from 'node:events';
import { type LooseSocket, NativeSocket, type Scenarios } from '../stage';

interface Handle {
  readonly fd: number;
  hasRef(): boolean;
  getAsyncId(): number;
}

const { prototype } = NativeSocket;
const given = '_handle' in prototype;

async function warnings(action: () => Promise<void> | void): Promise<string[]> {
  const heard: string[] = [];
  const hear = (warning: Error & { code?: string }) =>
    heard.push(`${warning.name} ${warning.code}: ${warning.message}`);
  process.on('warning', hear);
  await action();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  return heard;
}

export const scenarios: Scenarios = {
  'are there': (t) => {
    const names = ['_handle', '_receiving', '_bindState', '_queue', '_reuseAddr', '_healthCheck', '_stopReceiving'];
    for (const name of names) {
      t.log(name, name in t.dgram.Socket.prototype, Object.hasOwn(t.dgram.Socket.prototype, name));
    }
  },

  'what they show': async (t) => {
    if (!given) return;
    const socket = t.socket({ type: 'udp4', reuseAddr: true });
    const show = () => {
      const { _receiving, _bindState, _queue, _reuseAddr } = socket as unknown as Record<string, unknown>;
      t.log('receiving, bindState, queue, reuseAddr', _receiving, _bindState, Array.isArray(_queue), _reuseAddr);
    };
    const told = await warnings(async () => {
      show();
      socket.send('x', 9, '127.0.0.1');
      show();
      await once(socket, 'listening');
      show();
      const handle = socket._handle as Handle;
      t.log('handle', typeof handle.fd, handle.fd > 2, handle.hasRef(), typeof handle.getAsyncId());
      (socket.unref as () => void)();
      t.log('has a ref', handle.hasRef());
      t.attempt('_healthCheck', () => (socket._healthCheck as () => unknown)());
      t.attempt('_stopReceiving', () => (socket._stopReceiving as () => unknown)());
      socket.close();
      t.log('handle', socket._handle);
      t.attempt('_healthCheck', () => (socket._healthCheck as () => unknown)());
    });
    t.log('warned', told);
    const second = t.socket('udp4');
    t.log('not given', (second as unknown as Record<string, unknown>)._reuseAddr);
    (second as unknown as Record<string, unknown>)._reuseAddr = true;
    t.log('set', (second as unknown as Record<string, unknown>)._reuseAddr);
    const first = await t.bound({ type: 'udp4', reuseAddr: true });
    t.watch(second, 'second');
    second.bind(first.address().port, '127.0.0.1');
    await t.settle();
  },

  _stopReceiving: async (t) => {
    if (!given) return;
    const peer = await t.peer();
    const socket = await t.bound();
    t.watch(socket);
    (socket._stopReceiving as () => void)();
    peer.send('unheard', socket.address().port, '127.0.0.1');
    await t.settle();
    socket.send('still sends', peer.address().port, '127.0.0.1', t.callback('sent'));
    t.log('heard', (await once(peer, 'message'))[0]);
  },

  'by the symbol': async (t) => {
    const socket = await t.bound();
    const symbols = Object.getOwnPropertySymbols(socket).filter(({ description }) => description === 'state symbol');
    t.log('one', symbols.length);
    const state = (socket as unknown as Record<symbol, Record<string, unknown>>)[symbols[0]];
    const { handle, receiving, bindState, connectState, queue } = state;
    t.log('state', (handle as Handle).fd > 2, receiving, bindState, connectState, queue);
    (socket as LooseSocket).close();
    t.log('handle', (socket as unknown as Record<symbol, Record<string, unknown>>)[symbols[0]].handle);
  },
};
