/**
 * One datagram and the answers to it. Each question has a socket of its own, so that an answer that comes too late is
 * never taken for the answer to the next question. The socket is not connected: it hears wrong sources, too.
 */
import { isIPv6 } from 'node:net';
import { createSocket, type Socket } from '../index';
import { sendFailure } from './failure';
import { answers, type Target } from './target';

export interface Question {
  readonly target: Target;
  readonly text: string;
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

/** Until the first answer, or, of a group, for the whole time. @throws Failure */
export async function ask(question: Question, heard: (answer: Answer) => void): Promise<void> {
  const { address } = question.target;
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', batch: 1 });
  let finish = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    await bound(socket, question);
    await new Promise<void>((done, failed) => {
      finish = done;
      // Two turns of the event loop more: an answer that has come while this process was busy is delivered in them.
      timer = setTimeout(() => setImmediate(() => setImmediate(finish)), question.timeout);
      question.signal.addEventListener('abort', finish);
      if (question.signal.aborted) finish();
      else exchange(socket, question, heard, finish, failed);
    });
  } finally {
    clearTimeout(timer);
    question.signal.removeEventListener('abort', finish);
    await socket[Symbol.asyncDispose]();
  }
}

function exchange(
  socket: Socket,
  { target, text, from }: Question,
  heard: (answer: Answer) => void,
  done: () => void,
  failed: (error: Error) => void,
): void {
  let sent = performance.now();
  socket.on('message', (msg, { address, port }) => {
    const time = performance.now() - sent;
    heard({ msg, address, port, time, expected: answers(target, address, port) });
    if (target.kind !== 'group') done();
  });
  const wrong = (error: Error) => failed(sendFailure(error, target.address, target.port, from));
  socket.on('error', wrong);
  socket.send(text, { port: target.port, address: target.address, localAddress: from }, (error) => {
    // Only now: the first datagram of a process pays for memory and declarations, and the network is not to blame.
    if (error === null) sent = performance.now();
    else wrong(error);
  });
}

function bound(socket: Socket, { target, from }: Question): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(sendFailure(error, target.address, target.port, from));
    socket.once('error', failed);
    socket.bind(0, undefined, () => {
      socket.off('error', failed);
      if (target.kind === 'group') socket.setBroadcast(true);
      resolve();
    });
  });
}
