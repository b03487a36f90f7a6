/** The kinds of trouble. Each runs until the time is up, a little at a time, so that all of them go on at once. */
import { flow } from './flow';
import { bound, Random, type Setting, send, sleep, turn } from './setting';

const PEERS = 1_000_000;
const payloads = [1, 16, 100, 512, 1200, 1400].map((size) => Buffer.alloc(size, size & 0xff));

/** A million addresses ask a server, which answers by sticky send(), by reply(), or not at all. */
async function flood({ account, until, seed }: Setting, kind: 'sticky' | 'reply' | 'filtered'): Promise<void> {
  const random = new Random(seed + kind.length);
  const accept = kind === 'filtered' ? { accept: { destinations: ['10.0.0.1'] } } : {};
  const server = account.open({ type: 'udp4', stickySource: kind === 'sticky', ...accept });
  const client = account.open({ type: 'udp4', gso: random.below(2) === 0 });
  const port = await bound(server, 0, '0.0.0.0');
  await bound(client, 0, '0.0.0.0');
  server.socket.on('message', (msg, rinfo) => {
    if (kind === 'reply') {
      server.handed++;
      server.socket.reply(msg, rinfo, random.below(16) === 0 ? account.promise(server) : undefined);
    } else send(account, server, [msg, rinfo.port, rinfo.address], random.below(16) === 0);
  });
  while (Date.now() < until) {
    const batch = Array.from({ length: 1 + random.below(180) }, () => {
      const peer = random.below(PEERS);
      return {
        msg: payloads[random.below(payloads.length)] as Buffer,
        port,
        address: `10.0.0.${1 + random.below(3)}`,
        localAddress: `10.${64 + (peer >>> 16)}.${(peer >>> 8) & 255}.${peer & 255}`,
      };
    });
    client.handed += batch.length;
    const settle = account.promise(client);
    client.socket.sendMany(batch, (error) => settle(error));
    // Mostly the server comes to hear them: a kernel that drops does not test much. Now and then it is overrun.
    const wanted = server.socket.stats().datagramsIn + batch.length;
    const patience = random.below(20) === 0 ? 1 : 8;
    for (let i = 0; i < patience && server.socket.stats().datagramsIn < wanted; i++) await turn();
  }
  await account.close(client);
  await sleep(50);
  await account.close(server);
}

/** Nobody is at the other end: the queue fills, and stays full. */
async function blocked({ account, until, seed }: Setting): Promise<void> {
  const random = new Random(seed + 7);
  while (Date.now() < until) {
    const ledger = account.open({ type: 'udp4', sendBufferSize: 4608 });
    await bound(ledger, 0, '0.0.0.0');
    for (let i = 0; i < 400; i++) {
      send(
        account,
        ledger,
        [payloads[random.below(6)], 9, `192.168.77.${2 + random.below(200)}`],
        random.below(2) === 0,
      );
      if (random.below(50) === 0) await turn();
    }
    await sleep(random.below(1500));
    await account.close(ledger);
  }
}

/** The address that is sent from comes and goes. */
async function addresses({ account, until, network, seed }: Setting): Promise<void> {
  const random = new Random(seed + 11);
  const ledger = account.open({ type: 'udp4' });
  const sink = account.open({ type: 'udp4' });
  const port = await bound(sink, 0, '0.0.0.0');
  await bound(ledger, 0, '0.0.0.0');
  while (Date.now() < until) {
    const localAddress = `172.19.0.${1 + random.below(200)}`;
    network.addAddress(localAddress);
    await sleep(50);
    const ask = async () => {
      for (let i = 0; i < 50; i++) send(account, ledger, ['x', { port, address: '127.0.0.1', localAddress }], true);
      await turn();
    };
    await ask();
    network.removeAddress(localAddress);
    await sleep(50);
    await ask();
    await sleep(200);
  }
  await account.close(ledger);
  await account.close(sink);
}

/** Interfaces come and go, with groups joined on them. */
async function interfaces({ account, until, network }: Setting): Promise<void> {
  for (let i = 0; Date.now() < until; i = (i + 1) % 200) {
    const address = network.addInterface('soak0', i);
    await sleep(200);
    const ledger = account.open({ type: 'udp4', reuseAddr: true });
    await bound(ledger, 5353, '0.0.0.0');
    try {
      ledger.socket.addMembership('239.9.9.9', address);
      ledger.socket.setMulticastInterface(address);
      for (let k = 0; k < 20; k++) send(account, ledger, ['x', 5353, '239.9.9.9'], true);
      await sleep(50);
      network.removeInterface('soak0');
      for (let k = 0; k < 20; k++) send(account, ledger, ['x', 5353, '239.9.9.9'], true);
      await sleep(50);
    } catch (error) {
      account.note(error); // it is not there yet, on a busy machine
    } finally {
      await account.close(ledger);
    }
    await sleep(150);
  }
}

/** Sockets by the dozen, closed in the middle of what they do. */
async function openAndClose({ account, until, seed }: Setting): Promise<void> {
  const random = new Random(seed + 13);
  while (Date.now() < until) {
    const ledgers = Array.from({ length: 20 }, () =>
      account.open({ type: 'udp4', stickySource: random.below(2) === 0, batch: random.below(2) === 0 ? 64 : 1 }),
    );
    const ports = await Promise.all(ledgers.map((ledger) => bound(ledger, 0, '127.0.0.1')));
    for (const [i, ledger] of ledgers.entries()) {
      for (let k = 0; k < 20; k++) send(account, ledger, ['storm', ports[(i + k) % ports.length], '127.0.0.1'], true);
    }
    if (random.below(2) === 0) await turn();
    await Promise.all(ledgers.map((ledger) => account.close(ledger)));
    await sleep(150);
  }
}

/** Connected to nobody: the kernel says so. */
async function refused({ account, until }: Setting): Promise<void> {
  while (Date.now() < until) {
    const ledger = account.open({ type: 'udp4' });
    await bound(ledger, 0, '127.0.0.1');
    ledger.socket.connect(9, '127.0.0.1');
    await new Promise<void>((done) => ledger.socket.once('connect', done));
    for (let i = 0; i < 30; i++) {
      send(account, ledger, ['x'], true);
      if (i % 5 === 0) await turn();
    }
    await account.close(ledger);
    await sleep(100);
  }
}

/** Garbage, and the collector at the worst of times. */
async function garbage({ until }: Setting): Promise<void> {
  while (Date.now() < until) {
    let kept: Buffer[] = [];
    for (let i = 0; i < 50; i++) {
      kept.push(Buffer.alloc(1 + (i % 7) * 1000));
      if (i % 5 === 0) (globalThis as { gc?: (how: { type: string }) => void }).gc?.({ type: 'minor' });
      await turn();
    }
    kept = [];
    await sleep(1000);
  }
}

async function samples({ until, sampler }: Setting): Promise<void> {
  while (Date.now() < until) {
    await turn();
    sampler.sample();
    await sleep(1000);
  }
}

export const kinds = {
  sticky: (setting: Setting) => flood(setting, 'sticky'),
  reply: (setting: Setting) => flood(setting, 'reply'),
  filtered: (setting: Setting) => flood(setting, 'filtered'),
  blocked,
  addresses,
  interfaces,
  openAndClose,
  refused,
  flow,
  garbage,
};

/** Runs all that are asked for at once, and settles what is left. */
export async function runStorms(setting: Setting, only: readonly (keyof typeof kinds)[]): Promise<void> {
  await Promise.all([samples(setting), ...only.map((kind) => kinds[kind](setting))]);
  await setting.account.closeAll();
}
