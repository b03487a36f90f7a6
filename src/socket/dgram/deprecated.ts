/**
 * Private names that dgram's Socket had up to Node 24, deprecated since Node 11 (DEP0112). Given where the running line
 * gives them, as far as what they show exists here: see docs/compat.md.
 */
import { deprecate } from 'node:util';
import { type Core, kState } from '../core';

interface Stateful {
  readonly [kState]: Core;
}

export function defineDeprecatedNames(prototype: Stateful): void {
  /** Hardly any program comes here, and deprecate() takes a while. */
  const warned = <Args extends unknown[]>(name: string, does: (core: Core, ...args: Args) => unknown) => {
    let warning: typeof does | undefined;
    return function deprecated(this: Stateful, ...args: Args): unknown {
      warning ??= deprecate(does, `Socket.prototype.${name} is deprecated`, 'DEP0112');
      return warning(this[kState], ...args);
    };
  };
  const show = (name: string, get: (core: Core) => unknown, set: (core: Core, value: never) => void = () => {}) =>
    Object.defineProperty(prototype, name, { get: warned(name, get), set: warned(name, set) });
  show('_handle', ({ handle }) => handle);
  show('_receiving', ({ receiving }) => receiving);
  show('_bindState', ({ bindState }) => bindState);
  show('_queue', ({ queue }) => queue);
  show(
    '_reuseAddr',
    ({ reuseAddr }) => reuseAddr,
    (core, value) => {
      core.reuseAddr = value;
    },
  );
  const methods = prototype as unknown as Record<string, unknown>;
  methods._healthCheck = warned('_healthCheck()', (core) => void core.openChannel());
  methods._stopReceiving = warned('_stopReceiving()', (core) => core.listen(false));
}
