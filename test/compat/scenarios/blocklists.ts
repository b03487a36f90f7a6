/** receiveBlockList and sendBlockList, on the lines that have them. recvfromto has them on every line. */
import { once } from 'node:events';
import { BlockList } from 'node:net';
import { NativeSocket, type Scenarios } from '../stage';

const given = /sendBlockList/.test(String(NativeSocket));

const all: Scenarios = {
  'that are none': (t) => {
    for (const name of ['receiveBlockList', 'sendBlockList']) {
      for (const list of [undefined, null, 0, '', false, 5, 'abc', true, {}, [], new BlockList()]) {
        t.attempt(`${name} ${t.spell(list)}`, () => t.socket({ type: 'udp4', [name]: list }).type);
      }
    }
    t.attempt('which first', () => t.socket({ type: 'x', receiveBlockList: 5, sendBlockList: 5, recvBufferSize: 'x' }));
    t.attempt('and then', () => t.socket({ type: 'x', lookup: 5, sendBlockList: 5 }));
  },

  sending: async (t) => {
    const sendBlockList = new BlockList();
    sendBlockList.addAddress('127.0.0.1');
    sendBlockList.addSubnet('::1', 128, 'ipv6');
    for (const [type, address] of [
      ['udp4', '127.0.0.1'],
      ['udp4', undefined],
      ['udp4', 'localhost'],
      ['udp4', '127.0.0.2'],
      ['udp6', '::1'],
      ['udp6', '::ffff:127.0.0.1'],
    ] as const) {
      const socket = t.socket({ type, sendBlockList });
      t.watch(socket, `${type} ${address}`);
      const sent = t.awaited('sent');
      socket.send('x', 9, address, sent.call);
      await sent.called;
      socket.send('x', 9, address);
      const connected = t.awaited('connected');
      socket.connect(9, address, connected.call);
      await connected.called;
    }
    const socket = t.socket({ type: 'udp4', sendBlockList });
    t.watch(socket);
    socket.connect(9, '127.0.0.1');
    await t.settle();
  },

  receiving: async (t) => {
    const receiveBlockList = new BlockList();
    receiveBlockList.addAddress('127.0.0.1');
    const socket = await t.bound({ type: 'udp4', receiveBlockList }, '0.0.0.0');
    t.watch(socket);
    const [blocked, other] = [await t.peer('udp4', '127.0.0.1'), await t.peer('udp4', '127.0.0.2')];
    blocked.send('blocked', socket.address().port, '127.0.0.1');
    other.send('let in', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    await t.settle();
    receiveBlockList.addAddress('127.0.0.2');
    other.send('blocked as well', socket.address().port, '127.0.0.1');
    await t.settle();
  },

  'receiving, mapped': async (t) => {
    const receiveBlockList = new BlockList();
    receiveBlockList.addAddress('127.0.0.1');
    const socket = await t.bound({ type: 'udp6', receiveBlockList }, '::');
    t.watch(socket);
    const [blocked, other] = [await t.peer('udp4', '127.0.0.1'), await t.peer('udp6', '::1')];
    blocked.send('blocked', socket.address().port, '127.0.0.1');
    other.send('let in', socket.address().port, '::1');
    await once(socket, 'message');
    await t.settle();
  },
};

export const scenarios: Scenarios = given ? all : {};
