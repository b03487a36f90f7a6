/**
 * A CoAP server by a package that knows nothing of recvfromto, on a host with several addresses. Nothing is changed but
 * the command:
 *
 *     npm install coap
 *     node --import recvfromto/register examples/coap-server.js 5683
 */
const { createServer } = require('coap');

const server = createServer((request, response) => {
  response.end(`hello from ${request.url}\n`);
});
server.listen(Number(process.argv[2] ?? 5683), () => console.log('listening'));
