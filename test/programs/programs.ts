/** The programs: which package, how it is asked, on which families it listens, and by which groups it is found. */

import type { Question } from './questions';
import * as questions from './questions';

export interface Program {
  /** The package, and the server's name in servers.cjs. */
  readonly name: string;
  readonly protocol: string;
  readonly question: Question;
  /** 'udp6' on :: hears IPv4 too, as mapped addresses; 'both': one socket of each family, from the package itself. */
  readonly types: readonly ('udp4' | 'udp6' | 'both')[];
  /** Where it cannot be told. */
  readonly port?: number;
  /** It answers to its own port, whatever port the request came from. */
  readonly answersToOwnPort?: true;
  /** It answers from a port of its own for each request, so that no connected client can hear it. */
  readonly newPort?: true;
  /** Sent back to the asked address and the port of the answer; must be answered as well. */
  readonly reply?: string;
  /** It answers from a loop of its own, and not from where it hears: what one port asks of several addresses is not tried. */
  readonly polls?: true;
  /** A group or broadcast address that it is found by, which works without recvfromto as well. */
  readonly group?: { readonly to: string; readonly family: 4 | 6; readonly clientPort?: number };
  /** Requests to a unicast address are answered to everybody, or not at all. */
  readonly groupOnly?: true;
  /** It cannot answer link-local clients, with node:dgram either. */
  readonly noLinkLocal?: true;
  /** What its answers look like does not depend on the request: a burst cannot be told apart. */
  readonly anonymous?: true;
}

export const PROGRAMS: readonly Program[] = [
  { name: 'dns2', protocol: 'DNS', question: questions.dns, types: ['udp4', 'udp6'] },
  { name: 'dinodns', protocol: 'DNS', question: questions.dns, types: ['udp4'] },
  { name: 'dnsd', protocol: 'DNS', question: questions.dns, types: ['udp4'] },
  { name: 'native-dns', protocol: 'DNS', question: questions.dns, types: ['udp4', 'udp6'] },
  { name: 'coap', protocol: 'CoAP', question: questions.coap, types: ['udp4', 'udp6'] },
  // Acknowledging block 1 of two brings block 2: the client's next packets reach the transfer's own socket.
  {
    name: 'tftp',
    protocol: 'TFTP',
    question: questions.tftp,
    types: ['udp4', 'udp6'],
    newPort: true,
    reply: '00040001',
  },
  { name: 'sip', protocol: 'SIP', question: questions.sip, types: ['udp4', 'udp6'] },
  // It writes the client's address into its answer, and dies of a zone in it, with node:dgram as well.
  { name: 'stun', protocol: 'STUN', question: questions.stun, types: ['udp4', 'udp6'], noLinkLocal: true },
  { name: 'node-turn', protocol: 'TURN', question: questions.stun, types: ['udp4'] },
  { name: 'osc', protocol: 'OSC', question: questions.osc, types: ['udp4'] },
  { name: 'osc-js', protocol: 'OSC', question: questions.osc, types: ['udp4'] },
  // Its own loop answers, every 20 ms, for whatever has come: one client port is one remote to it.
  { name: 'enet', protocol: 'ENet', question: questions.enet, types: ['udp4'], polls: true },
  { name: 'utp', protocol: 'uTP', question: questions.utp, types: ['udp4'] },
  { name: '@matter/nodejs', protocol: 'echo', question: questions.echo, types: ['udp4', 'udp6'] },
  { name: 'net-snmp', protocol: 'SNMP', question: questions.snmp, types: ['udp4', 'udp6'] },
  { name: 'bacstack', protocol: 'BACnet', question: questions.bacnet, types: ['udp4'], answersToOwnPort: true },
  { name: 'node-bacnet', protocol: 'BACnet', question: questions.bacnet, types: ['udp4'] },
  { name: 'k-rpc-socket', protocol: 'KRPC', question: questions.dht, types: ['udp4'] },
  { name: 'bittorrent-dht', protocol: 'BitTorrent DHT', question: questions.dht, types: ['udp4'] },
  { name: 'bittorrent-tracker', protocol: 'BitTorrent tracker', question: questions.tracker, types: ['both'] },
  { name: 'radius', protocol: 'RADIUS', question: questions.radius, types: ['udp4'], port: 1812 },
  { name: 'jsp-raknet', protocol: 'RakNet', question: questions.raknet, types: ['udp4'] },
  { name: 'dgram-as-promised', protocol: 'echo', question: questions.echo, types: ['udp4', 'udp6'] },
  {
    name: 'multicast-dns',
    protocol: 'mDNS',
    question: questions.dns,
    types: ['udp4'],
    port: 5353,
    group: { to: '224.0.0.251', family: 4 },
  },
  {
    name: 'node-ssdp',
    protocol: 'SSDP',
    question: questions.ssdp,
    types: ['udp4'],
    port: 1900,
    group: { to: '239.255.255.250', family: 4 },
    anonymous: true,
  },
  {
    name: 'dhcp',
    protocol: 'DHCP',
    question: questions.dhcp,
    types: ['udp4'],
    port: 67,
    group: { to: '255.255.255.255', family: 4, clientPort: 68 },
    groupOnly: true,
  },
];
