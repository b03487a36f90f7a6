/** What needs a bound socket: done at once, or at 'listening', in order (queue.ts). */
import { nextTick } from '../../captured';
import type { Settle } from '../../datagram/send-ring';
import { BOUND, type Core, UNBOUND } from '../core';
import { Queue } from './queue';

/**
 * Runs when there is something to send with: at once, or at 'listening'; binds to any port where nobody has.
 * @param settle hears of it when `action` throws
 * @param told does it also hear of a bind() that fails, and of a close() before? dgram's send() forgets then
 * @param datagrams that are lost where nothing of it is done
 */
export function whenSending(
  core: Core,
  action: () => void,
  settle: Settle | undefined,
  told: boolean,
  datagrams = 1,
): void {
  core.openChannel();
  if (core.bindState === BOUND) {
    action();
    return;
  }
  if (told && settle !== undefined) queueOf(core).tell(settle);
  whenBound(
    core,
    () => {
      try {
        core.openChannel();
        action();
      } catch (error) {
        // dgram's send() throws here, where nobody can catch it; whoever called back had better hear of it.
        core.stats.sendErrors += datagrams;
        if (settle !== undefined) settle.settle(error as Error, 0);
        else nextTick(() => core.socket.emit('error', error));
      }
    },
    () => {
      core.stats.sendErrors += datagrams;
    },
  );
}

/**
 * Runs at once, or at 'listening'; binds to any port where nobody has, through the socket's own bind().
 * @param forgotten is called where it will not be done, because bind() has failed
 */
export function whenBound(core: Core, action: () => void, forgotten?: () => void): void {
  if (core.bindState === UNBOUND) core.socket.bind({ port: 0, exclusive: true }, null);
  if (core.bindState === BOUND) action();
  // Sticky sockets remember in whose context they were asked for something that is done later.
  else queueOf(core).push(core.sticky === undefined ? action : core.sticky.carry(action), forgotten);
}

function queueOf(core: Core): Queue {
  core.pending ??= new Queue(core.socket);
  return core.pending;
}
