/**
 * Whose a descriptor is. What is adopted is ours only once bind() has succeeded; until then, and on each way in which it
 * may fail, nobody but its owner closes it or changes it.
 */
import { library, lines, program } from '../support/program';

const made = { recvfromto: 'createSocket', 'node:dgram': 'dgram.createSocket' };

describe.each(Object.entries(made))('the descriptor of a socket of %s that the process watches', (_, create) => {
  test('is refused, and the socket goes on', async () => {
    const ended = await program(`${library}
      const owner = await bound(${create}('udp4'));
      const heard = [];
      owner.on('message', (msg) => heard.push(String(msg)));
      const thief = createSocket('udp4');
      thief.on('error', (error) => say('error', error.code));
      try {
        thief.bind({ fd: fdOf(owner), exclusive: true });
        say('taken');
      } catch (error) {
        say('refused', error.code);
      }
      const client = dgram.createSocket('udp4');
      client.send('still there', owner.address().port, '127.0.0.1');
      await when(() => heard.length > 0);
      say(heard);
      owner.close();
      client.close();
      thief.close();
    `);
    expect(lines(ended)).toEqual(['refused EEXIST', 'still there']);
  });

  test('does not become the number of the next socket', async () => {
    const ended = await program(`${library}
      const owner = await bound(${create}('udp4'));
      const fd = fdOf(owner);
      try {
        createSocket('udp4').bind({ fd, exclusive: true });
      } catch {}
      const next = await bound(createSocket('udp4'));
      say(fdOf(next) === fd);
      owner.close();
      next.close();
    `);
    expect(lines(ended)).toEqual(['false']);
  });
});

test('a handle of libuv whose descriptor is watched is refused, and stays open', async () => {
  const ended = await program(`${library}
    const owner = await bound(dgram.createSocket('udp4'));
    const { handle } = stateOf(owner);
    const heard = [];
    owner.on('message', (msg) => heard.push(String(msg)));
    const thief = createSocket('udp4');
    thief.on('error', () => {});
    try {
      thief.bind(handle);
      say('taken');
    } catch (error) {
      say('refused', error.code);
    }
    const client = dgram.createSocket('udp4');
    try {
      client.send('still there', owner.address().port, '127.0.0.1');
      await when(() => heard.length > 0);
    } catch (error) {
      say(error.code);
    }
    say(heard, fdOf(owner) >= 0);
    owner.close();
    client.close();
    thief.close();
  `);
  expect(lines(ended)).toEqual(['refused EEXIST', 'still there true']);
});

test('a socket whose adoption was refused can still be bound', async () => {
  const ended = await program(`${library}
    const owner = await bound(createSocket('udp4'));
    const thief = createSocket('udp4');
    try {
      thief.bind({ fd: fdOf(owner), exclusive: true });
    } catch {}
    await bound(thief);
    say(thief.address().port !== owner.address().port);
    owner.close();
    thief.close();
  `);
  expect(lines(ended)).toEqual(['true']);
});

test('bind({ fd }) of a TCP socket, a file and a number that is nothing: all are left as they are', async () => {
  const ended = await program(`${library}
    const server = require('node:net').createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const file = require('node:fs').openSync('package.json');
    for (const fd of [server._handle.fd, file, 1000]) {
      try {
        createSocket('udp4').bind({ fd, exclusive: true });
      } catch (error) {
        say(error.code);
      }
    }
    const client = require('node:net').connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    client.destroy();
    server.close();
    say(require('node:fs').readSync(file, Buffer.alloc(1)));
  `);
  expect(lines(ended)).toEqual(['ERR_INVALID_FD_TYPE', 'ERR_INVALID_FD_TYPE', 'ERR_INVALID_FD_TYPE', '1']);
});
