/** What using a network in memory does to a process. */
// An OS that the package does not know: before anything of it is loaded.
if (process.argv[2] === 'elsewhere') Object.defineProperty(process, 'platform', { value: 'atlantis' });
const { join } = require('node:path');
const { createNetwork } = require(join(process.env.RECVFROMTO_COMPILED, 'testing.js'));

const hosts = { server: ['10.0.0.1', '10.0.0.7'], client: '10.0.0.9' };

async function exchange(network) {
  const server = network.createSocket('server', 'udp4', (msg, rinfo) => server.reply(msg, rinfo));
  await new Promise((done) => server.bind(53, done));
  const client = network.createSocket('client', 'udp4');
  client.send('query', 53, '10.0.0.7');
  const [msg, rinfo] = await new Promise((done) => client.on('message', (...heard) => done(heard)));
  return `${msg} ${rinfo.address}`;
}

const programs = {
  async closed() {
    const network = createNetwork({ hosts, delay: 5 });
    console.log(await exchange(network));
    network.createSocket('client', 'udp4').send('on the way', 53, '10.0.0.7');
    await network.close();
    await new Promise((done) => setTimeout(done, 1)); // what had been scheduled before
    const left = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|Immediate)$/.test(name));
    console.log(`left ${left.length}`, ...left);
  },
  async unloaded() {
    const network = createNetwork({ hosts });
    console.log(await exchange(network));
    const native = Object.keys(require.cache).filter((name) => /node_modules.koffi|\.node$/.test(name));
    console.log(`native ${native.length}`, ...native);
    await network.close();
  },
  async elsewhere() {
    const network = createNetwork({ hosts });
    console.log(await exchange(network));
    await network.close();
  },
  async unreffed() {
    const network = createNetwork({ hosts });
    const socket = network.createSocket('server', 'udp4').unref();
    await new Promise((done) => socket.bind(53, done));
    console.log('bound');
  },
  async bound() {
    const network = createNetwork({ hosts });
    network.createSocket('server', 'udp4').bind(53, () => console.log('bound'));
    setTimeout(() => {
      console.log('still here');
      process.exit();
    }, 200).unref();
  },
  async mocked() {
    process.removeAllListeners('warning'); // experimental, some versions say
    const { mock } = require('node:test');
    mock.timers.enable({ apis: ['setTimeout'] });
    const network = createNetwork({ hosts, delay: 1000 });
    let answer;
    const asked = exchange(network).then((text) => {
      answer = text;
    });
    const turns = async () => {
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    };
    await turns();
    mock.timers.tick(999);
    await turns();
    console.log(network.stats.travelling, answer);
    mock.timers.tick(1);
    await turns();
    mock.timers.tick(1000);
    await asked;
    console.log(network.stats.travelling, answer);
    await network.close();
  },
  async cluster() {
    const cluster = require('node:cluster');
    if (cluster.isPrimary) {
      cluster.fork().on('exit', (code) => console.log(`worker ${code}`));
      return;
    }
    const network = createNetwork({ hosts });
    process.exit((await exchange(network)) === 'query 10.0.0.7' ? 0 : 1);
  },
};

programs[process.argv[2]]();
