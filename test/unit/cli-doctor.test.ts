/** Which questions `doctor` asks, how it judges, and how it tells. */
import type { AddressFact, Check, Facts } from '../../src/cli/doctor/facts';
import { questions } from '../../src/cli/doctor/questions';
import { isOk, report } from '../../src/cli/doctor/report';
import type { OwnAddress } from '../../src/cli/own-address';
import { columnsOf } from '../../src/cli/quoted';
import { style } from '../../src/cli/style';
import type { Capabilities } from '../../src/index';

const own = (address: string, name: string): OwnAddress => ({
  address,
  family: address.includes(':') ? 6 : 4,
  interface: name,
  internal: name === 'lo',
  netmask: '255.255.255.0',
});

describe('questions', () => {
  const host = [
    own('192.0.2.2', 'eth0'),
    own('fd00::2', 'eth0'),
    own('fe80::2%eth0', 'eth0'),
    own('127.0.0.1', 'lo'),
    own('::1', 'lo'),
  ];
  const asked = (list: readonly OwnAddress[], dual: boolean) =>
    questions(list, dual).list.map(({ address, socket, clients }) => [socket, address, clients[0]]);

  test('each address, loopback first, by a client on another one that may reach it', () => {
    expect(asked(host, false)).toEqual([
      ['udp4', '127.0.0.1', undefined],
      ['udp4', '192.0.2.2', '127.0.0.1'],
      ['udp6', '::1', undefined],
      ['udp6', 'fd00::2', '::1'],
      ['udp6', 'fe80::2%eth0', 'fd00::2'],
    ]);
  });

  test('IPv4 once more where there are dual-stack sockets', () => {
    expect(asked(host, true).slice(5)).toEqual([
      ['dual', '127.0.0.1', undefined],
      ['dual', '192.0.2.2', '127.0.0.1'],
    ]);
  });

  test('when that client hears nothing, one of the kernel’s choice asks again', () => {
    for (const { clients } of questions(host, true).list) expect(clients.at(-1)).toBeUndefined();
  });

  test('no table of a thousand lines', () => {
    const many = Array.from({ length: 500 }, (_, at) => own(`10.0.${at >> 8}.${at & 255}`, 'eth0'));
    const { list, left } = questions([...many, ...host], true);
    expect(list.length).toBe(32 + 3 + 32);
    expect(list.length + left).toBe(2 * 502 + 3);
  });
});

const right: AddressFact = {
  address: '127.0.0.2',
  socket: 'udp4',
  askedBy: '127.0.0.1',
  interface: 'lo',
  destination: '127.0.0.2',
  recvfromto: { verdict: 'right', from: '127.0.0.2' },
  dgram: { verdict: 'wrong', from: '127.0.0.1' },
  dgramPredicted: [],
};
const foreseen: AddressFact = {
  ...right,
  address: '10.0.0.7',
  recvfromto: { verdict: 'right', from: '10.0.0.7' },
  dgramPredicted: [
    { network: '10.0.0.0/24 on eth0', client: '10.0.0.3', source: '10.0.0.7', verdict: 'right' },
    { network: '10.1.0.0/24 on eth1', client: '10.1.0.2', source: '10.1.0.1', verdict: 'wrong' },
  ],
};
const wrong: AddressFact = { ...right, recvfromto: { verdict: 'wrong', from: '127.0.0.1' } };
const silent: AddressFact = { ...right, recvfromto: { verdict: 'silent', from: null } };
const unreachable: AddressFact = {
  ...right,
  recvfromto: { verdict: 'unreachable', from: null },
  dgram: { verdict: 'unreachable', from: null },
};
const passed: Check = { name: 'sizes', result: 'pass', detail: 'whole' };
const skipped: Check = { name: 'broadcast', result: 'skip', detail: 'none' };
const failed: Check = { name: 'metadataIPv6', result: 'fail', detail: 'TTL 7 instead of 42' };

describe('isOk', () => {
  test.each<[string, boolean, AddressFact[], Check[]]>([
    ['all right', true, [right, right], [passed]],
    ['what could not be asked or checked does not count', true, [right, unreachable], [passed, skipped]],
    ['a wrong answer', false, [right, wrong], [passed]],
    ['no answer', false, [right, silent], [passed]],
    ['a failed check', false, [right], [passed, failed]],
    ['nothing asked proves nothing', false, [], [passed]],
    ['nothing reachable proves nothing', false, [unreachable], [passed]],
  ])('%s: %p', (_, ok, addresses, checks) => {
    expect(isOk(addresses, checks)).toBe(ok);
  });
});

