/** The same where each datagram has a turn of its own: Bun, Deno, --pending-deprecation. */
jest.mock('../../../src/socket/in/ticks', () => ({ runTicks: undefined }));

require('./loop.test');
require('./liveness.test');
