/** A private call is used where it has done the same as recvmsg, and nowhere else: on the model of its kernel, on ours, and broken. */
import { type Batch, loop } from '../../src/ffi/calls/batch';
import { posix } from '../../src/ffi/calls/posix';
import { type PrivateCall, PrivateReceive } from '../../src/ffi/calls/private-receive';
import { type Koffi, loadKoffi, type NativeArgument } from '../../src/ffi/koffi';
import { hostPlatform } from '../../src/platform/index';
import type { Platform } from '../../src/platform/platform';
import type { DarwinKernel } from '../models/darwin';
import { PORT, World } from '../models/world';

/** The model's recvmsg_x behind what `bend` makes of it. */
function macOS(bend: (call: PrivateCall, on: { platform: Platform; kernel: DarwinKernel }) => PrivateCall | undefined) {
  const world = new World('darwin-arm64');
  const kernel = world.kernel as DarwinKernel;
  const { platform } = world;
  const one = loop(
    {
      receive: (fd, message, flags) => {
        const result = kernel.recvmmsg(fd, message, 1, flags);
        return result < 0 ? result : message.readUInt32LE(platform.message.len);
      },
      send: () => 0,
    },
    platform,
  );
  const call = (...[fd, messages, count, flags]: Parameters<PrivateCall>) =>
    kernel.recvmsg_x(fd, messages, count, flags);
  const bent = bend(call, { platform, kernel });
  return { world, kernel, platform, batch: new PrivateReceive(one, platform, platform.privateBatch!, bent, kernel) };
}

test('what does as recvmsg does is proved, and leaves no socket behind', () => {
  const { batch, kernel } = macOS((call) => call);
  expect(batch.unproved).toBeUndefined();
  expect(kernel.sockets.size).toBe(0);
});

test('capabilities() says so', () => {
  expect((new World('darwin-arm64').kernel as DarwinKernel).unproved).toBeUndefined();
});

/** Changes what a call has said of message `i`. */
const telling =
  (change: (message: Buffer, platform: Platform) => void, i = 0) =>
  (call: PrivateCall, { platform }: { platform: Platform }): PrivateCall =>
  (fd, messages, count, flags) => {
    const result = call(fd, messages, count, flags);
    if (result > i) change(messages.subarray(i * platform.message.size), platform);
    return result;
  };

test.each<[what: string, bend: Parameters<typeof macOS>[0], because: RegExp]>([
  ['it is not there', () => undefined, /this libc has no recvmsg_x/],
  [
    'it is refused',
    (_call, { platform }) =>
      () =>
        -platform.errno.EINVAL!,
    /recvmsg_x: 0 of 3 came, then -22/,
  ],
  ['it tells another length', telling((at, { message }) => at.writeUInt32LE(3, message.len)), /recvmsg_x says 3 /],
  [
    'it leaves the length of control bytes as it was, as in 10.15 (P20)',
    telling((at, { message }) => at.writeUInt32LE(128, message.controllen)),
    /recvmsg_x says /,
  ],
  [
    'it tells no control bytes',
    telling((at, { message }) => at.writeUInt32LE(0, message.controllen)),
    /recvmsg_x says /,
  ],
  ['it tells no name', telling((at, { message }) => at.writeUInt32LE(0, message.namelen)), /recvmsg_x says /],
  [
    'it does not say that a datagram was cut',
    telling((at, { message, constants }) => {
      at.writeInt32LE(at.readInt32LE(message.flags) & ~constants.MSG_TRUNC, message.flags);
    }, 2),
    /recvmsg_x says /,
  ],
  [
    'it loses a datagram',
    (call) =>
      (...args) =>
        Math.min(call(...args), 2),
    /2 of 3 came, then -/,
  ],
  [
    'it tells more than it was asked for',
    (call) =>
      (...args) =>
        call(...args) + 1,
    /came, then 4/,
  ],
  ['it never takes two', (call) => (fd, messages, _count, flags) => call(fd, messages, 1, flags), /never received two/],
  [
    'it says nothing where nothing is to be received',
    (call) =>
      (...args) =>
        Math.max(call(...args), 0),
    /recvmsg_x returns 0 where nothing/,
  ],
])('%s: then it is not used', (_what, bend, because) => {
  const { batch, world, kernel, platform } = macOS(bend);
  expect(batch.unproved).toMatch(because);
  expect(kernel.sockets.size).toBe(0);
  expect(received(world, batch, platform)).toBe(2); // one by one
});

test('without a loopback interface it is not used', () => {
  const { world, batch } = macOS((call) => call);
  world.machine.removeAddress('127.0.0.1');
  world.machine.owner = () => undefined;
  expect(batch.unproved).toMatch(/no loopback interface/);
});

