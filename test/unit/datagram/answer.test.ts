import { mismatch, unanswerableBecause } from '../../../src/datagram/answer';
import { Channel } from '../../../src/datagram/channel';
import { Engine } from '../../../src/datagram/engine';
import { FakeHost } from '../../support/fake-host';
import { linux64 } from '../../support/layouts';

const host = new FakeHost(linux64);
host.syscalls.interfaces.set(2, 'eth0');
const engine = new Engine(host);
const { names } = engine;
const channel = new Channel(engine, 'dual');
const end = (text: string) => names.endpoint(text)!;

test.each([
  ['192.0.2.1', '192.0.2.9', undefined],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.9', undefined],
  ['::ffff:192.0.2.1', '192.0.2.9', undefined],
  ['2001:db8::1', '2001:db8::9', undefined],
  ['192.0.2.1', '2001:db8::9', 'an IPv6 peer needs an IPv6 source'],
  ['2001:db8::1', '::ffff:192.0.2.9', 'an IPv4 peer needs an IPv4 source'],
  ['2001:db8::1', '192.0.2.9', 'an IPv4 peer needs an IPv4 source'],
  ['0.0.0.0', '192.0.2.9', 'an unspecified address is no source'],
  ['::', '2001:db8::9', 'an unspecified address is no source'],
  ['::ffff:0.0.0.0', '::ffff:192.0.2.9', 'an unspecified address is no source'],
  ['239.1.2.3', '192.0.2.9', 'a multicast or broadcast address is no source'],
  ['ff02::1', '2001:db8::9', 'a multicast or broadcast address is no source'],
  ['255.255.255.255', '192.0.2.9', 'a multicast or broadcast address is no source'],
  ['fe80::1', '2001:db8::9', 'a link-local source needs a zone, as in fe80::1%eth0'],
  ['fe80::1', 'fe80::9%eth0', undefined],
  ['fe80::1%eth0', '2001:db8::9', undefined],
  ['fe80::1%eth0', 'fe80::9%lo', 'they are on different links'],
  ['fe80::1%eth0', 'fe80::9%eth0', undefined],
])('from %s to %s: %s', (source, remote, why) => {
  expect(mismatch(end(source), end(remote))).toBe(why);
});

test.each([
  ['192.0.2.9', 53, undefined],
  ['2001:db8::9', 53, undefined],
  ['192.0.2.9', 0, 'port 0 takes no datagrams'],
  ['0.0.0.0', 68, 'its address is unspecified'],
  ['::', 68, 'its address is unspecified'],
  ['224.0.0.251', 5353, 'its address is a multicast group'],
  ['ff02::fb', 5353, 'its address is a multicast group'],
  ['255.255.255.255', 53, 'its address is a broadcast address'],
  ['::ffff:255.255.255.255', 53, 'its address is a broadcast address'],
])('%s port %i is not answered because %s', (remote, port, why) => {
  expect(unanswerableBecause(channel, end(remote), port)).toBe(why);
});
