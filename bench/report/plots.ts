/** The figures as pictures: grouped bars with the quartiles as whiskers, drawn by Observable Plot without a browser. */
import { barX, plot, ruleY } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Results } from '../results';

interface Picture {
  readonly file: string;
  readonly title: string;
  readonly cases: RegExp;
  readonly metric: string;
  readonly unit: string;
  readonly scale: number;
  readonly sends?: boolean;
}

const PICTURES: readonly Picture[] = [
  {
    file: 'echo',
    title: 'Echoes per second, by datagrams in flight',
    cases: /^echo/,
    metric: 'perSecond',
    unit: 'thousands per second',
    scale: 1e-3,
  },
  {
    file: 'echo-user-cpu',
    title: 'User CPU per echo, by datagrams in flight',
    cases: /^echo/,
    metric: 'userNs',
    unit: 'µs',
    scale: 1e-3,
  },
  {
    file: 'size',
    title: 'Echoes per second, by size in bytes',
    cases: /^size/,
    metric: 'perSecond',
    unit: 'thousands per second',
    scale: 1e-3,
  },
  {
    file: 'flood',
    title: 'Datagrams lost in a receive flood, by rate',
    cases: /^flood/,
    metric: 'lostShare',
    unit: '%',
    scale: 100,
  },
  {
    file: 'send',
    title: 'Sent per CPU second',
    cases: /^send1/,
    metric: 'bytesPerCpuSecond',
    unit: 'MB per CPU second',
    scale: 1e-6,
    sends: true,
  },
  {
    file: 'latency',
    title: 'Round-trip p99',
    cases: /^(echo1|half-load|at-\d+.*)$/,
    metric: 'p99Us',
    unit: 'µs',
    scale: 1,
  },
  {
    file: 'memory',
    title: 'Resident memory of one socket over the bare runtime',
    cases: /^memory/,
    metric: 'oneOverBareMB',
    unit: 'MB',
    scale: 1,
  },
];

/** Ours in blue, others in grey and warm colours, the limit in black. */
const COLOURS: Readonly<Record<string, string>> = {
  message: '#1f5fa8',
  messages: '#5b9bd5',
  dgram: '#d9822b',
  bun: '#b5838d',
  deno: '#8a9a5b',
  'deno-dgram': '#b9c48f',
  c: '#333333',
};

interface Bar {
  readonly case: string;
  readonly server: string;
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
}

function barsOf(results: Results, { cases, metric, scale, sends }: Picture): Bar[] {
  const names = new Map(results.subjects.map((one) => [one.id, sends ? one.sends : one.label]));
  return results.rows.flatMap((row) => {
    const value = row.metrics[metric];
    if (!cases.test(row.case) || value === undefined) return [];
    const { median, q1, q3 } = value;
    return [
      { case: row.case, server: names.get(row.subject)!, median: median * scale, q1: q1 * scale, q3: q3 * scale },
    ];
  });
}

function draw(results: Results, picture: Picture, bars: readonly Bar[]): string {
  const { document } = parseHTML('<html><body></body></html>');
  const cases = [...new Set(bars.map((bar) => bar.case))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const present = results.subjects.filter((one) =>
    bars.some(({ server }) => server === (picture.sends ? one.sends : one.label)),
  );
  const servers = present.map((one) => (picture.sends ? one.sends : one.label));
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
    color: { domain: servers, range: present.map(({ id }) => COLOURS[id]!) },
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
