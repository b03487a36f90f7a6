// How often is koffi's binary loaded in a process that uses koffi as well? Whoever comes later has to get the same.
//   node one-koffi.cjs FIRST FOLDER      FIRST: koffi or recvfromto   FOLDER: where node_modules is
const { createRequire } = require('node:module');
const { basename, join } = require('node:path');

const [first, folder] = process.argv.slice(2);
const loaded = [];
const { dlopen } = process;
process.dlopen = (module, file, ...more) => {
  loaded.push(basename(file));
  return dlopen.call(process, module, file, ...more);
};

const near = createRequire(join(folder, 'program.js'));
const users = {
  koffi: () => near('koffi').sizeof('int'),
  recvfromto: () => require(join(process.env.RECVFROMTO_COMPILED, 'index.js')).createSocket('udp4').close(),
};
const second = first === 'koffi' ? 'recvfromto' : 'koffi';
users[first]();
users[second]();
console.log(loaded.join(' '));
