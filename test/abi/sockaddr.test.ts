/** Golden bytes of socket addresses: the same 16 and 28 bytes on every system but for sa_len and AF_INET6. */
import { platformFor } from '../../src/platform';
import { targets } from './facts';

const families: Record<string, { in4: string; in6: string }> = {
  // sin_family; sin6_family. 16-bit, little-endian
  linux: { in4: '0200', in6: '0a00' },
  android: { in4: '0200', in6: '0a00' },
  win32: { in4: '0200', in6: '1700' },
  // sin_len sin_family; sin6_len sin6_family
  darwin: { in4: '1002', in6: '1c1e' },
  freebsd: { in4: '1002', in6: '1c1c' },
  openbsd: { in4: '1002', in6: '1c18' },
  netbsd: { in4: '1002', in6: '1c18' },
};

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  const { in4, in6 } = families[facts.os];

  test('sockaddr_in of 192.0.2.7:5300', () => {
    const { sockaddr_in } = platform.structs;
    const address = new sockaddr_in({
      ...(platform.saLen && { sin_len: sockaddr_in.size }),
      sin_family: platform.constants.AF_INET,
      sin_port: 5300,
      sin_addr: Buffer.from([192, 0, 2, 7]),
    });
    expect(address.ref().toString('hex')).toBe(`${in4}14b4c00002070000000000000000`);
  });

  test('sockaddr_in6 of [fe80::1%3]:5300, flow label 0x12345', () => {
    const { sockaddr_in6 } = platform.structs;
    const bytes = Buffer.from(`${in6}14b400012345fe80000000000000000000000000000103000000`, 'hex');
    const address = new sockaddr_in6({
      ...(platform.saLen && { sin6_len: sockaddr_in6.size }),
      sin6_family: platform.constants.AF_INET6,
      sin6_port: 5300,
      sin6_flowinfo: 0x12345,
      sin6_addr: Buffer.from('fe800000000000000000000000000001', 'hex'),
      sin6_scope_id: 3,
    });
    expect(address.ref().toString('hex')).toBe(bytes.toString('hex'));
    expect(new sockaddr_in6(bytes)).toMatchObject({ sin6_port: 5300, sin6_flowinfo: 0x12345, sin6_scope_id: 3 });
  });
});
