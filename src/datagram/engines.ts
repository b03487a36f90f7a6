/** The engine of each host: one for all of its sockets. */
import type { Host } from '../ffi/index';
import { Engine } from './engine';

/** What an OS has on some of its releases only is tried, where there is such a thing. */
export function proved(host: Host): Host {
  return host.platform.tried === undefined ? host : (require('./trial') as typeof import('./trial')).proved(host);
}

const engines = new WeakMap<Host, Engine>();

export function engineFor(host: Host): Engine {
  let engine = engines.get(host);
  if (engine === undefined) {
    engine = new Engine(proved(host));
    engines.set(host, engine);
  }
  return engine;
}
