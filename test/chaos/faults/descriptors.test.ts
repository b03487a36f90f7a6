/** bind({ fd }) with descriptors as parents hand them over: bound or not, of either family. Beside node:dgram. */
import { library, lines, program } from '../support/program';

/** Opens sockets that nobody watches: through koffi, as dup(2) and socket(2) have no place in Node. */
const libc = `
const libc = require('koffi').load(null);
const open = libc.func('int socket(int, int, int)');
const bindTo = libc.func('int bind(int, const void *, uint32_t)');
const AF_INET = 2, AF_INET6 = 10, SOCK_DGRAM = 2;
const loopback = () => { const name = Buffer.alloc(16); name.writeUInt16LE(AF_INET); name.set([127, 0, 0, 1], 4); return name; };
/** → a bound IPv4 descriptor */
const bound4 = () => { const fd = open(AF_INET, SOCK_DGRAM, 0); bindTo(fd, loopback(), 16); return fd; };
const bound6 = () => { const fd = open(AF_INET6, SOCK_DGRAM, 0); const name = Buffer.alloc(28); name.writeUInt16LE(AF_INET6); bindTo(fd, name, 28); return fd; };
const modules = { dgram: dgram.createSocket, recvfromto: require('recvfromto').createSocket };
`;

test('a second socket with reuseAddr may bind beside an adopted descriptor, where it may with dgram', async () => {
  const ended = await program(`${libc}
    for (const [name, create] of Object.entries(modules)) {
      const one = create('udp4');
      one.bind({ fd: bound4(), exclusive: true });
      await turns(3);
      const other = create({ type: 'udp4', reuseAddr: true });
      other.bind(one.address().port, '127.0.0.1');
      say(name, await Promise.race([once(other, 'listening').then(() => 'binds'), once(other, 'error').then(([error]) => error.code)]));
      one.close();
      other.close();
    }
  `);
  const said = lines(ended);
  expect(said.map((line) => line.split(' ')[1])).toEqual([said[0]?.split(' ')[1], said[0]?.split(' ')[1]]);
});

test('an unbound descriptor: destination has the port that the kernel chose', async () => {
  const ended = await program(`${library} ${libc}
    const s = createSocket('udp4');
    s.bind({ fd: open(AF_INET, SOCK_DGRAM, 0), exclusive: true });
    const client = await bound(dgram.createSocket('udp4'));
    s.send('first', client.address().port, '127.0.0.1');
    const [, rinfo] = await once(client, 'message');
    client.send('back', rinfo.port, '127.0.0.1');
    const [, { destination }] = await once(s, 'message');
    say(destination.port === rinfo.port, s.address().port === rinfo.port);
    s.close();
    client.close();
  `);
  expect(lines(ended)).toEqual(['true true']);
});

test.each([
  ['udp6', 'bound4'],
  ['udp4', 'bound6'],
])('a socket of type %s with a descriptor of the other family (%s): what comes can be answered', async (type, make) => {
  const ended = await program(`${library} ${libc}
    const s = createSocket('${type}');
    s.on('error', (error) => say('error', error.code));
    s.bind({ fd: ${make}(), exclusive: true });
    await turns(3);
    const { port } = s.address();
    const client = await bound(dgram.createSocket('udp4'));
    s.on('message', (msg, rinfo) => s.reply(msg, rinfo, (error) => error && say('reply', error.code)));
    client.send('x', port, '127.0.0.1');
    const heard = Promise.race([once(client, 'message').then(([, rinfo]) => rinfo.port === port), when(() => false, 1000)]);
    say(await heard);
    process.exit(0);
  `);
  expect(lines(ended)).toEqual(['true']);
});

test.each(['-1', '65536'])('bind(%s) binds nowhere', bindsNowhere);
test.each(['40000.5', 'NaN', '{ port: NaN }'])('bind(%s) binds nowhere', bindsNowhere);

async function bindsNowhere(port: string): Promise<void> {
  const ended = await program(`${library}
    const s = createSocket('udp4');
    try {
      s.bind(${port});
      say('bound');
    } catch (error) {
      say(error.code);
    }
    process.exit(0);
  `);
  expect(lines(ended)).toEqual(['ERR_SOCKET_BAD_PORT']);
}
