/**
 * One datagram and the answers to it. Each question has sockets of its own, so that an answer that comes too late is
 * never taken for the answer to the next question. One socket is not connected: it hears wrong sources, too. A connected
 * one beside it, on the same port, asks: the kernel hands it what the right address answers, and tells it alone of a port
 * that is closed.
 */
import { isIPv6 } from 'node:net';
import { createSocket, type Socket } from '../index';
import { sendFailure } from './failure';
import { answers, type Target } from './target';

export interface Question {
  readonly target: Target;
  readonly msg: Uint8Array;
  /** The address to send from; undefined: routing decides. */
  readonly from: string | undefined;
  /** ms to wait for an answer */
  readonly timeout: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly msg: Buffer;
  readonly address: string;
  readonly port: number;
  /** ms since the question was sent */
  readonly time: number;
  /** Did it come from where it had to come from? */
  readonly expected: boolean;
}

/** `refused`: the kernel of the asked host says that nobody listens there. */
export type Outcome = 'heard' | 'refused';

/** Until the first answer, or, of a group, for the whole time. @throws Failure */
export async function ask(question: Question, heard: (answer: Answer) => void): Promise<Outcome> {
  const sockets: Socket[] = [];
  let finish: (outcome: Outcome) => void = () => {};
  const aborted = () => finish('heard');
  let timer: NodeJS.Timeout | undefined;
  try {
    const asking = await opened(question, sockets);
    return await new Promise<Outcome>((done, failed) => {
      finish = done;
      // Two turns of the event loop more: an answer that has come while this process was busy is delivered in them.
      timer = setTimeout(() => setImmediate(() => setImmediate(aborted)), question.timeout);
      question.signal.addEventListener('abort', aborted);
      if (question.signal.aborted) aborted();
      else exchange(sockets, asking, question, heard, finish, failed);
    });
  } finally {
    clearTimeout(timer);
    question.signal.removeEventListener('abort', aborted);
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
}

function exchange(
  sockets: readonly Socket[],
  asking: Socket,
  { target, msg, from }: Question,
  heard: (answer: Answer) => void,
  done: (outcome: Outcome) => void,
  failed: (error: Error) => void,
): void {
  let sent = performance.now();
  const wrong = (error: Error) => {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') done('refused');
    else failed(sendFailure(error, target.address, target.port, from));
  };
  for (const socket of sockets) {
    socket.on('message', (answer, { address, port }) => {
      const time = performance.now() - sent;
      heard({ msg: answer, address, port, time, expected: answers(target, address, port) });
      if (target.kind !== 'group') done('heard');
    });
    socket.on('error', wrong);
  }
  const to = { port: target.port, address: target.address, localAddress: from };
  asking.send(msg, asking === sockets[0] ? to : {}, (error) => {
    // Only now: the first datagram of a process pays for memory and declarations, and the network is not to blame.
    if (error === null) sent = performance.now();
    else wrong(error);
  });
}

/** Opens them into `sockets`, the one that hears everybody first. → the one that asks */
async function opened(question: Question, sockets: Socket[]): Promise<Socket> {
  const { target, from } = question;
  const open = (port: number, address: string | undefined) => {
    const socket = createSocket({ type: isIPv6(target.address) ? 'udp6' : 'udp4', batch: 1, reuseAddr: true });
    sockets.push(socket);
    return settled(question, socket, (done) => socket.bind(port, address, done));
  };
  const everybody = await open(0, undefined);
  if (target.kind === 'group') everybody.setBroadcast(true);
  // Sending from an address of the other family fails, with words for it.
  if (target.kind !== 'one' || (from !== undefined && isIPv6(from) !== isIPv6(target.address))) return everybody;
  const asking = await open(everybody.address().port, from);
  return settled(question, asking, (done) => asking.connect(target.port, target.address, done));
}

/** @throws Failure */
function settled({ target, from }: Question, socket: Socket, start: (done: () => void) => void): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(sendFailure(error, target.address, target.port, from));
    socket.once('error', failed);
    start(() => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
