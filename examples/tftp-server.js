/**
 * A TFTP server (RFC 1350; blksize and tsize of RFC 2347–2349), for reading. Each transfer has a socket and a port of its
 * own, and that socket is bound to the address that the client asked: from another one the client, and every firewall on
 * the way, would refuse the file.
 *
 *     sudo node examples/tftp-server.js DIRECTORY [port]
 */
const { createServer, createSocket } = require('recvfromto');
const { readFileSync, realpathSync } = require('node:fs');
const { resolve, sep } = require('node:path');

const [RRQ, WRQ, DATA, ACK, ERROR, OACK] = [1, 2, 3, 4, 5, 6];
const [NOT_FOUND, DENIED, ILLEGAL] = [1, 2, 4];
const RETRY = 1000; // ms
const TRIES = 5;
const TRANSFERS = 100; // at once; whoever asks for more asks again

const root = realpathSync(process.argv[2] ?? '.');
const running = new Set();

const server = createServer((request, rinfo) => {
  const key = `${rinfo.address} ${rinfo.port}`;
  if (request.length < 4 || running.has(key) || running.size >= TRANSFERS) return; // it asks again when it hears nothing
  const opcode = request.readUInt16BE();
  if (opcode !== RRQ && opcode !== WRQ) return;
  running.add(key);
  const type = rinfo.family === 'IPv4' ? 'udp4' : 'udp6';
  const socket = createSocket(type);
  socket.once('close', () => running.delete(key));
  socket.on('error', () => socket.close()); // also that the client is no longer there
  // The heart of it: not 'any address', which would leave the choice to routing.
  socket.bind(0, rinfo.localAddress, () => {
    socket.connect(rinfo.port, rinfo.address, () => {
      try {
        transfer(socket, opcode, request.toString('latin1', 2).split('\0'));
      } catch (error) {
        refuse(socket, error.code === 'ENOENT' ? NOT_FOUND : DENIED, 'not to be had');
      }
    });
  });
});

function transfer(socket, opcode, [name, mode, ...options]) {
  if (opcode === WRQ) return refuse(socket, DENIED, 'read only');
  const text = mode?.toLowerCase() === 'netascii';
  if (!text && mode?.toLowerCase() !== 'octet') return refuse(socket, ILLEGAL, 'octet or netascii');
  const file = realpathSync(resolve(root, `.${sep}${name}`));
  if (!file.startsWith(root + sep)) return refuse(socket, DENIED, 'not in here');
  const content = text ? netascii(readFileSync(file, 'latin1')) : readFileSync(file);

  const granted = [];
  let size = 512;
  for (let i = 0; i + 1 < options.length; i += 2) {
    const option = options[i].toLowerCase();
    if (option === 'blksize' && Number(options[i + 1]) >= 8) {
      size = Math.min(Number(options[i + 1]), 1428); // fits into an Ethernet frame
      granted.push(option, size);
    }
    if (option === 'tsize') granted.push(option, content.length);
  }
  let block = granted.length > 0 ? 0 : 1;
  let tries = 0;
  let timer;
  const last = Math.floor(content.length / size) + 1; // shorter than the others, if need be empty
  const send = () => {
    clearTimeout(timer);
    if (++tries > TRIES) return socket.close();
    timer = setTimeout(send, RETRY);
    if (block === 0) return socket.send([header(OACK), Buffer.from(granted.map((word) => `${word}\0`).join(''))]);
    return socket.send([header(DATA, block & 0xffff), content.subarray((block - 1) * size, block * size)]);
  };
  socket.once('close', () => clearTimeout(timer));
  socket.on('message', (answer) => {
    if (answer.length < 4 || answer.readUInt16BE() === ERROR) return socket.close();
    // An ACK of an earlier block is left alone: answering it would double everything from here on (RFC 1123 §4.2.3.1).
    if (answer.readUInt16BE() !== ACK || answer.readUInt16BE(2) !== (block & 0xffff)) return undefined;
    if (block === last) return socket.close();
    block++;
    tries = 0;
    return send();
  });
  return send();
}

const netascii = (text) =>
  Buffer.from(
    text.replace(/\n|\r/g, (end) => (end === '\n' ? '\r\n' : '\r\0')),
    'latin1',
  );

function refuse(socket, code, text) {
  socket.send([header(ERROR, code), Buffer.from(`${text}\0`)], () => socket.close());
}

function header(...numbers) {
  const bytes = Buffer.alloc(2 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt16BE(number, 2 * i);
  return bytes;
}

server.listen(Number(process.argv[3] ?? 69), () => console.log(`listening on port ${server.address().port}`));
