/** What `serve` says at its start: where it listens, and what to paste in another terminal. Pure. */
import type { ServerAddress } from '../index';
import { plain } from './quoted';
import type { Style } from './style';
import { place } from './units';

/** @param loopback4 the address that shows the most: 127.0.0.2 where this host has it */
export function banner(server: ServerAddress, loopback4: string, style: Style): string[] {
  const { ipv4, ipv6, port } = server;
  const all = [ipv4, ipv6].every((one) => one === undefined || isUnspecified(one.address));
  const lines = [style.bold(`recvfromto answers on ${all ? 'all addresses' : 'one address'}, port ${port}`), ''];
  for (const one of [ipv4, ipv6]) {
    if (one === undefined) continue;
    const loopback = one.family === 'IPv4' ? loopback4 : '::1';
    const target = isUnspecified(one.address) ? loopback : plain(one.address);
    const where = `${one.family}  ${plain(place(one.address, one.port))}`.padEnd(22);
    lines.push(`  ${where}  ${style.dim('try')}  npx recvfromto send ${target} ${port} hello`);
  }
  return [...lines, ''];
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
