/**
 * Asks a server, with node:dgram, as any client could: a socket that is not connected, so that it hears an answer from
 * whichever address it comes. For `doctor` and `probe`.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * ms. On the machine itself; the question is asked again after each wait, should a queue have been full. Each begins when
 * the one before is over: a machine that was busy for a second has then still time to answer.
 */
const WAITS = [150, 150, 200, 500, 1000];

export interface Local {
  readonly address: string;
  readonly port: number;
}

export interface Asking {
  readonly to: string;
  readonly port: number;
  /** The datagrams of a try, counted from 0. @param local the socket that asks */
  messages(attempt: number, local: Local): readonly Uint8Array[];
  /** Is it an answer? Others are left alone. Default: everything is. */
  isAnswer?(msg: Buffer): boolean;
  /** The client's own address; undefined: routing decides. */
  readonly from?: string | undefined;
  /** ms to wait after each try. */
  readonly waits?: readonly number[];
  /** Before it is sent: broadcast, groups, TTL. */
  prepare?(client: Socket): void;
  /**
   * Ask by a connected socket beside the one that hears everybody, on the same port: the kernel tells it of a closed port
   * (ECONNREFUSED). Not for groups.
   */
  readonly connected?: boolean;
}

export interface Heard {
  readonly msg: Buffer;
  /** Where the answer came from. */
  readonly from: string;
  readonly port: number;
  /** Who was answered. */
  readonly local: Local;
}

/** undefined when no answer came; the code of an error when it could not be asked. Never rejects. */
export async function asked(asking: Asking): Promise<Heard | string | undefined> {
  const sockets: Socket[] = [];
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<Heard | string | undefined>((resolve) => {
    const failed = (error: Error | null) => {
      if (error !== null) resolve((error as NodeJS.ErrnoException).code ?? error.message);
    };
    open(asking, sockets, failed).then((client) => {
      const local = client.address();
      for (const socket of sockets) {
        socket.on('message', (msg, { address, port }) => {
          if (asking.isAnswer?.(msg) ?? true) resolve({ msg, from: address, port, local });
        });
      }
      const send = (attempt: number, [wait, ...waits]: readonly number[]) => {
        if (wait === undefined) {
          resolve(undefined);
          return;
        }
        for (const msg of asking.messages(attempt, local)) sendOne(client, msg, asking, failed);
        timer = setTimeout(send, wait, attempt + 1, waits);
      };
      send(0, asking.waits ?? WAITS);
    }, failed);
  });
  const result = await answer;
  clearTimeout(timer);
  await Promise.all(sockets.map((socket) => new Promise<void>((closed) => socket.close(() => closed()))));
  return result;
}

function sendOne(client: Socket, msg: Uint8Array, asking: Asking, failed: (error: Error | null) => void): void {
  if (asking.connected === true) client.send(msg, failed);
  else client.send(msg, asking.port, asking.to, failed);
}

/** Ports of connected questions that are not over. */
const inUse = new Set<number>();

/** → the socket that asks; all of them in `sockets`. */
async function open(asking: Asking, sockets: Socket[], failed: (error: Error) => void): Promise<Socket> {
  const { to, port, from, connected = false } = asking;
  const bound = (own: number) => {
    const socket = createSocket({ type: isIPv6(to) ? 'udp6' : 'udp4', ipv6Only: isIPv6(to), reuseAddr: connected });
    sockets.push(socket);
    socket.on('error', failed);
    return new Promise<Socket>((done) => socket.bind(own, from, () => done(socket)));
  };
  let everybody = await bound(0);
  asking.prepare?.(everybody);
  if (!connected) return everybody;
  // Among sockets that share ports the kernel may choose one that another question of ours has.
  while (inUse.has(everybody.address().port)) everybody = await bound(0);
  const { port: own } = everybody.address();
  inUse.add(own);
  everybody.once('close', () => inUse.delete(own));
  const asker = await bound(own);
  await new Promise<void>((done, refused) => {
    asker.connect(port, to, ((error?: Error) => (error ? refused(error) : done())) as () => void);
  });
  return asker;
}
