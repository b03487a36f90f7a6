/** What needs a process of its own: when it ends, who it runs as, what it writes when nobody listens. */
import { output } from '../child';
import type { Scenarios, Stage } from '../stage';

/** Runs `script` in a process, and logs how it ended and what it said. */
async function run(t: Stage, name: string, script: string): Promise<void> {
  const source = `const native = { ...require('node:dgram') };\nconst dgram = require(${JSON.stringify(t.modulePath)});\n${script}`;
  const { status, signal, stdout, stderr } = await output(process.execPath, ['-e', source]);
  // Stacks name files; the error's own line is what programs show.
  const error = stderr.split('\n').filter((line) => /^\w*(Error|Warning)|DeprecationWarning/.test(line));
  t.log(name, status, signal, stdout, error);
}

export const scenarios: Scenarios = {
  'how it ends': async (t) => {
    await run(t, 'unbound', "dgram.createSocket('udp4'); console.log('made')");
    await run(t, 'unref before bind', "dgram.createSocket('udp4').unref().bind(0, () => console.log('bound'))");
    await run(
      t,
      'unref after bind',
      "const s = dgram.createSocket('udp4').bind(0, () => { s.unref(); console.log('bound') })",
    );
    await run(t, 'closed', "const s = dgram.createSocket('udp4').bind(0, () => s.close(() => console.log('closed')))");
    await run(
      t,
      'ref again',
      `const s = dgram.createSocket('udp4').unref().bind(0, () => {
        s.ref(); setTimeout(() => { console.log('late'); s.close() }, 50).unref();
      })`,
    );
    await run(
      t,
      'sent',
      "const s = dgram.createSocket('udp4').unref(); s.send('x', 9, '127.0.0.1', (...a) => console.log(a))",
    );
    await run(
      t,
      'closing on exit',
      "const s = dgram.createSocket('udp4').unref().bind(0); process.on('exit', () => { s.close(); console.log('exit') })",
    );
    await run(
      t,
      'process.exit() with sockets open',
      "const s = dgram.createSocket('udp4').bind(0, () => { s.on('close', () => console.log('never')); process.exit(3) })",
    );
  },

  'errors that nobody hears': async (t) => {
    await run(
      t,
      'a listener',
      "const s = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => s.send('x', s.address().port)); s.on('message', () => { throw new TypeError('by the listener') })",
    );
    await run(t, 'an address', "dgram.createSocket('udp4').bind(0, '198.51.100.7')");
    await run(t, 'a name', "dgram.createSocket('udp4').send('x', 9, 'nothing.invalid')");
    await run(t, 'a type', "dgram.createSocket('udp5')");
  },

  'how errors are printed': async (t) => {
    await run(
      t,
      'a buffer size',
      `const s = dgram.createSocket('udp4').bind(0, () => {
        try {
          s.setRecvBufferSize(2 ** 31);
        } catch (error) {
          const lines = require('node:util').inspect(error).split('\\n');
          console.log(lines.filter((line) => !line.startsWith('    at ')).join('\\n'), error.stack.split('\\n')[0]);
          error.errno = 5;
          console.log(error.info.errno, Object.keys(error), error instanceof Error);
        }
        s.close();
      });`,
    );
  },

  'a privileged port': async (t) => {
    const script = `
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      const s = dgram.createSocket('udp4');
      s.on('error', (e) => console.log(e.message, e.code, e.errno, e.syscall, e.address, e.port));
      s.on('listening', () => s.close(() => console.log('this system lets everybody')));
      s.bind(7, '127.0.0.1');`;
    await run(t, 'as nobody', `dgram.createSocket('udp4').close();\n${script}`);
  },

  'a descriptor from the parent': async (t) => {
    const script = `
      const { descriptorOf } = { descriptorOf: (s) => s[Object.getOwnPropertySymbols(s).find((x) => x.description === 'state symbol')].handle.fd };
      // The parent's own socket must not take what is meant for the child.
      const answer = (text) => {
        const { port } = owner.address();
        const client = native.createSocket('udp4');
        owner.close(() => client.send(text, port, '127.0.0.1', () => client.close()));
      };
      const owner = native.createSocket('udp4').bind(0, '127.0.0.1', () => {
        const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`
          const dgram = require(process.env.SUBJECT);
          const s = dgram.createSocket('udp4', (msg, { size }) => { console.log(String(msg), size); s.close(() => console.log('closed')); });
          s.bind({ fd: 3 }, () => { console.log('listening', s.address().address); process.send('ready'); });
          s.once('close', () => process.disconnect());
        `)}], { stdio: ['ignore', 'inherit', 'inherit', descriptorOf(owner), 'ipc'], env: { ...process.env, SUBJECT: ${JSON.stringify(t.modulePath)} } });
        child.on('message', () => answer('by descriptor'));
        child.on('exit', (...a) => console.log(a));
      });`;
    await run(t, 'bind({ fd })', script);
  },

  'a handle from the parent': async (t) => {
    const script = `
      const { fork } = require('node:child_process');
      // The parent's own socket must not take what is meant for the child.
      const answer = (text) => {
        const { port } = owner.address();
        const client = native.createSocket('udp4');
        owner.close(() => client.send(text, port, '127.0.0.1', () => client.close()));
      };
      const owner = native.createSocket('udp4').bind(0, '127.0.0.1', () => {
        const file = require('node:path').join(require('node:os').tmpdir(), 'recvfromto-compat-' + process.pid + '.cjs');
        require('node:fs').writeFileSync(file, ${JSON.stringify(`
          const dgram = require(process.env.SUBJECT);
          process.on('message', (type, handle) => {
            const s = dgram.createSocket('udp4', (msg, { size }) => { console.log(String(msg), size); s.close(() => process.disconnect()); });
            s.bind(handle, () => { console.log('listening', s.address().address); process.send('ready'); });
          });
        `)});
        const child = fork(file, { env: { ...process.env, SUBJECT: ${JSON.stringify(t.modulePath)} } });
        const state = owner[Object.getOwnPropertySymbols(owner).find((x) => x.description === 'state symbol')];
        child.send('native', state.handle);
        child.on('message', () => answer('by handle'));
        child.on('exit', (...a) => { console.log(a); require('node:fs').unlinkSync(file) });
      });`;
    await run(t, 'bind(handle)', script);
  },
};
