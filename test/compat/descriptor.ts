/** The descriptor of a node:dgram socket, by the one way that works on every line: Node 26 has no `_handle` any more. */
import type { LooseSocket } from './stage';

interface State {
  readonly handle: { readonly fd: number };
}

export function descriptorOf(socket: LooseSocket): number {
  const symbol = Object.getOwnPropertySymbols(socket).find((each) => each.description === 'state symbol');
  return (socket as unknown as Record<symbol, State>)[symbol as symbol].handle.fd;
}
