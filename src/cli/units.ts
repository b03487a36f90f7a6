/** Numbers as people read them. Pure. */

/** 1234567 → 1,234,567 */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 datagram`, `2 datagrams` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Milliseconds with three digits that mean something: 0.041, 1.23, 12.3, 123; whole numbers as they are. */
export function milliseconds(ms: number): string {
  if (Number.isInteger(ms)) return String(ms);
  const digits = ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0;
  return ms.toFixed(digits);
}

/** 0.041 ms, 12.3 s, 5 min, 3.2 h */
export function duration(ms: number): string {
  if (ms < 1000) return `${milliseconds(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 120) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** As dig writes it: with IPv6 a colon would be one too many. */
export function place(address: string, port: number): string {
  return `${address}#${port}`;
}