/** Features beyond these are listed as they are. */
function facts(addresses: AddressFact[], checks: Check[], more: Partial<Facts> = {}): Facts {
  const yes = { ipv4: true, destination: true, localAddress: true, interface: true, ttl: true, timestamp: true };
  const features = { ...yes, ipv6: true, dualStack: true, batchReceive: true, batchSend: true, drops: true };
  const rest = { tos: true, reusePort: true, gso: false, gro: false, errors: false };
  return {
    recvfromto: '1.2.3',
    ok: isOk(addresses, checks),
    problem: null,
    system: {
      os: 'Linux',
      release: '6.18.44',
      arch: 'x64',
      libc: { name: 'glibc', version: '2.36' },
      runtime: { name: 'Node.js', version: '20.20.2' },
      koffi: '3.3.4',
    },
    capabilities: {
      platform: 'linux',
      arch: 'x64',
      runtime: 'node',
      ...features,
      ...rest,
      notes: { gso: 'not offered', gro: 'not offered', errors: 'none here', tos: 'IPv6 only' },
    } as Capabilities,
    addresses,
    addressesNotAsked: 0,
    checks,
    deep: null,
    ...more,
  };
}

describe('report', () => {
  const lines = (given: Facts) => report(given, style(false));

  test('what is right', () => {
    expect(lines(facts([right, unreachable], [passed, skipped]))).toEqual([
      'recvfromto 1.2.3',
      'Linux 6.18.44 · x64 · glibc 2.36 · Node.js 20.20.2 · koffi 3.3.4',
      '',
      '  Asked at   recvfromto answers  node:dgram answers  predicted',
      '  IPv4, a socket on 0.0.0.0',
      '  127.0.0.2  ✓ itself            ✗ 127.0.0.1         –',
      '  127.0.0.2  – not reachable     – not reachable     –',
      '  asked by clients on other addresses of this machine, where it has any;',
      '  predicted: for how many networks node:dgram would answer rightly',
      '',
      '  ✓ sizes            whole',
      '  – broadcast        none',
      '',
      '  ✓ ipv4, destination, localAddress, interface, ttl, timestamp, ipv6,',
      '    dualStack, batchReceive, batchSend, drops, tos, reusePort',
      '  – gso, gro: not offered',
      '  – errors: none here',
      '    tos: IPv6 only',
      '',
      'All is right with recvfromto here.',
      'From the asked address: recvfromto 1 of 1, node:dgram 0 of 1.',
    ]);
  });

  test('what clients on the network would see of node:dgram has a column and a sentence of its own', () => {
    const all = lines(facts([right, foreseen], [passed]));
    expect(all).toContain('  10.0.0.7   ✓ itself            ✗ 127.0.0.1         ✗ 1 of 2');
    expect(all).toContain('  10.0.0.0/24 on eth0  10.0.0.7');
    expect(all).toContain('  10.1.0.0/24 on eth1  10.1.0.1');
    expect(all.at(-1)).toBe('For clients on the network, node:dgram would be right at 0 of 1 (predicted).');
  });

  test('on a narrow screen each address is a stack of lines, none of them too long', () => {
    const stacked = report(facts([foreseen], [passed]), style(false), 60);
    expect(stacked).toContain('  10.0.0.7');
    expect(stacked).toContain('    node:dgram answers: ✗ 127.0.0.1');
    for (const line of stacked.slice(3, 12)) expect(columnsOf(line)).toBeLessThanOrEqual(72);
  });

  test('what is wrong', () => {
    const all = lines(facts([right, wrong, silent], [passed, failed])).join('\n');
    expect(all).toContain('✗ 127.0.0.1         ✗ 127.0.0.1');
    expect(all).toContain('✗ no answer');
    expect(all).toContain('✗ IPv6 metadata    TTL 7 instead of 42');
    expect(all).toMatch(/Not all is right with recvfromto here\.\n.* 1 of 3, .*\nFailed checks: 1\.$/);
  });

  test('why nothing could be tried', () => {
    const nothing = facts([], []);
    const capabilities = { ...nothing.capabilities, destination: false };
    const system = { ...nothing.system, libc: null, koffi: null };
    expect(lines({ ...nothing, problem: 'no koffi here', capabilities, system })).toEqual([
      'recvfromto 1.2.3',
      'Linux 6.18.44 · x64 · Node.js 20.20.2 · without koffi',
      '',
      'recvfromto does not work here: no koffi here',
    ]);
  });

  test('long addresses and colours leave the columns in line, many addresses are counted', () => {
    const long = 'fe80::1234:5678:9abc:def0%wlp0s20f3';
    const one = { ...right, address: long, recvfromto: { verdict: 'right', from: long } } as const;
    const given = facts([right, one], [], { addressesNotAsked: 1234 });
    const rows = lines(given).slice(3, 7);
    const at = (row: string | undefined) => columnsOf(row?.slice(0, row.lastIndexOf('✗')) ?? '');
    expect(at(rows[2])).toBe(at(rows[3]));
    expect(lines(given).join('\n')).toContain('… and 1,234 more addresses, not asked');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR
    expect(report(given, style(true)).map((line) => line.replace(/\x1b\[\d+m/g, ''))).toEqual(lines(given));
  });
});
