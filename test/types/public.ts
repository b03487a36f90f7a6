/** Compiled by `npm run lint`, never run: what programs write against the public types has to go on compiling. */
import type * as dgram from 'node:dgram';
import {
  type Accept,
  type AddressInfo,
  createServer,
  createSocket,
  type Destination,
  type MessageBuffer,
  type OutgoingDatagram,
  type ReceivedMessage,
  type RemoteInfo,
  Server,
  Socket,
  type SocketOptions,
  type SocketStats,
} from '../../src/index';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function exactly<A>() {
  return <B>(_value: B, ..._: Equal<A, B> extends true ? [] : ['these types differ']): void => {};
}
function same<A, B>(..._: Equal<A, B> extends true ? [] : ['these types differ']): void {}

export function sockets(): void {
  const socket = createSocket('udp4', (msg, rinfo) => {
    exactly<MessageBuffer>()(msg);
    exactly<RemoteInfo>()(rinfo);
    exactly<Destination | undefined>()(rinfo.destination);
    exactly<string | undefined>()(rinfo.localAddress);
    exactly<true | undefined>()(rinfo.truncated);
    exactly<bigint | undefined>()(rinfo.timestamp);
    socket.reply(msg, rinfo);
    socket.reply([msg, 'more'], rinfo, (error, bytes) => {
      exactly<Error | null>()(error);
      exactly<number>()(bytes);
    });
    // @ts-expect-error shared between datagrams
    if (rinfo.destination) rinfo.destination.address = '';
  });
  exactly<Socket>()(socket);
  same<ReturnType<Socket['address']>, AddressInfo>();
  same<ReturnType<Socket['stats']>, SocketStats>();
  socket.on('messages', (batch) => exactly<ReceivedMessage[]>()(batch));
  socket.once('error', (error) => exactly<Error>()(error));
  socket
    .bind()
    .bind(0)
    .bind(0, '::1')
    .bind(0, '::1', () => {})
    .bind(() => {})
    .bind({ port: 0, exclusive: true }, () => {});
  socket
    .bind({ fd: 3 })
    .ref()
    .unref()
    .close(() => {});
  socket.connect(53, () => {});
  socket.connect(53, '127.0.0.1', () => {});
}

export function sending(socket: Socket): void {
  socket.send('x', 53);
  socket.send(['x', new Uint16Array(1)], 53, '127.0.0.1', (_error, _bytes) => {});
  socket.send(new DataView(new ArrayBuffer(1)), 0, 1, 53, '127.0.0.1', () => {});
  socket.send('x', () => {});
  socket.send('x', 0, 1, () => {});
  socket.send('x', { port: 53, address: '::1', localAddress: '::1', interface: 'lo', ttl: 1, tos: 0 }, () => {});
  socket.send('x', { localAddress: '::1' });
  // @ts-expect-error no such option
  socket.send('x', { port: 53, source: '::1' });
  // @ts-expect-error no message
  socket.send(5, 53);
  const many: OutgoingDatagram[] = [{ msg: 'x', port: 53 }];
  socket.sendMany(many, (error, sent) => {
    exactly<Error | null>()(error);
    exactly<number>()(sent);
  });
  socket.sendMany(new Set(many));
  // @ts-expect-error a datagram needs bytes
  socket.sendMany([{ port: 53 }]);
}

export async function iterating(): Promise<void> {
  await using socket = new Socket({ type: 'udp6', ipv6Only: true });
  for await (const [msg, rinfo] of socket) {
    exactly<MessageBuffer>()(msg);
    exactly<RemoteInfo>()(rinfo);
  }
}

export function servers(): void {
  const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
  exactly<Server>()(server);
  createServer({ host: '::1', batch: 8, accept: ({ address }) => address !== '' }, () => {}).listen(53, () => {});
  const { port, ipv4, ipv6 } = new Server().listen().address();
  exactly<number>()(port);
  exactly<AddressInfo | undefined>()(ipv4);
  exactly<AddressInfo | undefined>()(ipv6);
  // @ts-expect-error a server is of both families
  createServer({ type: 'udp4' });
}

export function options(signal: AbortSignal, everything: SocketOptions): void {
  const accept: Accept = { destinations: ['10.0.0.0/8'], interfaces: ['eth0'] };
  createSocket({ type: 'udp4', signal, accept, recvTTL: true, replyInterface: 'ingress', maxDatagramSize: 1500 });
  createSocket({ ...everything, reuseAddr: undefined });
  createSocket({ type: 'udp4', stickySource: { max: 10 } });
  // @ts-expect-error no such type
  createSocket('udp5');
  // @ts-expect-error 'route' or 'ingress'
  createSocket({ type: 'udp4', replyInterface: 'egress' });
}

/** The drop-in promise: what is written for dgram's types takes ours. */
export function dropIn(socket: Socket, theirs: dgram.RemoteInfo, ours: RemoteInfo): void {
  const listener = (_msg: Buffer, _rinfo: dgram.RemoteInfo): void => {};
  socket.on('message', listener);
  createSocket('udp4', listener);
  const rinfo: dgram.RemoteInfo = ours;
  socket.send('x', theirs.port, rinfo.address);
  const given: dgram.SocketOptions = { type: 'udp4', reuseAddr: true };
  createSocket(given as SocketOptions);
  const bound: dgram.BindOptions = { port: 53 };
  socket.bind(bound);
}
