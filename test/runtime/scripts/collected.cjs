// node --expose-gc --allow-natives-syntax collected.cjs
// Prints whether what V8 has compiled for rinfos is still there after a garbage collection that found none of them.
'use strict';
const dgram = require('node:dgram');
const { join } = require('node:path');

require(join(process.env.RECVFROMTO_COMPILED, 'register.js'));

const compile = new Function('f', '%PrepareFunctionForOptimization(f)');
const optimize = new Function('f', '%OptimizeFunctionOnNextCall(f)');
const statusOf = new Function('f', 'return %GetOptimizationStatus(f)');

/** What a listener may do with it, compiled for what a rinfo looks like. */
const read = (rinfo) => rinfo.address.length + rinfo.port;

const socket = dgram.createSocket('udp4');
let heard = 0;
compile(read);
socket.on('message', (_, rinfo) => {
  if (++heard === 3) optimize(read);
  read(rinfo);
  if (heard < 4) ask();
  else setTimeout(collect, 10);
});
const ask = () => socket.send('?', socket.address().port, '127.0.0.1');
socket.bind(0, '127.0.0.1', ask);

function collect() {
  const before = statusOf(read);
  for (let i = 0; i < 8; i++) gc(); // V8 keeps a hidden class for a few of them
  console.log(before === statusOf(read));
  socket.close();
}
