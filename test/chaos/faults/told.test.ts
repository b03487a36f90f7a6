/** Who hears of a send whose look-up ends after the socket was closed: as with node:dgram. */
import { lines, program } from '../support/program';

const play = (send: string) => `
  const modules = { dgram: dgram.createSocket, recvfromto: require('recvfromto').createSocket };
  for (const [name, create] of Object.entries(modules)) {
    const log = [];
    let answer;
    const lookup = (host, family, callback) => {
      if (host === 'slow.example') answer = callback;
      else process.nextTick(callback, null, host, 4);
    };
    const s = await bound(create({ type: 'udp4', lookup }));
    s.on('error', (error) => log.push('error ' + error.code));
    s.on('close', () => log.push('close'));
    ${send}
    await turns(3);
    s.close();
    await turns(3);
    answer(Object.assign(new Error('nobody'), { code: 'ENOTFOUND' }));
    await turns(3);
    say(log);
  }
`;

test('with a callback', async () => {
  const [theirs, ours] = lines(
    await program(play("s.send('x', 9, 'slow.example', (error) => log.push('sent ' + error?.code));")),
  );
  expect(ours).toBe(theirs);
  expect(theirs).toContain('sent ENOTFOUND');
});

test('without one', async () => {
  const [theirs, ours] = lines(await program(play("s.send('x', 9, 'slow.example');")));
  expect(ours).toBe(theirs);
});

test("a cluster worker's unref() before bind() lets it end", async () => {
  const ended = await program(
    `const cluster = require('node:cluster');
    const { writeFileSync, rmSync } = require('node:fs');
    const file = require('node:path').join(process.cwd(), 'node_modules/.chaos-unref-' + process.pid + '.cjs');
    process.on('exit', () => rmSync(file, { force: true }));
    for (const module of ['node:dgram', process.cwd()]) {
      writeFileSync(file, "const s = require(" + JSON.stringify(module) + ").createSocket('udp4'); s.unref();" +
        "s.bind(0, '127.0.0.1', () => { setTimeout(() => { process.disconnect(); }, 50); });");
      cluster.setupPrimary({ exec: file, execArgv: [] });
      const worker = cluster.fork();
      say(await Promise.race([once(worker, 'exit').then(([code]) => code), when(() => false, 8000)]));
      worker.process.kill('SIGKILL');
    }
    process.exit(0);`,
  );
  const [theirs, ours] = lines(ended);
  expect(ours).toBe(theirs);
});
