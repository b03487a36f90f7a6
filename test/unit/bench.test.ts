/** The benchmark's own arithmetic: a wrong table would be worse than none. Measuring itself is tried by `--quick`. */
import { cpuSteps, headOf, heapSteps } from '../../bench/profile';
import { between } from '../../bench/report/markers';
import { reached } from '../../bench/report/targets';
import { heldUpByLoad, type Results, rowsOf, type Sample } from '../../bench/results';
import { ratio, summary } from '../../bench/statistics';

const sample = (name: string, subject: Sample['subject'], metrics: Sample['metrics']): Sample => ({
  case: name,
  subject,
  metrics,
});

function results(samples: readonly Sample[]): Results {
  const subjects = [{ id: 'c' as const, label: 'C', sends: 'C', source: true }];
  return { rows: rowsOf(samples), subjects } as unknown as Results;
}

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

describe('statistics of the benchmark', () => {
  test('the spread of a ratio is that of measurements made side by side', () => {
    const slow = summary([10, 5, 20]);
    const twice = summary([20, 10, 40]);
    expect(ratio(twice, slow)).toEqual({ ratio: 2, q1: 2, q3: 2 });
  });

  test('values of one case and subject become one row, in order', () => {
    const rows = rowsOf([
      sample('echo1', 'c', { perSecond: 3 }),
      sample('echo1', 'dgram', { perSecond: 7 }),
      sample('echo1', 'c', { perSecond: 5 }),
    ]);
    expect(rows.map(({ subject, metrics }) => [subject, metrics.perSecond!.values])).toEqual([
      ['c', [3, 5]],
      ['dgram', [7]],
    ]);
  });

  test('a load that was busier than the server is named', () => {
    const row = (name: string, loadBusy: number, serverBusy: number) => sample(name, 'c', { loadBusy, serverBusy });
    const atRate = sample('d', 'c', { loadBusy: 0.95, serverBusy: 0.5, offered: 1 });
    const all = results([row('a', 0.95, 0.5), row('b', 0.95, 0.99), row('c', 0.5, 0.5), atRate]);
    expect(heldUpByLoad(all)).toEqual(['a: the load held up C']);
  });
});

describe('what is wanted', () => {
  const echo = (ours: number) => [
    sample('echo64', 'message', { perSecond: ours }),
    sample('echo64', 'dgram', { perSecond: 100 }),
  ];

  test.each([
    [250, true],
    [249, false],
  ])('%d echoes beside 100 of node:dgram', (ours, met) => {
    expect(reached(results(echo(ours))).map((target) => target.met)).toEqual([met]);
  });

  test('nothing may be lost at the first rate at which node:dgram loses', () => {
    const flood = (name: string, dgram: number, ours: number) => [
      sample(name, 'dgram', { lostShare: dgram }),
      sample(name, 'message', { lostShare: ours }),
    ];
    const all = results([
      ...flood('flood50k', 0, 0.5),
      ...flood('flood100k', 0.2, 0.01),
      ...flood('flood200k', 0.5, 0),
    ]);
    expect(reached(all).map(({ case: name, met }) => [name, met])).toEqual([['flood100k', false]]);
  });
});

describe('profiles', () => {
  const root = { id: 1, callFrame: frame('(root)'), children: [2, 4] };
  const flush = { id: 2, callFrame: frame('flush', 'file:///x/dist/datagram/sender.js', 72), children: [3] };
  const native = { id: 3, callFrame: frame('some_symbol_nearby') };
  const idle = { id: 4, callFrame: frame('(idle)') };
  const profile = { nodes: [root, flush, native, idle], samples: [2, 3, 3, 4], timeDeltas: [10, 20, 30, 1000] };

  test('native code is named after its caller, idle time is left out', () => {
    expect(cpuSteps(profile, 10)).toEqual([
      { what: 'flush → native', where: 'datagram/sender.js:73', amount: 5000, share: 50 / 60 },
      { what: 'flush', where: 'datagram/sender.js:73', amount: 1000, share: 10 / 60 },
    ]);
  });

  test('allocations of one function are added up, wherever it was called from', () => {
    const leaf = (selfSize: number) => ({ callFrame: frame('rinfo', 'file:///x/dist/a.js'), selfSize, children: [] });
    const head = { callFrame: frame('(root)'), selfSize: 0, children: [leaf(100), leaf(60)] };
    expect(heapSteps({ head }, 2)).toEqual([{ what: 'rinfo', where: 'a.js:1', amount: 80, share: 1 }]);
  });

  test('what is not shown is summed up', () => {
    const [shown, rest] = headOf(cpuSteps(profile), 1);
    expect([shown!.what, rest!.what, rest!.amount]).toEqual(['flush → native', '1 others', 10_000]);
  });
});

describe('docs/speed.md', () => {
  test('only what stands between the markers is replaced', () => {
    const text = 'a\n<!-- bench:x -->\nold\n<!-- /bench -->\nb <!-- bench:y -->\nold\n<!-- /bench -->';
    const once = between(text, 'x', 'new');
    expect(once).toBe('a\n<!-- bench:x -->\nnew\n<!-- /bench -->\nb <!-- bench:y -->\nold\n<!-- /bench -->');
    expect(between(once, 'x', 'new')).toBe(once);
  });

  test('a page without the place is an error', () => {
    expect(() => between('nothing', 'x', 'new')).toThrow('bench:x');
  });
});
