/**
 * What the Node line that we run on does where lines differ, found out by looking at its dgram and not at its version.
 * dgram's Socket is taken when this is loaded: `recvfromto/register` replaces it later.
 */
import * as dgram from 'node:dgram';
import type * as Dns from 'node:dns';
import { errorMonitor } from 'node:events';

type Constructor = new (options: dgram.SocketOptions) => dgram.Socket;

const Socket = dgram.Socket as unknown as Constructor;
/** dgram's own. */
export const DgramSocket: { readonly prototype: dgram.Socket } = Socket;

/** Has dgram's Socket still the private names that DEP0112 deprecates? Node 26 has not. */
export const hasDeprecatedNames = '_handle' in Socket.prototype;

let heard: 'error' | typeof errorMonitor | undefined;

/**
 * By which event bind(…, callback) hears that there is nothing to call back any more: 'error' until Node 24, which
 * makes it swallow the error of a socket that nobody else listens to.
 */
export function bindFailureEvent(): 'error' | typeof errorMonitor {
  heard ??= readFailureEvent() ?? triedFailureEvent();
  return heard;
}

/** As dgram's source has it. undefined where something else stands in place of its bind(). */
function readFailureEvent(): typeof heard {
  const source = String(Socket.prototype.bind);
  if (source.includes('on(EventEmitter.errorMonitor, removeListeners)')) return errorMonitor;
  return source.includes("on('error', removeListeners)") ? 'error' : undefined;
}

/** As a socket does. It takes some time to make one. */
function triedFailureEvent(): 'error' | typeof errorMonitor {
  const never = () => {};
  const probe = new Socket({ type: 'udp4', lookup: never }).unref(); // has no descriptor before its look-up is done
  probe.bind(0, 'any', never);
  const event = probe.listenerCount('error') > 0 ? 'error' : errorMonitor;
  probe.close();
  return event;
}

let literals: boolean | undefined;

/** Does dgram hand IP literals to dns.lookup, which a program has replaced? Node 20, 22 and 25 do. @param own Node's, if it is known */
export function looksUpLiterals(own: typeof Dns.lookup | undefined): boolean {
  const dns = require('node:dns') as { lookup: typeof Dns.lookup };
  if (literals === undefined) {
    const replaced = dns.lookup;
    let asked = false;
    dns.lookup = (() => {
      asked = true;
    }) as unknown as typeof dns.lookup;
    try {
      const probe = new Socket({ type: 'udp4' }).unref();
      probe.bind(0, '127.0.0.1');
      probe.close(); // closes when bound, which it never is if it has asked
    } finally {
      dns.lookup = replaced;
    }
    literals = asked;
  }
  return literals && dns.lookup !== own;
}
