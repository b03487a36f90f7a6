/**
 * A DNS server on all addresses of this host. Every name has one answer: the address that was asked.
 *
 *     npm install dns-packet
 *     node examples/dns-server.js 5300
 *     dig @127.0.0.2 -p 5300 whatever.test      # with node:dgram: "reply from unexpected source"
 */
const { createServer } = require('recvfromto');
const packet = require('dns-packet');

const server = createServer((msg, rinfo) => {
  let query;
  try {
    query = packet.decode(msg);
  } catch {
    return; // not DNS
  }
  if (query.type !== 'query') return; // answering answers would go on for ever
  if (rinfo.destination === undefined) return; // the kernel did not say which address was asked
  const [question] = query.questions;
  const asked = rinfo.destination.address.replace(/%.*/, ''); // a link-local address carries its interface
  const type = asked.includes(':') ? 'AAAA' : 'A';
  const answer = packet.encode({
    type: 'response',
    id: query.id,
    flags: packet.AUTHORITATIVE_ANSWER,
    questions: query.questions,
    answers: question?.type === type ? [{ type, name: question.name, ttl: 0, data: asked }] : [],
  });
  server.reply(answer, rinfo);
});

server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(Number(process.argv[2] ?? 5300), () => console.log(`listening on port ${server.address().port}`));
