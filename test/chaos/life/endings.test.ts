/** How a process may end: what a connected socket was given before that leaves, and nothing crashes on the way. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { library, lines, program } from '../support/program';

const endings = {
  'process.exit()': 'process.exit(0);',
  "process.exit() in an 'exit' listener":
    "process.on('exit', () => { c.send('bye'); process.exit(0); }); process.exit(0);",
  'an error that nobody catches': "throw new Error('boom');",
  'an uncaughtException listener that exits':
    "process.on('uncaughtException', () => process.exit(0)); throw new Error('boom');",
  'a SIGTERM listener that exits':
    "process.on('SIGTERM', () => process.exit(0)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 100);",
  'SIGKILL from itself': "process.kill(process.pid, 'SIGKILL');",
  'process.abort()': 'process.abort();',
  'close()': 'c.close();',
  'nothing more to do': 'c.unref();',
} as const;

describe.each(['udp4', 'udp6'] as const)('%s', (type) => {
  const loopback = type === 'udp4' ? '127.0.0.1' : '::1';

  test.each(Object.entries(endings))('%s: the last words arrive', async (name, ending) => {
    const sink = dgram.createSocket(type).bind(0, loopback);
    await once(sink, 'listening');
    const heard: string[] = [];
    const first = new Promise<void>((done) => sink.on('message', (msg) => done(void heard.push(String(msg)))));
    await program(`${library}
      const c = createSocket('${type}');
      c.connect(${sink.address().port}, '${loopback}');
      await once(c, 'connect');
      ${name.includes("'exit' listener") ? '' : "c.send('bye');"}
      ${ending}
    `);
    await Promise.race([first, new Promise((done) => setTimeout(done, 500))]);
    sink.close();
    expect(heard).toEqual(['bye']);
  });
});

/** Where the program's code is called from, with a place for what it does there. */
const places = {
  "'listening'": (deed: string) => `s.once('listening', () => { ${deed} }); s.bind(0, '127.0.0.1');`,
  "'message'": (deed: string) =>
    `s.on('message', () => { ${deed} }); await bound(s); s.send('x', s.address().port, '127.0.0.1');`,
  "'messages'": (deed: string) =>
    `s.on('messages', () => { ${deed} }); await bound(s); s.send('x', s.address().port, '127.0.0.1');`,
  "'connect'": (deed: string) => `await bound(s); s.connect(9, '127.0.0.1', () => { ${deed} });`,
  "a send's callback": (deed: string) => `await bound(s); s.send('x', 9, '127.0.0.1', () => { ${deed} });`,
  "'close'": (deed: string) => `await bound(s); s.close(() => { ${deed} });`,
  "'error'": (deed: string) => `s.on('error', () => { ${deed} }); s.bind(0, '192.0.2.77');`,
  'accept()': (deed: string) =>
    `s = createSocket({ type: 'udp4', accept: () => { ${deed} } }); await bound(s); s.send('x', s.address().port, '127.0.0.1');`,
  'lookup()': (deed: string) => `s = createSocket({ type: 'udp4', lookup: () => { ${deed} } }); s.bind(0);`,
} as const;

const deeds = {
  'process.exit(7)': { deed: 'process.exit(7);', code: 7, signal: null },
  'an error': { deed: "throw Object.assign(new Error('boom'), { code: 'BOOM' });", code: 1, signal: null },
  SIGTERM: { deed: "process.kill(process.pid, 'SIGTERM');", code: null, signal: 'SIGTERM' },
  'process.abort()': { deed: 'process.abort();', code: null, signal: 'SIGABRT' },
} as const;

describe.each(Object.entries(places))('in %s', (_, place) => {
  test('every way to end is that way, and no other', async () => {
    const ends = await Promise.all(
      Object.entries(deeds).map(async ([name, { deed }]) => {
        const { code, signal, stderr } = await program(`${library}
          let s = createSocket('udp4');
          const other = await bound(createSocket('udp4'));
          other.on('message', () => {});
          for (let i = 0; i < 20; i++) other.send('noise', other.address().port, '127.0.0.1');
          ${place(deed)}
          setTimeout(() => process.exit(99), 5000);
        `);
        return [name, { code, signal, crashed: /napi|FATAL|Segmentation/.test(stderr) }];
      }),
    );
    const expected = Object.entries(deeds).map(([name, { code, signal }]) => [name, { code, signal, crashed: false }]);
    expect(ends).toEqual(expected);
  });

  test('an error that an uncaughtException listener takes leaves the socket as it was', async () => {
    const ended = await program(`${library}
      let s = createSocket('udp4');
      const caught = [];
      process.on('uncaughtException', (error) => caught.push(error.code));
      process.on('unhandledRejection', (error) => caught.push(error.code));
      try {
        ${place(deeds['an error'].deed)}
      } catch (error) {
        caught.push(error.code); // a look-up is called by bind() itself
      }
      await when(() => caught.length > 0);
      const other = await bound(createSocket('udp4'));
      const heard = [];
      other.on('message', (msg) => heard.push(String(msg)));
      other.send('still there', other.address().port, '127.0.0.1');
      await when(() => heard.length > 0);
      say(caught[0], heard);
      process.exit(0);
    `);
    expect(lines(ended)).toEqual(['BOOM still there']);
  });
});
