/**
 * Servers as the packages' own manuals show them: `node servers.cjs NAME JSON`, with { port, address, type }. None knows
 * of recvfromto; whether it is there depends on how this process was started.
 */
const [, , name, json] = process.argv;
const { port, address, type, root } = JSON.parse(json);

/** Answers that take their time, as a database or an upstream would. */
const late = (answer) => setTimeout(answer, 80);

const servers = {
  dns2() {
    const dns2 = require('dns2');
    const handle = (request, send) => {
      const response = dns2.Packet.createResponseFromRequest(request);
      const [{ name }] = request.questions;
      response.answers.push({ name, type: 1, class: 1, ttl: 1, address: '192.0.2.1' });
      late(() => send(response));
    };
    dns2.createServer({ udp: { type }, handle }).listen({ udp: { port, address, type } });
  },
  dnsd() {
    require('dnsd')
      .createServer((_request, response) => late(() => response.end('192.0.2.1')))
      .listen(port, address);
  },
  'native-dns'() {
    const dns = require('native-dns');
    const server = dns.createServer({ dgram_type: type });
    server.on('request', ({ question: [{ name }] }, response) => {
      response.answer.push(dns.A({ name, address: '192.0.2.1', ttl: 1 }));
      late(() => response.send());
    });
    server.serve(port, address);
  },
  coap() {
    const { createServer } = require('coap');
    createServer({ type }, (_request, response) => late(() => response.end('hello'))).listen(port);
  },
  tftp() {
    require('tftp').createServer({ host: address, port, root, denyPUT: true }).listen();
  },
  sip() {
    const sip = require('sip');
    sip.start({ port, address, tcp: false }, (request) => late(() => sip.send(sip.makeResponse(request, 200, 'OK'))));
  },
  stun() {
    const stun = require('stun');
    const { STUN_BINDING_RESPONSE, STUN_EVENT_BINDING_REQUEST } = stun.constants;
    const server = stun.createServer({ type });
    server.on(STUN_EVENT_BINDING_REQUEST, (request, rinfo) => {
      const message = stun.createMessage(STUN_BINDING_RESPONSE, request.transactionId);
      message.addXorAddress(rinfo.address, rinfo.port);
      server.send(message, rinfo.port, rinfo.address);
    });
    server.listen(port, address);
  },
  osc() {
    const osc = require('osc');
    const udp = new osc.UDPPort({ localAddress: address, localPort: port, metadata: true });
    udp.on('message', (message, _tag, info) => late(() => udp.send(message, info.address, info.port)));
    udp.open();
  },
  'osc-js'() {
    const OSC = require('osc-js');
    const osc = new OSC({ plugin: new OSC.DatagramPlugin() });
    osc.on('/echo', ({ args }, { address: host, port }) => {
      late(() => osc.send(new OSC.Message('/echo', ...args), { host, port }));
    });
    osc.open({ host: address, port });
  },
  dinodns() {
    const { DefaultServer, DNSOverUDP } = require('dinodns').common;
    const server = new DefaultServer({ networks: [new DNSOverUDP({ address, port })] });
    server.handle('*.test', (request, response) => {
      const [{ name }] = request.packet.questions;
      late(() => response.answer({ name, type: 'A', class: 'IN', ttl: 1, data: '192.0.2.1' }));
    });
    server.start(() => {});
  },
  enet() {
    const { createServer } = require('enet');
    createServer({ address: { address, port }, peers: 64, channels: 1 }, (error, host) => {
      if (error) throw error;
      host.start(20);
    });
  },
  utp() {
    require('utp')
      .createServer((connection) => connection.on('error', () => {}))
      .listen(port);
  },
  async '@matter/nodejs'() {
    const { NodeJsUdpSocket } = require('@matter/nodejs');
    const socket = await NodeJsUdpSocket.create({
      type: type === 'udp6' ? 'udp' : type,
      listeningPort: port,
      listeningAddress: address,
    });
    socket.onData((_interface, peer, peerPort, data) => late(() => socket.send(peer, peerPort, data)));
  },
  'multicast-dns'() {
    const mdns = require('multicast-dns')({ port, type, loopback: false });
    mdns.on('query', ({ questions: [{ name }] }, rinfo) => {
      late(() => mdns.respond({ answers: [{ name, type: 'A', ttl: 1, data: '192.0.2.1' }] }, rinfo));
    });
  },
  'net-snmp'() {
    const options = { port, address, transport: type, disableAuthorization: true };
    require('net-snmp').createAgent(options, () => {});
  },
  bacstack() {
    const Client = require('bacstack');
    const client = new Client({ port, interface: address });
    client.on('readProperty', ({ address, invokeId, request: { objectId, property } }) => {
      late(() => client.readPropertyResponse(address, invokeId, objectId, property, [{ type: 7, value: 'hello' }]));
    });
  },
  'node-bacnet'() {
    const Client = require('node-bacnet');
    const client = new Client({ port, interface: address });
    client.on('readProperty', ({ header, invokeId, payload: { objectId, property } }) => {
      late(() =>
        client.readPropertyResponse(header.sender, invokeId, objectId, property, [{ type: 7, value: 'hello' }]),
      );
    });
  },
  'k-rpc-socket'() {
    const rpc = require('k-rpc-socket')();
    rpc.on('query', (query, node) => late(() => rpc.response(node, query, { id: Buffer.alloc(20) })));
    rpc.bind(port);
  },
  async 'bittorrent-dht'() {
    const { Client } = await import('bittorrent-dht');
    new Client({ bootstrap: false }).listen(port);
  },
  'bittorrent-tracker'() {
    const { Server } = require('bittorrent-tracker');
    new Server({ udp: true, http: false, ws: false, stats: false }).listen(port);
  },
  'node-turn'() {
    const Turn = require('node-turn');
    new Turn({ listeningPort: port, listeningIps: [address], authMech: 'none', debugLevel: 'OFF' }).start();
  },
  radius() {
    require('radius/examples/auth_server.js'); // on its port, 1812
  },
  'node-ssdp'() {
    const { Server } = require('node-ssdp');
    const server = new Server({ location: 'http://192.0.2.1/', sourcePort: port, ssdpPort: port });
    server.addUSN('upnp:rootdevice');
    server.start();
  },
  'jsp-raknet'() {
    const { Server } = require('jsp-raknet');
    new Server(address, port, { toString: () => 'MCPE;hello' }).listen();
  },
  async 'dgram-as-promised'() {
    const { default: DgramAsPromised } = require('dgram-as-promised');
    const socket = DgramAsPromised.createSocket(type);
    socket.socket.on('message', async (msg, rinfo) => {
      await new Promise(late);
      await socket.send(msg, 0, msg.length, rinfo.port, rinfo.address);
    });
    await socket.bind(port, address);
  },
  dhcp() {
    const server = require('dhcp').createServer({
      range: ['10.77.0.200', '10.77.0.220'],
      netmask: '255.255.255.0',
      broadcast: '10.77.0.255',
      server: '10.77.0.1',
    });
    server.listen(port, address);
  },
};

servers[name]();
