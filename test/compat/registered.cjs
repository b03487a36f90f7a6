/** node:dgram as a program finds it that was started with `--import recvfromto/register`. */
require('../../dist/register.js');
module.exports = require('node:dgram');
