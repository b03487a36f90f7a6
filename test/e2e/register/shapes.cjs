/**
 * Servers as programs in the field are shaped, none of which knows of recvfromto: `node shapes.cjs NAME` listens on all
 * addresses, says its port, and answers every datagram with its own text.
 */
const dgram = require('node:dgram');
const { inherits } = require('node:util');
// biome-ignore lint/style/useNodejsImportProtocol: as older programs spell it
const old = require('dgram');
const captured = old.createSocket;

const late = (answer) => setTimeout(answer, 80);
const tell = (socket) => socket.on('listening', () => console.log(socket.address().port));
const echo = (socket) => tell(socket).on('message', (msg, { port, address }) => socket.send(msg, port, address));

const shapes = {
  plain() {
    echo(dgram.createSocket('udp4')).bind();
  },
  subclass() {
    class Server extends dgram.Socket {
      constructor() {
        super({ type: 'udp4', reuseAddr: true });
        this.on('message', this.answer);
      }
      answer(msg, rinfo) {
        this.send(msg, 0, msg.length, rinfo.port, rinfo.address);
      }
    }
    const server = new Server();
    if (!(server instanceof dgram.Socket) || server.constructor !== Server) throw new Error('no Socket');
    tell(server).bind(0);
  },
  inherits() {
    function Server() {
      dgram.Socket.call(this, 'udp4');
      echo(this);
    }
    inherits(Server, dgram.Socket);
    new Server().bind(0);
  },
  instanceOf() {
    const socket = dgram.createSocket('udp4');
    if (!(socket instanceof dgram.Socket) || !(socket instanceof old.Socket)) throw new Error('no Socket');
    if (socket.constructor !== dgram.Socket) throw new Error('another constructor');
    echo(socket).bind();
  },
  bound() {
    echo(dgram.createSocket.bind(null, { type: 'udp4' })()).bind(0);
  },
  captured() {
    echo(captured({ type: 'udp4' })).bind();
  },
  optionsWithToString() {
    echo(dgram.createSocket({ type: 'udp4', reuseAddr: true, toString: () => 'udp4' })).bind();
  },
  inheritedOptions() {
    class Options {
      get type() {
        return 'udp4';
      }
    }
    echo(dgram.createSocket(new Options())).bind();
  },
  bindNull() {
    echo(dgram.createSocket('udp4')).bind(0, null);
  },
  late() {
    const socket = dgram.createSocket('udp4', (msg, { port, address }) =>
      late(() => socket.send(msg, 0, msg.length, port, address)),
    );
    tell(socket).bind(0);
  },
  latePromise() {
    const socket = dgram.createSocket('udp4', async (msg, { port, address }) => {
      await new Promise(late);
      await null;
      socket.send([msg], port, address, () => {});
    });
    tell(socket).bind(0);
  },
  named() {
    const lookup = (name, _options, callback) =>
      setImmediate(callback, null, name === 'client' ? '127.0.0.1' : name, 4);
    const socket = dgram.createSocket({ type: 'udp4', lookup }, (msg, { port }) => socket.send(msg, port, 'client'));
    tell(socket).bind(0);
  },
  withoutAddress() {
    const socket = dgram.createSocket('udp4', (msg, { port }) => socket.send(msg, port));
    tell(socket).bind(0);
  },
  socketPerTransfer() {
    const server = dgram.createSocket('udp4', (msg, { port, address }) => {
      const transfer = dgram.createSocket('udp4');
      transfer.bind(() => transfer.send(msg, port, address, () => transfer.close()));
    });
    tell(server).bind(0);
  },
  connectedPerClient() {
    const server = dgram.createSocket({ type: 'udp4', reuseAddr: true }, (msg, { port, address }) => {
      const client = dgram.createSocket({ type: 'udp4', reuseAddr: true });
      client.bind(server.address().port, () =>
        client.connect(port, address, () => client.send(msg, () => client.close())),
      );
    });
    tell(server).bind(0);
  },
  session() {
    const server = dgram.createSocket({ type: 'udp4', reuseAddr: true }, (first, { port, address }) => {
      const client = dgram.createSocket({ type: 'udp4', reuseAddr: true });
      let count = 0;
      client.on('message', (msg) => client.send(`${msg} ${++count}`));
      client.bind(server.address().port, () => client.connect(port, address, () => client.send(`${first} ${++count}`)));
    });
    tell(server).bind(0);
  },
  dual() {
    echo(dgram.createSocket('udp6')).bind();
  },
  dualThenIPv4() {
    const server = dgram.createSocket('udp6', (msg, { port, address }) => {
      const other = dgram.createSocket('udp4');
      other.send(msg, port, address.replace('::ffff:', ''), () => other.close());
    });
    tell(server).bind(0);
  },
};

shapes[process.argv[2]]();
setTimeout(() => process.exit(3), 20_000).unref();
process.stdin.on('end', () => process.exit()).resume();
