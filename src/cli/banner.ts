/** What `serve` says at its start: where it listens, and what to paste in another terminal. Pure. */
import type { ServerAddress } from '../index';
import { plain } from './quoted';
import type { Style } from './style';
import { place } from './units';

/**
 * @param loopback4 the address that shows the most: 127.0.0.2 where this host has it
 * @param screen columns of the terminal; on a narrow one each command stands below its address
 */
export function banner(server: ServerAddress, loopback4: string, style: Style, screen = 80): string[] {
  const { ipv4, ipv6, port } = server;
  const all = [ipv4, ipv6].every((one) => one === undefined || isUnspecified(one.address));
  const rows = [ipv4, ipv6].flatMap((one) => {
    if (one === undefined) return [];
    const loopback = one.family === 'IPv4' ? loopback4 : '::1';
    const target = isUnspecified(one.address) ? loopback : plain(one.address);
    const where = `${one.family}  ${plain(place(one.address, one.port))}`;
    return [{ where, command: `npx recvfromto send ${target} ${port} hello` }];
  });
  const lines = rows.map(({ where, command }) => `  ${where.padEnd(22)}  ${style.dim('try')}  ${command}`);
  const narrow = rows.some(({ where, command }) => Math.max(where.length, 22) + command.length + 9 > screen);
  const stacked = rows.flatMap(({ where, command }) => [`  ${where}`, `    ${style.dim('try')} ${command}`]);
  const title = style.bold(`recvfromto answers on ${all ? 'all addresses' : 'one address'}, port ${port}`);
  return [title, '', ...(narrow ? stacked : lines), ''];
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
