/**
 * The examples that need networks: each in a few hosts made of namespaces (networks/*.sh), asked by python3. Needs root
 * or user namespaces, ip(8) and python3; where these are missing the tests are skipped, which fails in CI.
 */
import { missing, network } from './network';

const onNetworks = missing === undefined ? describe : describe.skip;

test('namespaces are there, or this is not CI', () => {
  if (process.env.CI === 'true') expect(missing).toBeUndefined();
});

onNetworks('examples in networks', () => {
  test('virtual-address.js: the answer carries the virtual address and does not pass the balancer', () => {
    const [answer, forwarded] = network('virtual-address');
    expect(JSON.parse(answer as string)).toEqual({ answer: '192.0.2.10: hello' });
    expect(Number(forwarded)).toBe(1);
  });

  test('anycast.js: both hosts answer as the anycast address, and each as itself', () => {
    const [answers] = network('anycast');
    expect(JSON.parse(answers as string)).toEqual({
      anycast: ['host-a as 192.0.2.53', 'host-b as 192.0.2.53'],
      own: ['host-a as 198.51.100.2', 'host-b as 203.0.113.2'],
    });
  });

  test('mdns-responder.js: answers the group in the group and others to themselves, and hears nothing else', () => {
    const [answers] = network('mdns');
    expect(JSON.parse(answers as string)).toEqual({
      group: { from: '192.0.2.1', data: '192.0.2.1', id: 0 },
      legacy: { from: '192.0.2.1', data: '192.0.2.1', id: 7 },
      unicast: null,
    });
  });
});
