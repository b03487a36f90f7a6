/** Who replaces dns.lookup has a say in IP literals wherever node:dgram gives him one, whenever he did it. */
import dns from 'node:dns';
import type * as lookups from '../../../../src/socket/life/lookup';

const own = dns.lookup;
afterEach(() => {
  dns.lookup = own;
});

/** Does a socket of a module that has just been loaded look literals up? @param replace what a program does before that */
function asks(before: () => void, after: () => void): boolean {
  let needsLookup = false;
  jest.isolateModules(() => {
    before();
    const { Lookup } = require('../../../../src/socket/life/lookup') as typeof lookups;
    after();
    const names = { endpoint: (text: string) => ({ text }) };
    needsLookup = new Lookup(4, undefined).endpoint(names as never, '127.0.0.1') === undefined;
  });
  return needsLookup;
}

const replace = () => {
  dns.lookup = (() => {}) as unknown as typeof dns.lookup;
};
const nothing = () => {};

/** As node:dgram does in this line. */
const inDgram = (): boolean => {
  const { createSocket } = require('node:dgram') as typeof import('node:dgram');
  let asked = false;
  dns.lookup = (() => {
    asked = true;
  }) as unknown as typeof dns.lookup;
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  socket.close();
  dns.lookup = own;
  return asked;
};

test('nobody has replaced it: literals are not looked up', () => {
  expect(asks(nothing, nothing)).toBe(false);
});

test('replaced before the first socket, or before this package was loaded', () => {
  const expected = inDgram();
  expect(asks(nothing, replace)).toBe(expected);
  dns.lookup = own;
  expect(asks(replace, nothing)).toBe(expected);
});
