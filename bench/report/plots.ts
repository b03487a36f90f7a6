/** The figures as pictures: grouped bars with the quartiles as whiskers, drawn by Observable Plot without a browser. */
import { barX, plot, ruleY } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Results, SubjectId } from '../results';

interface Picture {
  readonly file: string;
  readonly title: string;
  readonly cases: readonly string[];
  readonly metric: string;
  readonly unit: string;
  readonly scale: number;
  /** Bars of others than these would hide what is to be seen. */
  readonly subjects?: readonly SubjectId[];
}

const CPU = { metric: 'cpuNs', unit: 'µs', scale: 1e-3 } as const;

const PICTURES: readonly Picture[] = [
  { file: 'dns', title: 'A DNS server: CPU per query', cases: ['dns-packet', 'dns2'], ...CPU },
  {
    file: 'peers',
    title: 'CPU per echo, by peers',
    cases: ['peers1', 'peers1000', 'peers10000', 'peers100000'],
    ...CPU,
  },
  {
    file: 'echo',
    title: 'Echoes per second, by datagrams in flight',
    cases: ['echo1', 'echo16', 'echo64', 'echo256', 'echo1024'],
    metric: 'perSecond',
    unit: 'thousands per second',
    scale: 1e-3,
    subjects: ['dgram', 'message', 'messages', 'register', 'bun', 'c', 'c-gso'],
  },
  {
    file: 'wakeups',
    title: 'CPU per echo at a steady rate',
    cases: ['rate1000', 'rate5000', 'rate10000', 'rate20000', 'rate50000'],
    ...CPU,
  },
  {
    file: 'flood',
    title: 'Datagrams lost in a receive flood, by rate',
    cases: ['flood200k', 'flood400k', 'flood800k'],
    metric: 'lostShare',
    unit: '%',
    scale: 100,
  },
  {
    file: 'start',
    title: 'CPU from the start to the first answer',
    cases: ['start-node20', 'start-node24'],
    metric: 'firstAnswerCpuMs',
    unit: 'ms',
    scale: 1,
  },
];

/** Ours in blue, others in grey and warm colours, the limit in black. */
const COLOURS: Readonly<Record<SubjectId, string>> = {
  dgram: '#d9822b',
  message: '#1f5fa8',
  shared: '#3f7fc8',
  messages: '#5b9bd5',
  gro: '#8fbbe6',
  runs: '#b8d4f0',
  register: '#173f6e',
  'register-gso': '#2b5c96',
  bun: '#b5838d',
  deno: '#8a9a5b',
  'deno-dgram': '#b9c48f',
  c: '#333333',
  'c-gso': '#666666',
  'c-gro': '#999999',
  nsd: '#555555',
  knot: '#777777',
};

interface Bar {
  readonly case: string;
  readonly server: string;
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
}

function barsOf(results: Results, { cases, metric, scale, subjects }: Picture): Bar[] {
  const names = new Map(results.subjects.map(({ id, label }) => [id, label]));
  return results.rows.flatMap((row) => {
    const value = row.metrics[metric];
    if (!cases.includes(row.case) || value === undefined || subjects?.includes(row.subject) === false) return [];
    const { median, q1, q3 } = value;
    return [
      { case: row.case, server: names.get(row.subject)!, median: median * scale, q1: q1 * scale, q3: q3 * scale },
    ];
  });
}

function draw(results: Results, picture: Picture, bars: readonly Bar[]): string {
  const { document } = parseHTML('<html><body></body></html>');
  const cases = picture.cases.filter((name) => bars.some((bar) => bar.case === name));
  const present = results.subjects.filter(({ label }) => bars.some(({ server }) => server === label));
  const servers = present.map(({ label }) => label);
  const svg = plot({
    document: document as never, // as much of a Document as Plot asks for
    width: 760,
    height: 75 + cases.length * (servers.length * 15 + 14),
    marginLeft: 190,
    marginRight: 160,
    marginBottom: 45,
    x: { label: `${picture.title} (${picture.unit}; medians, quartiles)`, grid: true, zero: true },
    y: { label: null, domain: servers },
    fy: { label: null, domain: cases },
    color: { domain: servers, range: present.map(({ id }) => COLOURS[id]) },
    style: { background: 'white', color: '#222', fontFamily: 'sans-serif', fontSize: '12px' },
    marks: [
      barX(bars, { x: 'median', y: 'server', fy: 'case', fill: 'server', insetTop: 1, insetBottom: 1 }),
      ruleY(bars, { x1: 'q1', x2: 'q3', y: 'server', fy: 'case' }),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.outerHTML;
}

/** The pictures there are figures for: file name and SVG. */
export function pictures(results: Results): { file: string; title: string; svg: string }[] {
  return PICTURES.flatMap((picture) => {
    const bars = barsOf(results, picture);
    return bars.length === 0
      ? []
      : [{ file: `${picture.file}.svg`, title: picture.title, svg: draw(results, picture, bars) }];
  });
}
