// As first-answer.cjs, with Bun.udpSocket, which is part of the runtime.
import { writeSync } from 'node:fs';

const socket = await Bun.udpSocket({
  hostname: '0.0.0.0',
  port: 0,
  socket: {
    data(from, msg, port, address) {
      from.send(msg, port, address);
      const { user, system } = process.cpuUsage();
      writeSync(1, `${JSON.stringify({ importMs: 0, importCpuMs: 0, cpuMs: (user + system) / 1000 })}\n`);
      process.exit(0);
    },
  },
});
writeSync(1, `${JSON.stringify({ port: socket.port })}\n`);
