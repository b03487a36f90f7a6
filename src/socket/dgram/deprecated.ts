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
  const warned = <Fn extends (...args: never[]) => unknown>(name: string, method: Fn): Fn =>
    deprecate(method, `Socket.prototype.${name} is deprecated`, 'DEP0112');
  const show = (name: string, get: (core: Core) => unknown, set?: (core: Core, value: never) => void) => {
    // Hardly any program reads or writes one, and deprecate() takes a while.
    let read: ((core: Core) => unknown) | undefined;
    let written: ((core: Core, value: never) => void) | undefined;
    Object.defineProperty(prototype, name, {
      get(this: Stateful) {
        read ??= warned(name, get);
        return read(this[kState]);
      },
      set(this: Stateful, value: never) {
        written ??= warned(name, set ?? (() => {}));
        written(this[kState], value);
      },
    });
  };
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
  const offer = (name: string, does: (core: Core) => void) => {
    let called: ((core: Core) => void) | undefined;
    methods[name] = function deprecated(this: Stateful): void {
      called ??= warned(`${name}()`, does);
      called(this[kState]);
    };
  };
  offer('_healthCheck', (core) => {
    core.openChannel();
  });
  offer('_stopReceiving', (core) => core.listen(false));
}
