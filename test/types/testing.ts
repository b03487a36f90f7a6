/** What tsc has to say of recvfromto/testing. Checked by `npm run lint`, never run. */
import type dgram from 'node:dgram';
import type { createServer, createSocket } from '../../src/index';
import { createNetwork, type NetworkHost, type Packet } from '../../src/testing';

const network = createNetwork({
  hosts: { server: ['10.0.0.1', '2001:db8::1'], client: '10.0.0.9', router: { lan: '10.1.0.1', wan: ['10.2.0.1'] } },
  loss: 0.1,
  lose: ({ number, msg }: Packet) => number > 1 && msg.length > 3,
});

// Hosts are known by name.
const host: NetworkHost = network.hosts.server;
network.createSocket('client', 'udp4');
network.link('client', 'server', { loss: 0.5 }, { oneWay: true });
network.partition(['client'], ['server', 'router']);
// @ts-expect-error no host of that name
network.createSocket('nobody', 'udp4');
// @ts-expect-error no host of that name
network.hosts.nobody;
// @ts-expect-error no setting of that name
network.link('client', 'server', { losses: 0.5 });

// A host stands for the module, and its sockets for dgram's.
const functions: { createSocket: typeof createSocket; createServer: typeof createServer } = host;
const socket: dgram.Socket = functions.createSocket({ type: 'udp4', recvTTL: true });
socket.close();

// @ts-expect-error the log is for reading
network.log[0].fate = 'lost';
