// On Linux, in another network namespace: asks each address of the server and looks where the answer comes from.
// node replies-client.cjs RESULTS: writes what Jest's --json would.
'use strict';
const dgram = require('node:dgram');
const { writeFileSync } = require('node:fs');

const IPV4 = ['10.77.0.1', '10.77.0.2', '10.77.0.3'];
const IPV6 = ['fd77::1', 'fd77::2', 'fd77::3'];
const TWO = 5300; // createServer's two sockets
const DUAL = 5301;

/** `from`: where the answer has to come from; the asked address where it is not given. */
const questions = [
  ...[...IPV4, ...IPV6].map((to) => ({ to, port: TWO })),
  ...[...IPV4, ...IPV6].map((to) => ({ to, port: DUAL })),
  { to: '10.77.0.255', port: TWO, from: '10.77.0.1' },
  { to: '255.255.255.255', port: TWO, from: '10.77.0.1' },
  { to: '239.77.0.1', port: TWO, from: '10.77.0.1' },
  { to: '10.77.0.255', port: DUAL, from: '10.77.0.1' },
];

function ask({ to, port }) {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket(to.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => reject(new Error('no answer')), 3000);
    socket.on('error', reject);
    socket.on('message', (msg, { address }) => {
      clearTimeout(timer);
      socket.close();
      resolve({ ...JSON.parse(String(msg)), from: address });
    });
    socket.bind(0, () => {
      socket.setBroadcast(true);
      socket.send(`to ${to}`, port, to);
    });
  });
}

async function check(question) {
  const { to, port, from = to } = question;
  const fullName = `a datagram to ${to}:${port} is answered from ${from}`;
  try {
    const answer = await ask(question);
    const seen = port === DUAL && !to.includes(':') ? `::ffff:${to}` : to;
    const wrong = Object.entries({ asked: `to ${to}`, destination: seen, from }).filter(
      ([key, value]) => answer[key] !== value,
    );
    if (wrong.length > 0) throw new Error(`expected ${JSON.stringify(wrong)}, got ${JSON.stringify(answer)}`);
    return { status: 'passed', fullName, failureMessages: [] };
  } catch (error) {
    return { status: 'failed', fullName, failureMessages: [String(error)] };
  }
}

(async () => {
  const assertionResults = [];
  for (const question of questions) assertionResults.push(await check(question));
  const count = (status) => assertionResults.filter((result) => result.status === status).length;
  const results = {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: 0,
    testResults: [{ name: 'replies', status: 'passed', assertionResults }],
  };
  writeFileSync(process.argv[2], JSON.stringify(results));
  process.exit(); // sockets that were not answered are open
})();
