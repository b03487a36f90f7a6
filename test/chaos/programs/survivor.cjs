/**
 * A program that handles its errors: a server and a client, that try again until a hundred datagrams have gone there and
 * back. `node survivor.cjs [recvfromto | dgram]`. Says how many errors it has met; ends with 3 where it gives up.
 */
const name = process.argv[2] ?? 'recvfromto';
const { createSocket } = require(name === 'dgram' ? 'node:dgram' : 'recvfromto');

const WANTED = 100;
const met = {};
let back = 0;
let client;
let server;

const note = (error) => {
  met[error?.code] = (met[error?.code] ?? 0) + 1;
};

function open(onMessage) {
  return new Promise((done) => {
    const attempt = () => {
      let socket;
      const again = (error) => {
        note(error);
        try {
          socket?.close();
        } catch {} // it never came so far
        setTimeout(attempt, 5);
      };
      try {
        socket = createSocket({ type: 'udp4', recvBufferSize: undefined });
        socket.once('error', again);
        socket.bind(0, '127.0.0.1', () => {
          socket.removeListener('error', again);
          socket.on('error', note);
          socket.on('message', (msg, rinfo) => onMessage(socket, msg, rinfo));
          done(socket);
        });
      } catch (error) {
        again(error);
      }
    };
    attempt();
  });
}

const guarded = (call) => {
  try {
    call();
  } catch (error) {
    note(error);
  }
};

(async () => {
  const limit = setTimeout(
    () => {
      console.log(JSON.stringify({ back, met }));
      process.exit(3);
    },
    Number(process.env.SURVIVOR_MS ?? 15_000),
  );
  server = await open((socket, msg, rinfo) => {
    guarded(() => {
      if (socket.reply) socket.reply(msg, rinfo, (error) => error && note(error));
      else socket.send(msg, rinfo.port, rinfo.address, (error) => error && note(error));
    });
  });
  client = await open(() => {
    back++;
  });
  let port;
  const ask = () => {
    if (back >= WANTED) {
      console.log(JSON.stringify({ back, met }));
      client.close();
      server.close();
      clearTimeout(limit);
      return;
    }
    guarded(() => {
      port ??= server.address().port;
      for (let i = 0; i < 10; i++) client.send('x', port, '127.0.0.1', (error) => error && note(error));
      client.setTTL(9);
    });
    setTimeout(ask, 2);
  };
  ask();
})();
