/** The benchmark's own arithmetic: a wrong table would be worse than none. Measuring itself is tried by `--quick`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { measureCase, plannedMs, SCALES, WHOLE_SECONDS } from '../measure';
import { cpuSteps, headOf, heapSteps } from '../profile';
import { between } from '../report/markers';
import { resultTables } from '../report/tables';
import { reached, TARGETS } from '../report/targets';
import { find, heldUpByLoad, merged, type Results, rowsOf, type Sample } from '../results';
import { SCENARIOS } from '../scenarios';
import type { Case, Context, Turn } from '../scenarios/case';
import { parsed } from '../scenarios/dns';
import { ratio, summary } from '../statistics';
import type { Server, Subject } from '../subjects';
import { writeZone, type ZoneRecord } from '../zone';

const MEASURED = 'abc1234, 2026-01-01';

const sample = (name: string, subject: Sample['subject'], metrics: Sample['metrics']): Sample => ({
  case: name,
  subject,
  metrics,
});

function results(samples: readonly Sample[]): Results {
  const subjects = [
    { id: 'dgram' as const, label: 'node:dgram' },
    { id: 'message' as const, label: 'recvfromto' },
    { id: 'c' as const, label: 'C' },
  ];
  return { rows: rowsOf(samples, MEASURED), subjects, profiles: [] } as unknown as Results;
}

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

describe('statistics of the benchmark', () => {
  test('the spread of a ratio is that of measurements made side by side', () => {
    const slow = summary([10, 5, 20]);
    const twice = summary([20, 10, 40]);
    assert.deepEqual(ratio(twice, slow), { ratio: 2, q1: 2, q3: 2 });
  });

  test('values of one case and subject become one row, in order', () => {
    const rows = rowsOf(
      [
        sample('echo1', 'c', { perSecond: 3 }),
        sample('echo1', 'dgram', { perSecond: 7 }),
        sample('echo1', 'c', { perSecond: 5 }),
      ],
      MEASURED,
    );
    assert.deepEqual(
      rows.map(({ subject, metrics }) => [subject, metrics.perSecond!.values]),
      [
        ['c', [3, 5]],
        ['dgram', [7]],
      ],
    );
  });

  test('a load that was busier than the server is named', () => {
    const row = (name: string, loadBusy: number, serverBusy: number) => sample(name, 'c', { loadBusy, serverBusy });
    const atRate = sample('d', 'c', { loadBusy: 0.95, serverBusy: 0.5, offered: 1 });
    const all = results([row('a', 0.95, 0.5), row('b', 0.95, 0.99), row('c', 0.5, 0.5), atRate]);
    assert.deepEqual(heldUpByLoad(all), ['a: the load held up C']);
  });
});

describe('what is wanted', () => {
  const echo = (ours: number) => [
    sample('echo64', 'message', { perSecond: ours }),
    sample('echo64', 'dgram', { perSecond: 100 }),
  ];

  for (const [ours, met] of [
    [250, true],
    [249, false],
  ] as const) {
    test(`${ours} echoes beside 100 of node:dgram are ${met ? '' : 'not '}enough`, () => {
      assert.deepEqual(
        reached(results(echo(ours))).map((target) => target.met),
        [met],
      );
    });
  }

  test('a start is compared by what it costs more, not by how many times as much', () => {
    const start = (ours: number) =>
      reached(
        results([
          sample('start-node24', 'message', { firstAnswerCpuMs: ours }),
          sample('start-node24', 'dgram', { firstAnswerCpuMs: 30 }),
        ]),
      ).map(({ got, met }) => [got.ratio, met]);
    assert.deepEqual(start(50), [[20, true]]);
    assert.deepEqual(start(51), [[21, false]]);
  });

  test('losses are compared by how many more of a hundred are lost, also where node:dgram loses none', () => {
    const loss = (ours: number) =>
      reached(
        results([sample('flood400k', 'message', { lostShare: ours }), sample('flood400k', 'dgram', { lostShare: 0 })]),
      ).map(({ got, met }) => [got.ratio, met]);
    assert.deepEqual(loss(0), [[0, true]]);
    assert.deepEqual(loss(0.05), [[5, false]]);
  });

  test('every target names a case and subjects that there are', () => {
    const cases = new Map(SCENARIOS.flatMap(({ cases: all }) => all.map((one) => [one.name, one])));
    for (const { case: name, subject, of } of TARGETS) {
      const subjects = cases.get(name)?.subjects ?? [];
      assert.ok(subjects.includes(subject), `${name}: ${subject}`);
      if (of !== undefined) assert.ok(subjects.includes(of), `${name}: ${of}`);
    }
  });
});

describe('tables', () => {
  const all = results([
    sample('echo64', 'dgram', { cpuNs: 8000 }),
    sample('echo64', 'message', { cpuNs: 2000 }),
    sample('query', 'message', { cpuNs: 150_000 }),
  ]);

  test('a row for each case, a column for each server, multiples of node:dgram in brackets, and the commit', () => {
    const text = resultTables(all);
    assert.match(text, /\| CPU ns each \| 64 in flight \| 8,000 \| 2,000 \(0\.25\) \|/);
    assert.match(text, /Measured at abc1234, 2026-01-01\./);
  });

  test('what is measured anew takes the place of what was there, and the rest stays', () => {
    const later = results([sample('echo64', 'message', { cpuNs: 1000 })]);
    const both = merged(all, later);
    assert.equal(find(both, 'echo64', 'message', 'cpuNs')?.median, 1000);
    assert.equal(find(both, 'echo64', 'dgram', 'cpuNs'), undefined);
    assert.equal(find(both, 'query', 'message', 'cpuNs')?.median, 150_000);
  });
});

describe('the name server scenario', () => {
  test('what dnsperf says is read, and something else is refused', () => {
    const text = `
  Queries sent:         95123
  Queries completed:    95100 (99.98%)
  Queries lost:         23 (0.02%)
  Run time (s):         1.000123
  Queries per second:   95088.304179
  Average Latency (s):  0.000794 (min 0.000040, max 0.007)`;
    assert.deepEqual(parsed(text), { completed: 95_100, lost: 23, perSecond: 95_088.304179, latencyUs: 794 });
    assert.throws(() => parsed('Queries completed: many'), /dnsperf/);
  });

  test('one in twenty questions asks for what is not there, and the zone has a record for all others', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-zone-'));
    try {
      const { questions, json } = writeZone(folder);
      const zone = new Set(JSON.parse(readFileSync(json, 'utf8')).map((one: ZoneRecord) => `${one.name} ${one.type}`));
      const asked = readFileSync(questions, 'utf8').trim().split('\n');
      const missing = asked.filter((question) => !zone.has(question));
      assert.ok(asked.length > 1500);
      assert.equal(missing.length, Math.ceil(asked.length / 20));
      assert.ok(missing.every((question) => question.startsWith('none')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the time there is', () => {
  const one = (more: Partial<Case>): Case => ({
    name: 'x',
    what: 'x',
    subjects: ['dgram', 'message'],
    server: {},
    run: async () => ({}),
    ...more,
  });

  test('a case that starts its servers oftener, or has longer turns, is given more of it', () => {
    assert.ok(plannedMs(one({ generations: 4 }), false) > plannedMs(one({ generations: 2 }), false));
    assert.ok(plannedMs(one({ ms: 1000 }), false) > plannedMs(one({}), false));
    assert.ok(plannedMs(one({}), true) < plannedMs(one({}), false));
  });

  test('a turn lasts whole milliseconds, however the time is shared out', async () => {
    const turns: number[] = [];
    const run = async ({ ms }: Turn) => {
      turns.push(ms);
      return {};
    };
    const start = async () => ({ program: { stop: async () => {} }, ports: [] }) as unknown as Server;
    const shared = one({ subjects: ['dgram'], ms: 601, warmMs: 1500, start, run });
    const subject = { id: 'dgram', label: 'node:dgram' } as Subject;
    const short = plannedMs(shared, false) * SCALES.at(-1)!;
    const { failures } = await measureCase(shared, [subject], { quick: false } as Context, short);
    assert.deepEqual(failures, []);
    assert.ok(turns.at(-1)! < 601, `${turns}`);
    assert.deepEqual(
      turns.filter((ms) => !Number.isInteger(ms)),
      [],
    );
  });

  test('all cases fit into a run with shorter turns, and none has fewer', () => {
    const all = SCENARIOS.flatMap(({ cases }) => cases).map((each) => plannedMs(each, false));
    const planned = all.reduce((sum, ms) => sum + ms, 0) / 1000;
    assert.ok(planned * SCALES[1]! < WHOLE_SECONDS, `${planned} s`);
  });
});

describe('the house', () => {
  const root = join(__dirname, '..');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/^(node_modules|\.cache)/.test(name),
  );
  const imports = new Map(
    files.map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const from = [...text.matchAll(/\bfrom '(\.[^']*)'/g)].map(([, path]) => resolve(root, dirname(file), path!));
      const own = from.map((path) => relative(root, path));
      return [file, own.map((path) => (files.includes(`${path}.ts`) ? `${path}.ts` : `${path}/index.ts`))];
    }),
  );

  test('no import goes round in a circle', () => {
    const circle = (file: string, way: readonly string[]): readonly string[] | undefined => {
      if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
      for (const next of imports.get(file) ?? []) {
        const found = circle(next, [...way, file]);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    assert.ok(imports.get('run.ts')!.includes('scenarios/index.ts'));
    for (const file of files) assert.equal(circle(file, []), undefined);
  });

  test('names of cases and scenarios are used once', () => {
    const names = SCENARIOS.flatMap(({ name, cases }) => [
      ...(cases.some((one) => one.name === name) ? [] : [name]),
      ...cases.map((one) => one.name),
    ]);
    assert.equal(new Set(names).size, names.length);
  });
});

describe('profiles', () => {
  const root = { id: 1, callFrame: frame('(root)'), children: [2, 4] };
  const flush = { id: 2, callFrame: frame('flush', 'file:///x/dist/datagram/sender.js', 72), children: [3] };
  const native = { id: 3, callFrame: frame('some_symbol_nearby') };
  const idle = { id: 4, callFrame: frame('(idle)') };
  const profile = { nodes: [root, flush, native, idle], samples: [2, 3, 3, 4], timeDeltas: [10, 20, 30, 1000] };

  test('native code is named after its caller, idle time is left out', () => {
    assert.deepEqual(cpuSteps(profile, 10), [
      { what: 'flush → native', where: 'datagram/sender.js:73', amount: 5000, share: 50 / 60 },
      { what: 'flush', where: 'datagram/sender.js:73', amount: 1000, share: 10 / 60 },
    ]);
  });

  test('allocations of one function are added up, wherever it was called from', () => {
    const leaf = (selfSize: number) => ({ callFrame: frame('rinfo', 'file:///x/dist/a.js'), selfSize, children: [] });
    const head = { callFrame: frame('(root)'), selfSize: 0, children: [leaf(100), leaf(60)] };
    assert.deepEqual(heapSteps({ head }, 2), [{ what: 'rinfo', where: 'a.js:1', amount: 80, share: 1 }]);
  });

  test('what is not shown is summed up', () => {
    const [shown, rest] = headOf(cpuSteps(profile), 1);
    assert.deepEqual([shown!.what, rest!.what, rest!.amount], ['flush → native', '1 others', 10_000]);
  });
});

describe('docs/speed.md', () => {
  test('only what stands between the markers is replaced', () => {
    const text = 'a\n<!-- bench:x -->\nold\n<!-- /bench -->\nb <!-- bench:y -->\nold\n<!-- /bench -->';
    const once = between(text, 'x', 'new');
    assert.equal(once, 'a\n<!-- bench:x -->\nnew\n<!-- /bench -->\nb <!-- bench:y -->\nold\n<!-- /bench -->');
    assert.equal(between(once, 'x', 'new'), once);
  });

  test('a page without the place is an error', () => {
    assert.throws(() => between('nothing', 'x', 'new'), /bench:x/);
  });
});
