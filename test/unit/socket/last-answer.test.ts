/** What was checked for one answer is not checked again for the next one, unless something of it may have changed. */
import { Engine } from '../../../src/datagram/engine';
import type { RemoteInfo } from '../../../src/types';
import { pktinfo6 } from '../../support/bytes';
import { datagrams, FakeNet, FROM, heard, settled } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';

type Outcome = string | null;

async function answered(net: FakeNet, options = {}) {
  const { socket, fd } = await net.bound(options);
  const { rinfos } = heard(socket);
  net.arrive(fd, datagrams('one', 'two'));
  await settled();
  const outcomes: Outcome[] = [];
  const answer = (to: RemoteInfo, text = 'x') =>
    socket.reply(text, to, (error) => void outcomes.push(error && ((error as NodeJS.ErrnoException).code ?? '?')));
  answer(rinfos[0], 'first');
  await settled();
  return { socket, fd, rinfos, outcomes, answer };
}

const toFirst = { to: { address: FROM.address, port: FROM.port } };

test('a getter of rinfo that connects the socket: nobody else is answered by the connected descriptor', async () => {
  const net = new FakeNet();
  const { socket, rinfos, outcomes, answer } = await answered(net);
  const [rinfo] = rinfos;
  const { address } = rinfo;
  let connected = false;
  Object.defineProperty(rinfo, 'address', {
    get() {
      if (!connected) socket.connectSync(9, '192.0.2.77');
      connected = true;
      return address;
    },
  });
  answer(rinfo, 'second');
  await settled();
  expect(outcomes).toEqual([null, 'ERR_SOCKET_DGRAM_IS_CONNECTED']);
  expect(net.payloads).toEqual(['first']);
});

test('a getter of rinfo that answers somebody else: this answer goes to who has asked', async () => {
  const net = new FakeNet();
  const { socket, fd, rinfos, answer } = await answered(net);
  const { rinfos: others } = heard(socket);
  const from = { address: '192.0.2.10', port: FROM.port };
  net.arrive(fd, [{ ...datagrams('three')[0], from }]);
  await settled();
  const [rinfo] = rinfos;
  const { localAddress } = rinfo;
  Object.defineProperty(rinfo, 'localAddress', {
    get() {
      answer(others[0], 'to the other');
      return localAddress;
    },
  });
  answer(rinfo, 'second');
  await settled();
  expect(net.host.syscalls.sent.slice(1)).toMatchObject([
    { to: from, payload: 'to the other' },
    { ...toFirst, payload: 'second' },
  ]);
});

test.each<[string, (rinfo: RemoteInfo) => unknown, expected: object]>([
  ['another port', (rinfo) => Object.assign(rinfo, { port: 99 }), { to: { address: FROM.address, port: 99 } }],
  [
    'another address',
    (rinfo) => Object.assign(rinfo, { address: '192.0.2.8' }),
    { to: { address: '192.0.2.8', port: FROM.port } },
  ],
  ['no source', (rinfo) => Object.assign(rinfo, { localAddress: undefined }), { ...toFirst, control: [] }],
])('a program that writes %s into rinfo between two answers', async (_, change, expected) => {
  const net = new FakeNet();
  const { rinfos, outcomes, answer } = await answered(net);
  change(rinfos[0]);
  answer(rinfos[0], 'changed');
  answer(rinfos[1], 'as it was');
  await settled();
  expect(outcomes).toEqual([null, null, null]);
  const [first, changed, last] = net.host.syscalls.sent;
  expect(changed).toMatchObject({ ...expected, payload: 'changed' });
  expect(last).toMatchObject({ ...toFirst, control: first.control, payload: 'as it was' });
});

test.each<[string, Partial<RemoteInfo>, code: string]>([
  ['port 0', { port: 0 }, 'ERR_RECVFROMTO_UNANSWERABLE'],
  ['a group', { address: '224.0.0.1' }, 'ERR_RECVFROMTO_UNANSWERABLE'],
  ['everybody', { address: '255.255.255.255' }, 'ERR_RECVFROMTO_UNANSWERABLE'],
])('nor is %s answered because the answer before was right', async (_, change, code) => {
  const net = new FakeNet();
  const { rinfos, outcomes, answer } = await answered(net);
  answer(Object.assign(rinfos[0], change));
  answer(rinfos[1]);
  await settled();
  expect(outcomes.sort()).toEqual([code, null, null].sort());
});