test('it is compared once, at the first batch; one datagram and other flags go by recvmsg', () => {
  let calls = 0;
  const { batch, world, platform } = macOS((call) => (...args) => {
    calls++;
    return call(...args);
  });
  const { MSG_DONTWAIT, MSG_PEEK } = platform.constants;
  const nothing = Buffer.alloc(2 * platform.message.size);
  const { kernel } = world;
  const fd = kernel.socket(platform.constants.AF_INET);
  batch.recvmmsg(fd, nothing, 1, MSG_DONTWAIT);
  batch.recvmmsg(fd, nothing, 2, MSG_DONTWAIT | MSG_PEEK!);
  expect(calls).toBe(0);
  batch.recvmmsg(fd, nothing, 2, MSG_DONTWAIT);
  const compared = calls;
  expect(compared).toBeGreaterThan(1);
  batch.recvmmsg(fd, nothing, 2, MSG_DONTWAIT);
  expect(calls).toBe(compared + 1);
});

test('a socket of ours receives by it', async () => {
  const world = new World('darwin-arm64');
  const kernel = world.kernel as DarwinKernel;
  const recvmsg_x = jest.spyOn(kernel, 'recvmsg_x');
  const { messages } = await world.bind({ type: 'udp4' });
  for (const text of ['one', 'two', 'three']) world.near.send('10.0.0.2', PORT, text);
  await world.quiet();
  world.close();
  expect(messages.map(({ text, rinfo }) => [text, rinfo.destination?.address])).toEqual(
    ['one', 'two', 'three'].map((text) => [text, '10.0.0.2']),
  );
  expect(recvmsg_x.mock.results.map(({ value }) => value)).toContain(3);
});

const linux = process.platform === 'linux' ? test : test.skip;

linux("our own kernel's recvmmsg, taken for a private call, is proved by real datagrams", () => {
  const host = hostPlatform();
  const calls = posix(loadKoffi(host), host);
  const one = posix(loadKoffi(host), { ...host, mmsg: undefined });
  const batch = { symbol: 'recvmmsg', message: host.message, flags: host.constants.MSG_DONTWAIT };
  const call: PrivateCall = (...args) => calls.recvmmsg(...args);
  expect(new PrivateReceive(one as unknown as Batch, host, batch, call, calls).unproved).toBeUndefined();
});

linux('it gets no array that is shorter than what it is asked to fill', () => {
  const host = hostPlatform();
  const koffi = loadKoffi(host);
  const libc = koffi.load(null);
  const recvmmsg = libc.func('int recvmmsg(int, void *, unsigned int, int, void *)');
  const recvmsg_x = jest.fn((...args: NativeArgument[]) => recvmmsg(...args, null));
  const func = (prototype: string) => (prototype.includes(' recvmsg_x(') ? recvmsg_x : libc.func(prototype));
  const macOS = { ...koffi, load: () => ({ func, symbol: (name: string) => libc.symbol(name) }) } as Koffi;
  const { MSG_DONTWAIT } = host.constants;
  const privateBatch = { symbol: 'recvmsg_x', message: host.message, flags: MSG_DONTWAIT };
  const calls = posix(macOS, { ...host, mmsg: undefined, privateBatch });
  expect(calls.unproved).toBeUndefined();
  recvmsg_x.mockClear();
  expect(() => calls.recvmmsg(3, Buffer.alloc(host.message.size), 2, MSG_DONTWAIT)).toThrow(/must have at least/);
  expect(recvmsg_x).not.toHaveBeenCalled();
});

/** Datagrams that one call brings of two that wait. */
function received({ kernel, near }: World, batch: Batch, { constants, message }: Platform): number {
  const fd = kernel.socket(constants.AF_INET);
  kernel.bind(fd, kernel.abi.writeName(4, '0.0.0.0', PORT));
  for (const text of ['a', 'b']) near.send('10.0.0.2', PORT, text);
  const array = Buffer.from(new ArrayBuffer(2 * message.size));
  const parts = [0, 1].map((i) => {
    const [name, body, iovec] = [16, 8, message.iovec.size].map((size) => Buffer.from(new ArrayBuffer(size)));
    const at = i * message.size;
    iovec.writeBigUInt64LE(kernel.addressOf(body), message.iovec.base);
    iovec.writeUInt32LE(8, message.iovec.len);
    array.writeBigUInt64LE(kernel.addressOf(name), at + message.name);
    array.writeUInt32LE(16, at + message.namelen);
    array.writeBigUInt64LE(kernel.addressOf(iovec), at + message.iov);
    array.writeUInt32LE(1, at + message.iovlen);
    return body;
  });
  const result = batch.recvmmsg(fd, array, 2, constants.MSG_DONTWAIT);
  expect(parts.map((body) => body.toString('latin1', 0, 1))).toEqual(['a', 'b']);
  return result;
}
