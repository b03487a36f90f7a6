/** The cases of `doctor --deep` on every modelled kernel, and `npm run compare`. */
import { cases } from '../../src/cli/doctor/deep/cases';
import { cmsgs } from '../../src/cli/doctor/deep/control';
import { expectations } from '../../src/cli/doctor/deep/expected';
import type { DeepFact } from '../../src/cli/doctor/deep/facts';
import { CannotTry, Kernel } from '../../src/cli/doctor/deep/kernel';
import { deepReport } from '../../src/cli/doctor/deep/report';
import type { Facts } from '../../src/cli/doctor/facts';
import { style } from '../../src/cli/style';
import { cells, tried } from '../compare/cells';
import { compare, lines } from '../compare/compare';
import { onModel } from '../compare/model';
import { models, World } from '../models/world';

describe.each(models)('%s', (name) => {
  test('every case sees something, or says why it cannot be tried', async () => {
    const facts = await onModel(name);
    expect(facts.map((one) => one.name)).toEqual(cases.map((one) => one.name));
    // What fails in another way than CannotTry is a fault of the case.
    expect(facts.filter(({ observed, result }) => observed === null && result !== 'not tried')).toEqual([]);
    expect(facts.filter(({ observed }) => observed !== null).length).toBeGreaterThan(cases.length / 2);
    for (const { observed, detail } of facts) expect(observed ?? detail).not.toMatch(/^$|errno|undefined/);
  });

  test('nothing is left open', async () => {
    const world = new World(name);
    const kernel = new Kernel(world.platform, world.kernel, 0);
    for (const { run } of cases) {
      await run({ kernel, addresses: [] }).catch((error: Error) => expect(error).toBeInstanceOf(CannotTry));
    }
    kernel.close();
    expect(world.kernel.sockets.size).toBe(0);
    world.close();
  });
});

test.each([
  'linux-x64',
  'android-arm64',
  'darwin-arm64',
  'freebsd-x64',
])('the model %s does what was seen of its kernel', async (name) => {
  const facts = await onModel(name);
  const wrong = facts.filter(({ result }) => result === 'otherwise').map((one) => one.name);
  expect(wrong).toEqual([]);
  expect(facts.filter(({ result }) => result === 'as expected').length).toBeGreaterThan(15);
});

test('every expectation belongs to a case, and case names are unique', () => {
  const names = cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.keys(expectations).filter((name) => !names.includes(name))).toEqual([]);
});

test('a source that a case names is the one that the kernel takes', async () => {
  const world = new World('linux-x64');
  const kernel = new Kernel(world.platform, world.kernel, 0);
  const { port } = kernel.bound('udp4', '0.0.0.0');
  const client = kernel.bound('udp4', '10.0.0.2');
  const { fd } = kernel.bound('udp4', '0.0.0.0');
  const to = { address: '10.0.0.2', port: client.port };
  expect(kernel.send(fd, { to, control: kernel.source('udp4', '10.0.0.3') })).toBe('sent');
  expect(await kernel.receive(client.fd)).toMatchObject({ name: 'sockaddr_in', from: '10.0.0.3', cut: false });
  expect(kernel.send(fd, { to, control: kernel.source('udp4', '192.0.2.1') })).toMatch(/^E/);
  expect(await kernel.receive(client.fd)).toBeUndefined();
  expect(port).toBeGreaterThan(0);
  kernel.close();
  world.close();
});

test('control messages are walked as CMSG_NXTHDR does, a broken length ends it', () => {
  const world = new World('linux-x64');
  const kernel = new Kernel(world.platform, world.kernel, 0);
  const one = kernel.source('udp4', '10.0.0.1');
  const { IPPROTO_IP, IP_PKTINFO } = world.platform.constants;
  const message = { level: IPPROTO_IP, type: IP_PKTINFO, size: 12 };
  expect(cmsgs(world.platform, Buffer.concat([one, one]))).toEqual([message, message]);
  expect(cmsgs(world.platform, Buffer.concat([one, Buffer.alloc(64)]))).toEqual([message]);
  expect(cmsgs(world.platform, one.subarray(0, one.length - 10))).toEqual([{ ...message, size: 6 }]);
  world.close();
});