test('a program that writes an address outside into the rinfo of a request to the loopback address', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound({ type: 'udp6' });
  const { rinfos } = heard(socket);
  net.arrive(fd, [{ from: { address: '::1', port: 9 }, payload: 'x', control: [pktinfo6(linux64, '::1', 1)] }]);
  await settled();
  const outcomes: Outcome[] = [];
  const answer = (to: RemoteInfo) =>
    socket.reply('x', to, (error) => void outcomes.push(error && ((error as NodeJS.ErrnoException).code ?? '?')));
  answer(rinfos[0]);
  answer(Object.assign(rinfos[0], { address: '2001:db8::9' }));
  await settled();
  expect(outcomes.sort()).toEqual(['ERR_RECVFROMTO_SOURCE_MISMATCH', null]);
});

test('a block list that is filled between two answers', async () => {
  const net = new FakeNet();
  const blocked = new Set<string>();
  const sendBlockList = { check: (address: string) => blocked.has(address) };
  const { rinfos, outcomes, answer } = await answered(net, { sendBlockList });
  blocked.add(FROM.address);
  answer(rinfos[1]);
  await settled();
  expect(outcomes).toEqual([null, 'ERR_IP_BLOCKED']);
});

test('a peer whose address becomes the broadcast address of a network of ours', async () => {
  const net = new FakeNet();
  let netmask = '255.255.255.0';
  const networkInterfaces = () => ({ eth0: [{ address: '192.0.2.1', netmask, family: 'IPv4' }] }) as never;
  Object.assign(net, { engine: new Engine(Object.assign(net.host, { networkInterfaces }), () => net.now) });
  const { socket, fd } = await net.bound();
  const { rinfos } = heard(socket);
  const from = { address: '192.0.2.63', port: 9 };
  const arrive = async () => {
    net.arrive(fd, [{ ...datagrams('x')[0], from }]);
    await settled();
  };
  await arrive();
  const outcomes: Outcome[] = [];
  const answer = (to: RemoteInfo) =>
    socket.reply('x', to, (error) => void outcomes.push(error && ((error as NodeJS.ErrnoException).code ?? '?')));
  answer(rinfos[0]);
  await settled();
  netmask = '255.255.255.192';
  net.now += 60_000;
  await arrive();
  answer(rinfos[0]);
  answer(rinfos[1]);
  await settled();
  expect(outcomes).toEqual([null, 'ERR_RECVFROMTO_UNANSWERABLE', 'ERR_RECVFROMTO_UNANSWERABLE']);
});

test('connected, and disconnected: each answer by the rules of then', async () => {
  const net = new FakeNet();
  const { socket, rinfos, outcomes, answer } = await answered(net);
  socket.connectSync(9, '192.0.2.77');
  answer(rinfos[1], 'refused');
  socket.disconnect();
  answer(rinfos[1], 'second');
  socket.connectSync(FROM.port, FROM.address);
  answer(rinfos[1], 'third');
  await settled();
  expect(outcomes.sort()).toEqual(['ERR_SOCKET_DGRAM_IS_CONNECTED', null, null, null].sort());
  expect(net.host.syscalls.sent.map(({ payload, to }) => [payload, to?.port])).toEqual([
    ['first', FROM.port],
    ['second', FROM.port],
    ['third', undefined],
  ]);
});

test('a socket that is closed between two answers', async () => {
  const net = new FakeNet();
  const { socket, rinfos } = await answered(net);
  socket.close();
  expect(() => socket.reply('x', rinfos[1])).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
});

test('each answer has the mark of its own request', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound({ recvMark: true, replyMark: true } as never);
  const { rinfos } = heard(socket);
  net.arrive(fd, datagrams('one', 'two'));
  await settled();
  for (const [index, rinfo] of rinfos.entries()) socket.reply('x', Object.assign(rinfo, { mark: 7 + index }));
  await settled();
  const marks = net.host.syscalls.sent.map(({ control }) =>
    control.find(({ level }) => level === 1)?.data.readInt32LE(),
  );
  expect(marks).toEqual([7, 8]);
});
