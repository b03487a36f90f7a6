/** What `audit` reads in /proc, and what it says of it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { examine } from '../../src/cli/audit/audit';
import { parse } from '../../src/cli/audit/proc';
import { report } from '../../src/cli/audit/report';
import type { OwnAddress } from '../../src/cli/own-address';
import { style } from '../../src/cli/style';

const own = (address: string, netmask: string): OwnAddress => ({
  address,
  family: address.includes(':') ? 6 : 4,
  interface: 'eth0',
  internal: false,
  netmask,
});
const V6_64 = 'ffff:ffff:ffff:ffff::';

// Little-endian words, as on every CPU that koffi has a Linux binary for.
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  112: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   105        0 1001 2 0000000000000000 7
  113: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 0
  114: 00000000:9000 0200000A:0035 01 00000000:00000000 00:00000000 00000000     0        0 1003 2 0000000000000000 0
  115: 00000000:8001 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 1004 2 0000000000000000 0
`;
const UDP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   12: 00000000000000000000000000000000:1633 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2001 2 0000000000000000 0
   13: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2002 2 0000000000000000 0
`;

test('/proc/net/udp and udp6 are read as the kernel writes them, and what is no line is left out', () => {
  expect(parse(UDP)).toMatchObject([
    { family: 4, address: '0.0.0.0', port: 53, connected: false, uid: 105, inode: 1001, drops: 7 },
    { address: '127.0.0.1', port: 53, connected: false },
    { address: '0.0.0.0', port: 36864, connected: true },
    { address: '0.0.0.0', port: 32769 },
  ]);
  expect(parse(UDP6)).toMatchObject([
    { family: 6, address: '::', port: 5683, inode: 2001 },
    { family: 6, address: '2001:db8::1', port: 53 },
  ]);
  expect(parse('head\nnonsense\n\n')).toEqual([]);
});

describe('audit', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'recvfromto-proc-'));
    for (const folder of ['net', 'sys/net/ipv4', '17/fd', 'self']) mkdirSync(join(proc, folder), { recursive: true });
    writeFileSync(join(proc, 'net/udp'), UDP);
    writeFileSync(join(proc, 'net/udp6'), UDP6);
    writeFileSync(join(proc, 'sys/net/ipv4/ip_local_port_range'), '32768\t60999\n');
    writeFileSync(join(proc, '17/comm'), 'named\n');
    symlinkSync('socket:[1001]', join(proc, '17/fd/5'));
    symlinkSync('/dev/null', join(proc, '17/fd/6'));
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  const two = [own('10.0.0.1', '255.255.255.0'), own('10.0.0.7', '255.255.255.0'), own('fe80::1%eth0', V6_64)];

  test('names the program, and says what can be known', () => {
    const { sockets, otherSockets, processesNotRead } = examine(proc, two);
    expect({ otherSockets, processesNotRead }).toEqual({ otherSockets: 3, processesNotRead: 0 });
    expect(sockets).toMatchObject([
      {
        port: 53,
        programs: [{ pid: 17, name: 'named' }],
        uid: 105,
        drops: 7,
        risk: 'maybe',
        probe: 'recvfromto probe 53 --protocol dns',
      },
      { port: 5683, programs: [], risk: 'maybe', addresses: 2, probe: 'recvfromto probe 5683 --protocol coap' },
      { port: 32769, risk: 'unlikely', reason: 'a port that the kernel gives to clients', probe: null },
    ]);
  });

  test('with one address it is unlikely', () => {
    expect(examine(proc, two.slice(1)).sockets.map(({ risk }) => risk)).toEqual(['unlikely', 'unlikely', 'unlikely']);
  });

  test('as a table', () => {
    expect(report(examine(proc, two), style(false))).toEqual([
      '  Bound to       program       wrong answers  ask, or why not',
      '  0.0.0.0#53     named (17)    maybe          recvfromto probe 53 --protocol dns',
      '  ::#5683        ? (uid 0)     maybe          recvfromto probe 5683 --protocol coap',
      '  0.0.0.0#32769  ? (uid 1000)  unlikely       a port that the kernel gives to clients',
      '',
      '2 sockets could answer from a wrong address.',
      'Whether a program chooses the address it answers from cannot be seen from outside; ask it.',
      '3 more are bound to one address or connected: no matter.',
    ]);
  });

  test('where there is no /proc it says so', () => {
    expect(() => examine(join(proc, 'none'), two)).toThrow("audit knows Linux' sockets only");
  });
});
