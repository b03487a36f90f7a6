/** Time: a test runner's fake timers drive the network, or a clock of its own does, and sockets go on meanwhile. */
import { createNetwork } from '../../../src/testing';
import { bind, collect, message, send } from './support';

const hosts = { server: '10.0.0.1', client: '10.0.0.9' };

/** A client that asks again after 100 ms without an answer, as a resolver does. */
function ask(client: ReturnType<ReturnType<typeof createNetwork>['createSocket']>, tries: number): void {
  if (tries === 0) return;
  client.send('query', 53, '10.0.0.1');
  const again = setTimeout(() => ask(client, tries - 1), 100);
  client.once('message', () => clearTimeout(again));
}

describe('a manual clock', () => {
  test('nothing arrives before its time, and what is answered meanwhile comes back in its own', async () => {
    await using network = createNetwork({ hosts, delay: 40, clock: 'manual' });
    const server = network.createSocket('server', 'udp4', (msg, rinfo) => server.reply(msg, rinfo));
    await bind(server, 53);
    const client = await bind(network.createSocket('client', 'udp4'));
    const heard = collect(client);
    await send(client, 'query', 53, '10.0.0.1');
    await network.advance(79);
    expect([heard.length, network.now, network.stats.travelling]).toEqual([0, 79, 1]);
    await network.advance(1);
    expect([heard.length, network.now, network.stats.travelling]).toEqual([1, 80, 0]);
    expect(network.log.map(({ at }) => at)).toEqual([0, 40]);
  });

  test('settle() moves it on until nothing is on the way', async () => {
    await using network = createNetwork({ hosts, delay: 3_600_000, clock: 'manual' });
    const server = await bind(network.createSocket('server', 'udp4'), 53);
    const heard = collect(server);
    await send(network.createSocket('client', 'udp4'), 'slow', 53, '10.0.0.1');
    await network.settle();
    expect([heard.length, network.now]).toEqual([1, 3_600_000]);
  });

  test('advance() is of a manual clock alone', async () => {
    await using network = createNetwork({ hosts });
    await expect(network.advance(1)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });
});

test('with timers a delay is real', async () => {
  await using network = createNetwork({ hosts, delay: 20 });
  const server = await bind(network.createSocket('server', 'udp4'), 53);
  const client = await bind(network.createSocket('client', 'udp4'));
  const started = performance.now();
  client.send('x', 53, '10.0.0.1');
  await message(server);
  expect(performance.now() - started).toBeGreaterThan(18);
  client.send('y', 53, '10.0.0.1');
  await network.settle();
  expect(network.stats).toMatchObject({ delivered: 2, travelling: 0 });
});

describe("Jest's fake timers", () => {
  afterEach(() => jest.useRealTimers());

  test('drive delays and the retries of the program alike', async () => {
    jest.useFakeTimers();
    await using network = createNetwork({ hosts, delay: 30 });
    let queries = 0;
    const server = network.createSocket('server', 'udp4', (msg, rinfo) => {
      if (++queries === 3) server.reply(msg, rinfo);
    });
    await bind(server, 53);
    const client = await bind(network.createSocket('client', 'udp4'));
    const heard = collect(client);
    ask(client, 5);
    for (let ms = 0; ms < 1000; ms += 10) {
      await jest.advanceTimersByTimeAsync(10);
      await new Promise(jest.requireActual<typeof import('node:timers')>('node:timers').setImmediate);
    }
    await network.settle();
    expect([queries, heard.length]).toEqual([3, 1]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('without a delay nothing has to be moved on', async () => {
    jest.useFakeTimers();
    await using network = createNetwork({ hosts });
    const server = network.createSocket('server', 'udp4', (msg, rinfo) => server.reply(msg, rinfo));
    await bind(server, 53);
    const client = network.createSocket('client', 'udp4');
    client.send('query', 53, '10.0.0.1');
    expect((await message(client)).text).toBe('query');
  });
});
