// What opening the host gives where Node's permission model is on, and what node:dgram gives.
'use strict';
const dgram = require('node:dgram');

let ours = { code: 'opened' };
try {
  require('./udp.cjs');
} catch (error) {
  ours = { code: error.code, message: error.message };
}
const theirs = dgram.createSocket('udp4');
theirs.on('error', ({ code }) => console.log(JSON.stringify({ ours, dgram: code })));
theirs.bind(0, '127.0.0.1', () => {
  theirs.close();
  console.log(JSON.stringify({ ours, dgram: 'opened' }));
});
