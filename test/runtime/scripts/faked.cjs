// faked.cjs
// Is loaded when somebody has already put fake timers where Node's are, and echoes.
'use strict';
const { join } = require('node:path');
const { mock } = require('node:test');
const hard = setTimeout(() => process.exit(3), 5000);
const clear = clearTimeout;
mock.timers.enable();
const { createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));

const server = createSocket('udp4', (msg, rinfo) => server.reply(msg, rinfo));
const client = createSocket('udp4', (msg) => {
  process.stdout.write(String(msg));
  client.close();
  server.close(() => clear(hard));
});
server.bind(0, '127.0.0.1', () => client.send('echo', server.address().port, '127.0.0.1'));
