// refused.cjs <folder of the built package>: prints the code of the error that createSocket throws, or "opened".
'use strict';
const { createSocket } = require(require('node:path').resolve(process.argv[2]));
try {
  createSocket('udp4').close();
  console.log('opened');
} catch (error) {
  console.log(error.code);
}
