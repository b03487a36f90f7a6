import type { Reading } from '../../src/datagram/receiver';
import { newStats } from '../../src/socket/stats';

/** A socket that is bound to port 53 and asks for nothing but the destination, as a Receiver knows it. */
export const newReading = (stats = newStats()): Reading => ({
  port: 53,
  mapped: false,
  hidden: false,
  extras: undefined,
  arrival: undefined,
  stats,
});
