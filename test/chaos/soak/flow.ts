/** Sockets that are paused, split, connected, read by loops and by batches, with runs that the kernel joins: in any order. */
import type { RemoteInfo, SocketOptions } from '../../../src/types';
import type { Account, Ledger } from './account';
import { bound, Random, type Setting, send, sleep, turn } from './setting';

type Reader = 'message' | 'messages' | 'loop';

const CHILDREN = 8;

/** What is done to one server and its clients, step by step. */
class Scene {
  readonly #account: Account;
  readonly #random: Random;
  readonly #server: Ledger;
  readonly #clients: Ledger[];
  #port = 0;
  #last: RemoteInfo | undefined;
  #loop: Promise<void> | undefined;

  constructor(account: Account, random: Random) {
    this.#account = account;
    this.#random = random;
    const options: Partial<SocketOptions> = {
      gro: random.below(2) === 0,
      batch: [1, 3, 64][random.below(3)] as number,
      maxDatagramSize: random.below(3) === 0 ? 600 : 65535,
      stickySource: random.below(2) === 0,
      reuseAddr: true, // split() binds to the same port
      ...(random.below(4) === 0 ? { maxQueueTime: 1 } : {}),
    };
    this.#server = account.open({ type: 'udp4', ...options });
    this.#clients = Array.from({ length: 3 }, () => account.open({ type: 'udp4', gso: random.below(2) === 0 }));
  }

  async start(reader: Reader): Promise<void> {
    this.#port = await bound(this.#server, 0, '0.0.0.0');
    for (const client of this.#clients) await bound(client, 0, '127.0.0.1');
    const { socket } = this.#server;
    socket.on('message', (_, rinfo) => {
      this.#last = rinfo;
    });
    if (reader === 'messages') {
      socket.on('messages', (batch) => {
        this.#server.delivered += batch.length;
        this.#last = batch[0]?.rinfo;
      });
    } else if (reader === 'loop') {
      this.#loop = (async () => {
        for await (const [, rinfo] of socket) {
          this.#last = rinfo;
          if (this.#random.below(20) === 0) await turn();
        }
      })();
    }
  }

  step(): void {
    const { socket } = this.#server;
    const client = this.#clients[this.#random.below(3)] as Ledger;
    switch (this.#random.below(10)) {
      case 0:
        socket.pause();
        break;
      case 1:
      case 2:
        socket.resume();
        break;
      case 3:
        this.#connect(client);
        break;
      case 4:
        this.#split();
        break;
      case 5:
        this.#sendRun(client);
        break;
      default:
        this.#send(client);
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.#clients, this.#server].map((ledger) => this.#account.close(ledger)));
    await this.#loop;
  }

  #connect({ socket }: Ledger): void {
    try {
      if (this.#random.below(2) === 0) socket.connectSync(this.#port, '127.0.0.1');
      else socket.disconnect();
    } catch (error) {
      this.#account.note(error);
    }
  }

  #split(): void {
    const { children } = this.#server;
    if (this.#last === undefined || children.length >= CHILDREN) return;
    try {
      const child = this.#account.split(this.#server, this.#last);
      this.#server.handed++;
      child.send('from the child', this.#account.promise(this.#server));
    } catch (error) {
      this.#account.note(error); // one of this peer there is
    }
  }

  #send(client: Ledger): void {
    const many = 1 + this.#random.below(40);
    for (let i = 0; i < many; i++) {
      const bytes = Buffer.alloc(1 + this.#random.below(1400));
      const to = isConnected(client) ? [] : [this.#port, '127.0.0.1'];
      send(this.#account, client, [bytes, ...to], this.#random.below(4) === 0);
    }
  }

  #sendRun(client: Ledger): void {
    if (isConnected(client)) return;
    const [size, segmentSize] = [1 + this.#random.below(20_000), 100 + this.#random.below(1200)];
    client.handed += Math.ceil(size / segmentSize);
    const options = { port: this.#port, address: '127.0.0.1', segmentSize };
    client.socket.send(Buffer.alloc(size), options, this.#account.promise(client));
  }
}

function isConnected({ socket }: Ledger): boolean {
  try {
    socket.remoteAddress();
    return true;
  } catch {
    return false;
  }
}

export async function flow({ account, until, seed }: Setting): Promise<void> {
  const random = new Random(seed + 17);
  const readers: readonly Reader[] = ['message', 'messages', 'loop'];
  while (Date.now() < until) {
    const scene = new Scene(account, random);
    await scene.start(readers[random.below(readers.length)] as Reader);
    for (let i = 0; i < 100; i++) {
      scene.step();
      if (random.below(3) === 0) await turn();
    }
    if (random.below(2) === 0) await sleep(20);
    await scene.end();
    await sleep(20);
  }
}
