/**
 * A server whose sockets systemd opens (sd_listen_fds(3)): it needs no rights to bind a low port, and what comes while it
 * starts or restarts waits in the kernel. echo.socket and echo.service beside this file belong to it. Without them:
 *
 *     systemd-socket-activate --datagram -l 0.0.0.0:5300 node examples/systemd/server.js
 */
const { createSocket } = require('recvfromto');
const { getsockname } = require('recvfromto/libc');

const FIRST = 3; // SD_LISTEN_FDS_START

/** The descriptors that were passed to this process; not to one that has started it. */
function passed() {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  // Children of ours must not take them for theirs.
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
  if (Number(LISTEN_PID) !== process.pid) return [];
  return Array.from({ length: Number(LISTEN_FDS) }, (_, i) => FIRST + i);
}

const descriptors = passed();
if (descriptors.length === 0) {
  console.error('systemd has passed no socket: start echo.socket, or use systemd-socket-activate');
  process.exitCode = 1;
}
for (const fd of descriptors) {
  const { address, family, port } = getsockname(fd);
  const socket = createSocket(family === 'IPv4' ? 'udp4' : 'udp6');
  socket.on('message', (msg, rinfo) => {
    console.log(`${rinfo.address} asked ${rinfo.destination?.address}`);
    socket.reply(msg, rinfo);
  });
  socket.on('error', (error) => console.error(error.message));
  socket.bind({ fd }); // takes it over: close() closes it
  console.log(`listening on ${address} port ${port}`);
}
