export interface Difference {
  readonly reason: string;
  readonly dgram?: readonly string[];
  readonly recvfromto: readonly string[];
}
export const scenarios = {};