const fact = (name: string, observed: string | null, more: Partial<DeepFact> = {}): DeepFact => {
  return { name, about: '', observed, detail: 'none here', expected: null, result: 'new', ...more };
};

test('the report says what was seen beside what was expected', () => {
  const expected = { value: 'ok', known: 'run' } as const;
  const facts = [
    fact('one', 'ok', { expected, result: 'as expected' }),
    fact('two', 'EINVAL', { expected, result: 'otherwise' }),
    fact('three', 'sent'),
    fact('four', null, { result: 'not tried' }),
  ];
  expect(deepReport(facts, style(false))).toEqual([
    '  Deep: the kernel itself  did        expected',
    '  ✓ one                    ok         the same',
    '  ! two                    EINVAL     ok',
    '  · three                  sent       ?',
    '  – four                   none here  ?',
    '  ✓ as expected  ! otherwise  · nothing was expected  – could not be tried',
    '  Otherwise is no fault of this machine: please send the output of doctor --deep --json.',
  ]);
});

describe('compare', () => {
  const address = {
    address: '10.0.0.7',
    socket: 'udp4',
    askedBy: '10.0.0.1',
    interface: 'en0',
    destination: '10.0.0.7',
    recvfromto: { verdict: 'right', from: '10.0.0.7' },
    dgram: { verdict: 'wrong', from: '10.0.0.1' },
    dgramPredicted: [],
  } as const;
  const facts = {
    recvfromto: '1.2.3',
    system: {
      os: 'Darwin',
      release: '25.0',
      arch: 'arm64',
      libc: null,
      runtime: { name: 'Node.js', version: '24.0.0' },
      koffi: '3',
    },
    capabilities: { platform: 'darwin', arch: 'arm64' },
    addresses: [address],
    checks: [
      { name: 'broadcast', result: 'skip', detail: '' },
      { name: 'multicastIPv4', result: 'pass', detail: '' },
      { name: 'multicastIPv6', result: 'skip', detail: '' },
      { name: 'foreignSourceIPv4', result: 'pass', detail: '' },
      { name: 'foreignSourceIPv6', result: 'fail', detail: '' },
    ],
    deep: [],
  } as unknown as Facts;

  test('only what both could try is compared', () => {
    const machine = [fact('one', 'ok'), fact('two', 'ok'), fact('three', null)];
    const model = [fact('one', 'ok'), fact('two', 'EINVAL'), fact('three', 'ok')];
    const compared = compare(machine, model);
    expect(compared.map(({ agree }) => agree)).toEqual([true, false, undefined]);
    const text = lines(facts, 'darwin-arm64', compared).join('\n');
    expect(text).toContain('✗ two');
    expect(text).toMatch(/The model is wrong in: two\.$/);
    expect(lines(facts, 'darwin-arm64', compared.slice(0, 1)).at(-1)).toBe(
      'The model agrees with the machine in all 1 cases that both could try.',
    );
    expect(lines(facts, undefined, []).join('\n')).toContain('There is no model of this system and CPU.');
  });

  test('a cell becomes run when all that tried it was right, and none where nothing did', () => {
    expect(tried(facts).map(({ feature, right }) => [feature, right])).toEqual([
      ['receive', true],
      ['reply', true],
      ['dual-stack', undefined],
      ['broadcast', undefined],
      ['multicast', true],
      ['link-local', undefined],
      ['vanished source', false],
    ]);
    expect(cells(facts).map(({ feature }) => feature)).toEqual(['receive', 'reply', 'multicast']);
    expect(cells(facts)[0]).toMatchObject({
      os: 'darwin',
      arch: 'arm64',
      runtime: 'Node',
      version: '24.0.0',
      result: 'run',
    });
    const wrong = { ...address, recvfromto: { verdict: 'wrong', from: '10.0.0.1' } } as const;
    expect(cells({ ...facts, addresses: [address, wrong] }).map(({ feature }) => feature)).toEqual([
      'receive',
      'multicast',
    ]);
  });
});
