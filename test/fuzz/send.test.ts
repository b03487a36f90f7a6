/** send() beside node:dgram's, with arguments that no program would pass: both throw the same, or neither does. */
import * as dgram from 'node:dgram';
import type { Socket } from '../../src/socket/socket';
import { FakeNet } from '../support/fake-socket';
import { fc } from './settings';

/** A look-up that never ends: nothing is sent, and no descriptor is opened. */
const lookup = () => {};

const detached = () => {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return new Uint8Array(buffer);
};

const message = fc.oneof(
  fc.constantFrom<unknown>('text', '', Buffer.from('bytes'), new Uint16Array(4), new DataView(new ArrayBuffer(6))),
  fc.constantFrom<unknown>([], ['a', Buffer.from('b')], [new Uint8Array(3)], ['a', 5], [null], [[]]),
  fc.constantFrom<unknown>(undefined, null, 5, {}, () => {}, new ArrayBuffer(3), Symbol.iterator, true, 10n),
);
const number = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    3,
    5,
    9,
    53,
    65535,
    65536,
    70000,
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 32,
  ),
  fc.constantFrom<unknown>('53', '', ' ', 'x', '0x35', '1e3', null, undefined, true, false, 10n),
);
const callback = fc.constantFrom<unknown>(
  () => {},
  function named() {},
  undefined,
  null,
  'no function',
);
const address = fc.oneof(
  fc.constantFrom<unknown>('127.0.0.1', 'localhost', '', undefined, null, false, 0, 5, true, [], () => {}),
);

const args = fc.oneof(
  fc.tuple(message, number, number, number, address, callback),
  fc.tuple(message, number, number, number, callback),
  fc.tuple(message, number, number, callback),
  fc.tuple(message, number, address, callback),
  fc.tuple(message, number, callback),
  fc.tuple(message, callback),
  fc.array(fc.oneof(message, number, callback, address), { maxLength: 7 }),
);

interface Outcome {
  readonly name?: string;
  readonly code?: string | undefined;
  readonly message?: string;
}

function outcome(send: () => void): Outcome {
  try {
    send();
    return {};
  } catch (error) {
    const { name, code, message: text } = error as NodeJS.ErrnoException;
    return { name, code, message: text };
  }
}

/** An object behind the message is our own overload; a port of '0' is sent to by dgram, to fail there. */
function comparable(list: readonly unknown[]): boolean {
  return !(list[1] !== null && typeof list[1] === 'object') && !list.includes('0');
}

function compare(theirs: dgram.Socket, ours: Socket): void {
  const property = fc.property(args, (list) => {
    fc.pre(comparable(list));
    const expected = outcome(() => (theirs.send as (...all: unknown[]) => void)(...list));
    expect(outcome(() => (ours.send as (...all: unknown[]) => void)(...list))).toEqual(expected);
  });
  fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 600) });
}

test('a socket that is not connected', () => {
  const theirs = dgram.createSocket({ type: 'udp4', lookup });
  const ours = new FakeNet().make({ lookup });
  compare(theirs, ours);
  theirs.close();
});

test('a closed socket', () => {
  const theirs = dgram.createSocket('udp4').close();
  const ours = new FakeNet().make().close();
  compare(theirs, ours);
});

test('a connected socket', async () => {
  const sink = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise<void>((done) => sink.once('listening', done));
  const theirs = dgram.createSocket('udp4');
  await new Promise<void>((done) => theirs.connect(sink.address().port, '127.0.0.1', done));
  const { socket: ours } = await new FakeNet().bound();
  await new Promise<void>((done) => ours.connect(9, '127.0.0.1', done));
  try {
    compare(theirs, ours);
  } finally {
    theirs.close();
    sink.close();
  }
});

test('detached memory, with an offset', () => {
  const theirs = dgram.createSocket({ type: 'udp4', lookup });
  const ours = new FakeNet().make({ lookup });
  for (const [offset, length] of [
    [0, 0],
    [0, 8],
    [9, 1],
  ]) {
    const expected = outcome(() => theirs.send(detached(), offset, length, 9));
    expect(expected.message).toBeDefined();
    expect(outcome(() => ours.send(detached(), offset, length, 9))).toEqual(expected);
  }
  theirs.close();
});

test('ports, as bind(), connect() and send() take them', () => {
  const port = fc.oneof(fc.integer({ min: -10, max: 70000 }), fc.double(), fc.string({ maxLength: 4 }), number);
  const property = fc.property(port, (value) => {
    fc.pre(!(typeof value === 'string' && Number(value) === 0));
    const theirs = dgram.createSocket({ type: 'udp4', lookup });
    const ours = new FakeNet().make({ lookup });
    const connect = (socket: dgram.Socket | Socket) => outcome(() => socket.connect(value as number, 'x'));
    expect(connect(ours)).toEqual(connect(theirs));
    theirs.close();
  });
  fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 300) });
});
