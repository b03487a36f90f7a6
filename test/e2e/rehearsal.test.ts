/** The rehearsal with the calls of this host, which check what they are asked: one that is refused would rehearse nothing. */
import { once } from 'node:events';
import { createSocket } from '../../src/index';
import { type Core, kState } from '../../src/socket/core';

const SIZES = { udp4: 2048, udp6: 4096 }; // a receiver of its own for each

const open = new Set<{ close(): unknown }>();
afterEach(() => {
  for (const socket of open) socket.close();
  open.clear();
  jest.restoreAllMocks();
});

test.each([
  'udp4',
  'udp6',
] as const)('%s: runs to its end when a socket with a listener has been bound', async (type) => {
  const socket = createSocket({ type, maxDatagramSize: SIZES[type] }, () => {});
  open.add(socket);
  const core = (socket as unknown as { [kState]: Core })[kState];
  const written = jest.spyOn(core.engine.rings, 'give');
  socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
  await once(socket, 'listening');
  expect(core.receiver.kept).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(core.receiver.kept).toBeDefined();
  expect(written).toHaveBeenCalledTimes(1);
  expect(socket.stats()).toMatchObject({ datagramsIn: 0, bytesIn: 0, destinationUnknown: 0, systemCallsIn: 0 });
});
