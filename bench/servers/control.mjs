// What every JavaScript server under test has in common: its arguments (key=value), and commands on stdin, one a line,
// each answered by one line of JSON. Plain JavaScript that Node, Bun and Deno run as it is.
//
//   family=4|6|dual   mode=echo|count   answer=reply|send   sockets=N (0: none, the bare runtime)   gro=1
//   stats                                       → {"received":N}
//   send how=one|many size= port= peers= ms=    → {"sent":N}
//   profile kind=cpu|heap ms= file=             → {"file":…}, Node only
//   quit
import process from 'node:process';

export const HOST = { 4: '0.0.0.0', 6: '::', dual: '::' };
export const counters = { received: 0 };

/** Datagrams that may wait for their callbacks, or be handed over in one call. */
const WINDOW = 64;

function words(list) {
  return Object.fromEntries(list.map((word) => word.split('=')));
}

/** The i-th of many addresses in 127/8; as native/common.h. */
function peerAddress(i) {
  return `127.${1 + Math.floor(i / 64000)}.${Math.floor((i % 64000) / 250)}.${(i % 250) + 1}`;
}

function targets(port, peers) {
  if (peers <= 1) return [{ port, address: '127.0.0.1' }];
  return Array.from({ length: peers }, (_, i) => ({ port, address: peerAddress(i) }));
}

/** Sends windows of datagrams until the time is over; `send(msg, targets)` resolves when they have left. */
async function sendFor(send, { size = '100', port, peers = '1', ms = '300' }) {
  const msg = new Uint8Array(Number(size)).fill(120);
  const all = targets(Number(port), Number(peers));
  const windows = Array.from({ length: Math.ceil(Math.max(all.length, WINDOW) / WINDOW) }, (_, w) =>
    Array.from({ length: WINDOW }, (_, i) => all[(w * WINDOW + i) % all.length]),
  );
  const until = performance.now() + Number(ms);
  let sent = 0;
  for (let w = 0; performance.now() < until; w = (w + 1) % windows.length) {
    await send(msg, windows[w]);
    sent += WINDOW;
  }
  return { sent };
}

/**
 * @param subject `open(options)` → port of one more socket that echoes or counts; `send`, how → function (msg, targets)
 */
export async function serve(subject) {
  const options = { family: '4', mode: 'echo', answer: 'reply', sockets: '1', ...words(process.argv.slice(2)) };
  const ports = [];
  for (let i = 0; i < Number(options.sockets); i++) ports.push(await subject.open(options));
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  const obey = async (line) => {
    const [command, ...rest] = line.split(' ');
    const given = words(rest);
    if (command === 'stats') say(counters);
    else if (command === 'send') say(await sendFor(subject.send[given.how ?? 'one'], given));
    else if (command === 'profile') say(await (await import('./record.mjs')).record(given));
    else process.exit(0);
  };
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text) => {
    for (const line of text.split('\n')) if (line !== '') obey(line);
  });
  process.stdin.on('end', () => process.exit(0));
  say({ ports });
}
