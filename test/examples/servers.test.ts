/**
 * The servers of examples/, each on a host with several addresses, asked by the real client from Debian, which takes no
 * answer from an address that it did not ask. What is not installed is skipped, which fails in CI.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from './example';
import { missing, network } from './network';

/** Runs where the tools are. */
function withTools(...tools: string[]): jest.It {
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  const reason = missing ?? (absent.length > 0 ? `not installed: ${absent.join(', ')}` : undefined);
  if (reason === undefined) return test;
  if (process.env.CI === 'true' && process.platform === 'linux') {
    return ((name: string) =>
      test(name, () => {
        throw new Error(reason);
      })) as unknown as jest.It;
  }
  console.warn(`skipped: ${reason}`);
  return test.skip;
}

describe('examples/libc', () => {
  const ipv4 = ['192.0.2.1', '192.0.2.7', '192.0.2.8', '203.0.113.53'];
  const ipv6 = ['2001:db8:a::1', '2001:db8:a::7', '2001:db8:53::53'];
  const answered = (addresses: string[]) => addresses.map((address) => `NOERROR, ${address}#53(${address})`);

  withTools('dig')('recvfromto.js answers dig from each address of the host', () => {
    expect(network('libc', 'recvfromto', ipv6.join(' '))).toEqual(answered([...ipv4, ...ipv6]));
  });

  withTools('dig')('by-hand.js too', () => {
    expect(network('libc', 'by-hand')).toEqual(answered(ipv4));
  });

  withTools('nft')('tproxy.js answers for addresses and ports that nobody has', () => {
    const asked = ['198.51.100.5 777', '203.0.113.9 53', '192.0.2.1 4', '2001:db8:ffff::5 777', '2001:db8:a::1 4'];
    expect(network('tproxy')).toEqual(asked.map((each) => `${each} hello ${each}`));
  });
});

withTools('udhcpc')(
  'dhcp-server.js gives udhcpc an address on each network, renews it, takes it back, and serves a relay',
  () => {
    const bound = (name: string, network: string, event = 'bound') =>
      `${name}0 ${event} ${network}.100/255.255.255.0 router ${network}.1 lease 600 server ${network}.1`;
    const lines = network('dhcp');
    const both = [bound('a', '192.0.2'), bound('b', '198.51.100')];
    expect(lines.slice(0, 5)).toEqual([...both, ...both, bound('b', '198.51.100', 'renew')]);
    const common = { xid: '12345678', from: ['198.51.100.1', 67] };
    expect(lines.slice(5).map((line) => JSON.parse(line))).toEqual([
      { case: "an address of nobody's", ...common, client: '020000000001', type: 6, yours: '0.0.0.0' },
      // udhcpc has given it back
      { case: 'without the broadcast flag', ...common, client: '020000000002', type: 2, yours: '198.51.100.100' },
      { case: 'a relay', type: 2, yours: '203.0.113.100', from: ['198.51.100.7', 67] },
    ]);
  },
);

withTools('ntpdig')('ntp-server.js tells ntpdig the time, on each address', () => {
  const answers = network('ntp').map((line) => JSON.parse(line));
  expect(answers.map(({ ip }) => ip)).toEqual([
    '192.0.2.1',
    '192.0.2.7',
    '203.0.113.123',
    '2001:db8:a::1',
    '2001:db8:a::7',
  ]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ stratum: 1, leap: 'no-leap' });
    expect(Math.abs(answer.offset)).toBeLessThan(0.5); // one clock; the machine may be busy
  }
});

withTools('tftp', 'atftp')(
  'tftp-server.js gives whole files to tftp-hpa and atftp, on each address, and no others',
  () => {
    const files = ['large', 'whole', 'empty'];
    const got = ['192.0.2.1', '192.0.2.7', '203.0.113.69', '2001:db8:a::7'].flatMap((address) =>
      files.flatMap((file) => [`hpa ${address} ${file} same`, `atftp ${address} ${file} same`]),
    );
    expect(network('tftp')).toEqual([
      ...got,
      'atftp blksize large same',
      'netascii text same',
      'missing: Error code 1: not to be had',
      'link: Error code 2: not in here',
      '../secret: Error code 2: not in here',
      '/etc/passwd: Error code 1: not to be had',
    ]);
  },
);

describe('stun-server.js', () => {
  withTools('stun')('tells stun-client that there is no NAT, or which kind there is', () => {
    expect(network('stun', 'none')[0]).toMatch(/^Primary: Open/);
  });

  withTools('stun', 'nft')('tells which kind of NAT there is', () => {
    expect(network('stun', 'nat')[0]).toMatch(/^Primary: Independent Mapping, Port Dependent Filter/);
  });

  withTools()('answers from the other address, the other port, or both, on demand', () => {
    const answers = network('stun', 'attributes').map((line) => JSON.parse(line));
    expect(answers).toHaveLength(16);
    for (const { asked, change, from, other, mapped } of answers) {
      const [address, port] = asked;
      const otherAddress = address === '192.0.2.1' ? '192.0.2.2' : '192.0.2.1';
      const otherPort = port === 3478 ? 3479 : 3478;
      expect(other).toEqual([otherAddress, otherPort]);
      expect(from).toEqual([change & 4 ? otherAddress : address, change & 2 ? otherPort : port]);
      expect(mapped).toBe('10.0.0.9');
    }
  });
});

describe('examples/systemd', () => {
  withTools('systemd-socket-activate')(
    'the first datagram starts the server, and is answered as all others are',
    () => {
      const addresses = ['192.0.2.7', '192.0.2.1', '2001:db8:a::7', '2001:db8:a::1'];
      expect(network('systemd')).toEqual(addresses.map((address) => `${address} hello ${address}`));
    },
  );

  withTools('systemd-analyze')('systemd has nothing to say against the units', () => {
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', 'examples/systemd/echo.socket'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => /echo\./.test(line));
    // The program of the unit is not installed here.
    expect(lines.filter((line) => !/not executable|No such file/.test(line))).toEqual([]);
  });
});
