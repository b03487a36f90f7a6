/** The same where each datagram has a turn of its own: Bun, Deno, --pending-deprecation. */
jest.mock('../../../src/socket/ticks', () => ({ runTicks: undefined }));

require('./flow.test');
