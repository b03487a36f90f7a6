/** What a process is in, or what a program has done to it, before a socket is used: as with node:dgram. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const DIST = join(__dirname, '../../dist');
const WAYS = [
  ['recvfromto', [], join(DIST, 'index.js')],
  ['register', ['--require', join(DIST, 'register.js')], 'dgram'],
] as const;

/** @param code is run with the module's name as `name` */
function run(flags: readonly string[], name: string, code: string) {
  const program = `const name = ${JSON.stringify(name)};\n${code}`;
  return spawnSync(process.execPath, [...flags, '-e', program], { encoding: 'utf8', timeout: 20_000 });
}

test.each(WAYS)('%s: what a listener throws is shown where it was thrown', (_, flags, name) => {
  const { status, stderr } = run(
    flags,
    name,
    `const { createSocket } = require(name);
     const server = createSocket('udp4', () => {
       throw new Error('mistaken');
     });
     server.bind(0, '127.0.0.1', () => createSocket('udp4').send('x', server.address().port, '127.0.0.1'));`,
  );
  expect(status).toBe(1);
  expect(stderr.split('\n').slice(0, 2)).toEqual([
    expect.stringMatching(/^\[eval\]:4$/),
    expect.stringContaining("'mistaken'"),
  ]);
});

test.each(WAYS)('%s: what stands on Object.prototype is no option', (_, flags, name) => {
  const { stdout, stderr } = run(
    flags,
    name,
    `Object.assign(Object.prototype, { accept: { destinations: ['192.0.2.1'] }, maxDatagramSize: 1, bindToDevice: 'none' });
     const { createSocket } = require(name);
     const server = createSocket('udp4', (msg) => {
       console.log(String(msg));
       process.exit();
     });
     server.bind(0, '127.0.0.1', () => createSocket('udp4').send('hello', server.address().port, '127.0.0.1'));`,
  );
  expect([stdout, stderr]).toEqual(['hello\n', '']);
});

/** Runs `code` where no descriptor can be had until `give()` gives them back. */
function withoutDescriptors(flags: readonly string[], code: string) {
  const program = `const { closeSync, openSync, writeSync } = require('node:fs');
    const dgram = require('node:dgram');
    const print = (text) => writeSync(1, text + '\\n');
    const kept = [];
    const give = () => kept.splice(0).forEach((fd) => closeSync(fd));
    const hear = (msg) => {
      print(String(msg));
      process.exit();
    };
    const ask = (from, to) => to.bind(0, '127.0.0.1', () => from.send('heard', to.address().port, '127.0.0.1'));
    process.on('warning', ({ message }) => print(message.split(': ')[0]));
    try {
      for (;;) kept.push(openSync('/dev/null'));
    } catch {}
    ${code}`;
  const words = [process.execPath, ...flags, '-e', program];
  return spawnSync('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...words], { encoding: 'utf8', timeout: 20_000 });
}

const REGISTER = ['--no-warnings', '--require', join(DIST, 'register.js')];

test('register: where the first socket finds no descriptor left, it alone is of node:dgram', () => {
  const { stdout, stderr } = withoutDescriptors(
    REGISTER,
    `const first = dgram.createSocket('udp4');
     for (let i = 0; i < 3; i++) dgram.createSocket('udp4');
     give();
     const second = dgram.createSocket('udp4', hear);
     print(typeof first.reply + ' ' + typeof second.reply);
     class Mine extends dgram.Socket {}
     print([first, second, {}].map((one) => one instanceof dgram.Socket) + ' ' + (first instanceof Mine));
     ask(first, second);`,
  );
  expect([stdout, stderr]).toEqual([
    "undefined function\ntrue,true,false false\nfor now, sockets are node:dgram's\nheard\n",
    '',
  ]);
});

test('register: a class of the program has one prototype: from such a first socket on it is of node:dgram', () => {
  const { stdout, stderr } = withoutDescriptors(
    REGISTER,
    `class Mine extends dgram.Socket {}
     const first = new Mine('udp4');
     give();
     const second = new Mine('udp4', hear);
     print(typeof first.reply + ' ' + typeof second.reply);
     ask(first, second);`,
  );
  expect([stdout, stderr]).toEqual(['undefined undefined\nnode:dgram is left as it is\nheard\n', '']);
});

test('register: a constructor that is called as a function sets up what it is called on', () => {
  const { stdout, stderr } = withoutDescriptors(
    REGISTER,
    `const first = Object.create(dgram.Socket.prototype);
     dgram.Socket.call(first, 'udp4');
     give();
     print(first.type);
     const second = dgram.createSocket('udp4', hear);
     ask(first, second);`,
  );
  expect([stdout, stderr]).toEqual(['udp4\nnode:dgram is left as it is\nheard\n', '']);
});

test('register: wherever the stack ends in the first createSocket, the sockets behind it are ours', () => {
  const seen = new Set<string>();
  for (let room = 40; room < 640; room += 40) {
    const { stdout, stderr } = run(
      REGISTER,
      'dgram',
      `const { createSocket } = require(name);
       const depth = (n) => {
         try {
           return depth(n + 1);
         } catch {
           return n;
         }
       };
       const down = (n) => (n > 0 ? down(n - 1) : createSocket('udp4'));
       try {
         down(depth(0) - ${room});
       } catch {}
       const server = createSocket('udp4', (msg) => {
         console.log(typeof server.reply, String(msg));
         process.exit();
       });
       server.bind(0, '127.0.0.1', () => createSocket('udp4').send('heard', server.address().port, '127.0.0.1'));`,
    );
    seen.add(stdout + stderr);
  }
  expect([...seen]).toEqual(['function heard\n']);
});

test.each(WAYS)('%s: a socket that is let go does not keep the process for another turn', (_, flags, name) => {
  const { stdout, stderr } = run(
    flags,
    name,
    `const { createSocket } = require(name);
     let ends = 0;
     process.on('beforeExit', () => {
       if (++ends === 1) createSocket('udp4').bind(0, '127.0.0.1').unref();
     });
     process.on('exit', () => console.log(ends));`,
  );
  expect([stdout, stderr]).toEqual(['1\n', '']);
});
