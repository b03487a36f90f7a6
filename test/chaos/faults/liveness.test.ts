/**
 * A socket is never deaf or mute because a program has replaced a function, dropped a callback, or because a system call
 * goes on failing; nor does it spin.
 */
import { READABLE } from '../../../src/ffi/index';
import { datagrams, FakeNet, heard } from '../../support/fake-socket';
import { library, lines, program } from '../support/program';

/** The ways in which test runners stop clocks. `install` and `uninstall` are source text. */
const clocks = {
  "node:test's mock timers": {
    install: `const { mock } = require('node:test');
      mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval', 'Date'] });`,
    uninstall: 'mock.timers.reset();',
  },
  'sinon, all it can fake': {
    install: `const clock = require('@sinonjs/fake-timers').install();`,
    uninstall: 'clock.uninstall();',
  },
  "jest's fake timers, nextTick and queueMicrotask with them": {
    install: `const clock = require('@sinonjs/fake-timers').install({ toFake: ['setImmediate', 'clearImmediate',
      'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'hrtime', 'nextTick', 'performance',
      'queueMicrotask'] });`,
    uninstall: 'clock.uninstall();',
  },
} as const;

/** How the package may have been loaded by then. */
const loading = {
  'loaded before': library,
  'used before': `${library} await (await bound(createSocket('udp4'))).close();`,
};

describe.each(Object.entries(clocks))('with %s', (_, { install, uninstall }) => {
  describe.each(Object.entries(loading))('%s', (__, load) => {
    const world = `${load}
      const client = dgram.createSocket('udp4');
      client.bind(0, '127.0.0.1');
      await once(client, 'listening');
      const back = [];
      client.on('message', (msg) => back.push(String(msg)));
      const server = await bound(createSocket('udp4'));
      // Connected: dgram itself needs process.nextTick to send elsewhere.
      const asking = dgram.createSocket('udp4');
      asking.connect(server.address().port, '127.0.0.1');
      await once(asking, 'connect');
      const came = [];
      server.on('message', (msg) => came.push(String(msg)));
    `;

    test('messages come', async () => {
      const ended = await program(
        `${world}
        ${install}
        asking.send('1');
        say(await when(() => came.length === 1, 2000));
        process.exit();`,
      );
      expect(lines(ended)).toEqual(['true']);
    });

    test('what is sent leaves, and its callback comes', async () => {
      const ended = await program(
        `${world}
        const to = client.address().port;
        ${install}
        let told = 0;
        server.send('1', to, '127.0.0.1', () => told++);
        say(await when(() => back.length === 1 && told === 1, 2000), back, told);
        process.exit();`,
      );
      expect(lines(ended)).toEqual(['true 1 1']);
    });

    test('messages come once the real ones are back, whatever was lost meanwhile', async () => {
      const ended = await program(
        `${world}
        ${install}
        asking.send('1');
        await turns(200);
        ${uninstall}
        asking.send('2');
        say(await when(() => came.includes('2'), 2000));
        process.exit();`,
      );
      expect(lines(ended)).toEqual(['true']);
    });

    test('sends leave once the real ones are back, whatever was lost meanwhile', async () => {
      const ended = await program(
        `${world}
        const to = client.address().port;
        ${install}
        server.send('1', to, '127.0.0.1');
        await turns(200);
        ${uninstall}
        server.send('2', to, '127.0.0.1');
        say(await when(() => back.includes('2'), 2000));
        process.exit();`,
      );
      expect(lines(ended)).toEqual(['true']);
    });
  });
});

test('with a stopped clock nothing spins', async () => {
  const ended = await program(`${library}
    const client = dgram.createSocket('udp4');
    const server = await bound(createSocket('udp4'));
    server.on('message', () => {});
    ${clocks['sinon, all it can fake'].install}
    for (let i = 0; i < 100; i++) client.send('x', server.address().port, '127.0.0.1');
    const before = process.cpuUsage();
    await new Promise((done) => real.setTimeout(done, 1000));
    const { user, system } = process.cpuUsage(before);
    say(user + system < 500_000);
    process.exit();
  `);
  expect(lines(ended)).toEqual(['true']);
});

/** A kernel whose descriptor stays readable: it says so as often as the loop turns. */
async function readableForever(net: FakeNet, fd: number, ms: number): Promise<void> {
  const until = Date.now() + ms;
  while (Date.now() < until) {
    await new Promise((done) => setImmediate(done));
    const watcher = net.host.readiness.watchers.get(fd);
    if (watcher !== undefined && (watcher.events & READABLE) !== 0) watcher.ready(READABLE);
  }
}

describe('a receive that fails for ever', () => {
  test.each([
    ['EBADF', 9],
    ['ENOMEM', 12],
    ['EAGAIN', 11],
    ['ENOBUFS', 105],
    ['EIO', 5],
  ])('%s: is tried again, and does not spin', async (_, errno) => {
    const net = new FakeNet();
    const { socket, fd } = await net.bound();
    socket.on('error', () => {});
    const { syscalls } = net.host;
    const recvmmsg = syscalls.recvmmsg.bind(syscalls);
    let calls = 0;
    let broken = true;
    syscalls.recvmmsg = (...args: Parameters<typeof recvmmsg>) => {
      calls++;
      return broken ? -errno : recvmmsg(...args);
    };
    await readableForever(net, fd, 300);
    const failed = calls;
    broken = false;
    const { texts } = heard(socket);
    syscalls.sockets.get(fd)?.incoming.push(...datagrams('after'));
    for (let i = 0; i < 40 && texts.length === 0; i++) await readableForever(net, fd, 50);
    socket.close();
    expect(texts).toEqual(['after']);
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(60); // in 300 ms
  });
});
