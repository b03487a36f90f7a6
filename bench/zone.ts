/** The zone that all name servers are given, and what is asked of it: addresses, a few texts, and names that are not there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const ORIGIN = 'bench.example';
const NAMES = 1000;

export interface ZoneRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'TXT';
  readonly data: string;
}

/** Two of three names have an address of each family, every tenth a text that makes a longer answer. */
export function records(): ZoneRecord[] {
  return Array.from({ length: NAMES }, (_, i) => {
    const name = `host${i}.${ORIGIN}`;
    const own: ZoneRecord[] = [{ name, type: 'A', data: `192.0.2.${i % 250}` }];
    if (i % 3 !== 0) own.push({ name, type: 'AAAA', data: `2001:db8::${i.toString(16)}` });
    if (i % 10 === 0) own.push({ name, type: 'TXT', data: `v=bench${i} ${'word '.repeat((i / 10) % 40)}` });
    return own;
  }).flat();
}

const inZone = ({ name, type, data }: ZoneRecord) => `${name}. IN ${type} ${type === 'TXT' ? `"${data}"` : data}`;

function zoneFile(all: readonly ZoneRecord[]): string {
  const head = `$TTL 300\n@ IN SOA ns.${ORIGIN}. admin.${ORIGIN}. 1 3600 900 604800 60\n@ IN NS ns.${ORIGIN}.\nns IN A 192.0.2.53\n`;
  return `$ORIGIN ${ORIGIN}.\n${head}${all.map(inZone).join('\n')}\n`;
}

/** Every record once, in an order in which neighbours differ, and one name in twenty that is not there. */
function questions(all: readonly ZoneRecord[]): string {
  const step = 617;
  return all
    .map((_, i) => all[(i * step) % all.length]!)
    .map(({ name, type }, i) => (i % 20 === 0 ? `none${i}.${ORIGIN} A` : `${name} ${type}`))
    .join('\n');
}

export interface ZoneFiles {
  readonly folder: string;
  /** For the servers in JavaScript. */
  readonly json: string;
  readonly zone: string;
  readonly questions: string;
}

export function writeZone(folder: string): ZoneFiles {
  mkdirSync(folder, { recursive: true });
  const all = records();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    folder,
    json: write('zone.json', JSON.stringify(all)),
    zone: write('bench.example.zone', zoneFile(all)),
    questions: write('questions', `${questions(all)}\n`),
  };
}
