/**
 * An NTP server (RFC 5905) that tells the time of this host. When a request arrived is the kernel's word, not ours: the
 * time that it waited for the event loop does not count. Clients drop answers that come from another address than they asked.
 *
 *     sudo node examples/ntp-server.js [port]
 */
const { createServer } = require('recvfromto');

const [REQUEST, RESPONSE] = [3, 4]; // modes
const SIZE = 48;
const [STRATUM, POLL, PRECISION, REFID, REFERENCE, ORIGIN, RECEIVE, TRANSMIT] = [1, 2, 3, 12, 16, 24, 32, 40];
const SECOND = 1_000_000_000n;
const SINCE_1900 = 2_208_988_800n; // seconds from there to 1970

/** Nanoseconds since 1970 are this much more than those of hrtime. Date knows milliseconds only, but when they change. */
let offset = 0n;
function calibrate() {
  for (const before = Date.now(); Date.now() === before; );
  offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
}
calibrate();
setInterval(calibrate, 16_000).unref();
const now = () => offset + process.hrtime.bigint();

/** Seconds since 1900 in 32 bits, and as many of their fraction. */
const timestamp = (nanoseconds) =>
  ((nanoseconds / SECOND + SINCE_1900) << 32n) | (((nanoseconds % SECOND) << 32n) / SECOND);

const server = createServer({ recvTimestamp: true }, (request, rinfo) => {
  if (request.length < SIZE || (request[0] & 7) !== REQUEST) return; // nothing that could be an answer of another server
  const answer = Buffer.alloc(SIZE);
  answer[0] = (request[0] & 0x38) | RESPONSE; // the client's version
  answer[STRATUM] = 1;
  answer[POLL] = request[POLL];
  answer.writeInt8(-20, PRECISION); // 2⁻²⁰ s, about a microsecond
  answer.write('LOCL', REFID); // a clock that nobody has set by another
  const received = rinfo.timestamp ?? now();
  answer.writeBigUInt64BE(BigInt.asUintN(64, timestamp(received)), REFERENCE);
  request.copy(answer, ORIGIN, TRANSMIT, SIZE);
  answer.writeBigUInt64BE(BigInt.asUintN(64, timestamp(received)), RECEIVE);
  answer.writeBigUInt64BE(BigInt.asUintN(64, timestamp(now())), TRANSMIT);
  server.reply(answer, rinfo);
});
server.listen(Number(process.argv[2] ?? 123), () => console.log(`listening on port ${server.address().port}`));
