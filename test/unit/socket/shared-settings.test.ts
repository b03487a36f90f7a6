/** Sockets that ask for no more than dgram's do share what was made of their options. */
import { settings } from '../../../src/socket/options';
import type { SocketOptions } from '../../../src/types';

const plain: SocketOptions[] = [
  { type: 'udp4' },
  { type: 'udp6' },
  { type: 'udp6', ipv6Only: true },
  { type: 'udp4', reuseAddr: true },
  { type: 'udp4', reuseAddr: false },
  { type: 'udp4', reusePort: true },
];

test.each(plain)('%j: settings are made once, and differ from those of other options', (options) => {
  const made = settings({ ...options });
  expect(settings({ ...options, lookup: undefined } as unknown as SocketOptions)).toBe(made);
  expect(settings({ ...options }, true)).not.toBe(made);
  for (const other of plain) if (other !== options) expect(settings({ ...other })).not.toBe(made);
});

test('a type alone is the same as an object with it', () => {
  expect(settings('udp4')).toBe(settings({ type: 'udp4' }));
  expect(settings('udp6')).toMatchObject({ kind: 'dual', type: 'udp6' });
});

test('what a program does to its options later concerns nobody', () => {
  const options = { type: 'udp4' } as SocketOptions & { recvBufferSize?: number };
  settings(options);
  options.recvBufferSize = 1;
  expect(settings({ type: 'udp4' })).toMatchObject({ recvBufferSize: undefined, given: { type: 'udp4' } });
  expect(settings(options).recvBufferSize).toBe(1);
});

test('options that are inherited, hidden or of another kind are heeded', () => {
  class Inherited {
    get type() {
      return 'udp4';
    }
    get batch() {
      return 3;
    }
  }
  expect(settings(new Inherited() as SocketOptions).batch).toBe(3);
  expect(settings(Object.create({ type: 'udp4', batch: 4 })).batch).toBe(4);
  expect(settings(Object.defineProperty({ type: 'udp4' } as SocketOptions, 'batch', { value: 5 })).batch).toBe(5);
  const steering = { steer: 'cpu' } as const;
  expect(settings({ type: 'udp4', reusePort: steering }).steer).toBe('cpu');
  expect(settings({ type: 'udp4', reuseAddr: 1 as unknown as boolean }).wishes.reuseAddr).toBe(1);
});

test('each socket has its own where more is asked for', () => {
  const more = { type: 'udp4', recvTTL: true } as const;
  expect(settings(more)).not.toBe(settings(more));
  expect(settings(more).wishes.asked).toEqual(['recvTTL']);
});
