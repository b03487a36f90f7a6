/**
 * Asks a server of this machine, with node:dgram, as any client could: a socket that is not connected, so that it hears
 * an answer from whichever address it comes.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * ms. Nothing here goes over a wire; the question is asked again after each wait, should a queue have been full. Each
 * begins when the one before is over: a machine that was busy for a second has then still time to answer.
 */
const WAITS = [150, 150, 200];

export interface Asking {
  readonly to: string;
  readonly port: number;
  readonly msg: Uint8Array;
  /** The client's own address; undefined: routing decides. */
  readonly from?: string | undefined;
  /** Before it is sent: broadcast, groups, TTL. */
  prepare?(client: Socket): void;
}

export interface Heard {
  readonly msg: Buffer;
  /** Where the answer came from. */
  readonly from: string;
}

/** undefined when no answer came; the code of an error when it could not be asked. Never rejects. */
export function asked(asking: Asking): Promise<Heard | string | undefined> {
  const { to, port, msg, from } = asking;
  const client = createSocket({ type: isIPv6(to) ? 'udp6' : 'udp4', ipv6Only: isIPv6(to) });
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<Heard | string | undefined>((resolve) => {
    const failed = (error: Error | null) => {
      if (error !== null) resolve((error as NodeJS.ErrnoException).code ?? error.message);
    };
    const send = ([wait, ...waits]: readonly number[]) => {
      if (wait === undefined) {
        resolve(undefined);
        return;
      }
      client.send(msg, port, to, failed);
      timer = setTimeout(send, wait, waits);
    };
    client.on('error', failed);
    client.on('message', (heard, { address }) => resolve({ msg: heard, from: address }));
    client.bind(0, from, () => {
      try {
        asking.prepare?.(client);
      } catch (error) {
        failed(error as Error);
        return;
      }
      send(WAITS);
    });
  });
  return answer.finally(() => {
    clearTimeout(timer);
    return new Promise<void>((closed) => client.close(() => closed()));
  });
}
