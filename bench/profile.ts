/**
 * Turns a .cpuprofile or .heapprofile into a table: what one datagram costs, function by function.
 *
 *   node -r ./test/e2e/netns/typescript.cjs bench/profile.ts FILE [DATAGRAMS]
 *
 * With the number of datagrams that were handled meanwhile the figures are per datagram, else in all.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly { id: number; callFrame: CallFrame; children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** One function's own part: ns of CPU time (what it called is not in it), or bytes allocated. */
export interface Step {
  readonly what: string;
  readonly where: string;
  readonly amount: number;
  readonly share: number;
}

/** What the process was not at work in, and the profiler itself. */
const IDLE = '(idle)';
const PROFILER = 'node:inspector';

const bundles = new Map<string, readonly string[]>();

/** The bundler writes `// src/….ts` above what comes from each source. → that source, where the file is still there */
function sourceOf(url: string, lineNumber: number): string | undefined {
  if (!url.startsWith('file:') || !url.includes('/dist/')) return undefined;
  if (!bundles.has(url)) {
    const path = fileURLToPath(url);
    bundles.set(url, existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []);
  }
  const mark = bundles
    .get(url)!
    .slice(0, lineNumber + 1)
    .findLast((line) => line.startsWith('// src/'));
  return mark?.slice('// src/'.length).trim();
}

/** `socket/flow.ts`, or the runtime's `node:dgram:687`: from the package's own folder on. */
function placeOf({ url, lineNumber }: CallFrame): string {
  if (url === '') return 'native';
  const source = sourceOf(url.startsWith('/') ? pathToFileURL(url).href : url, lineNumber);
  if (source !== undefined) return source;
  const path = url.replace(/^.*\/(?:dist|bench|node_modules)\//, '').replace(/^file:\/\//, '');
  return `${path}:${lineNumber + 1}`;
}

const nameOf = ({ functionName }: CallFrame) => (functionName === '' ? '(anonymous)' : functionName);

/** V8 names native code after the nearest symbol, which says nothing: the function that calls it says more. */
function described(frame: CallFrame, caller: CallFrame | undefined): { what: string; where: string } {
  const meta = frame.functionName.startsWith('(');
  if (frame.url !== '' || meta || caller === undefined || caller.url === '') {
    return { what: nameOf(frame), where: placeOf(frame) };
  }
  return { what: `${nameOf(caller)} → native`, where: placeOf(caller) };
}

/** Amounts by function, greatest first. */
class Ranking {
  readonly #steps = new Map<string, { what: string; where: string; amount: number }>();
  #total = 0;

  add(frame: CallFrame, caller: CallFrame | undefined, amount: number): void {
    if (frame.functionName === IDLE || frame.url === PROFILER || caller?.url === PROFILER) return;
    const { what, where } = described(frame, caller);
    const known = this.#steps.get(`${what} ${where}`);
    if (known === undefined) this.#steps.set(`${what} ${where}`, { what, where, amount });
    else known.amount += amount;
    this.#total += amount;
  }

  /** Each divided by the number of datagrams. */
  steps(datagrams: number): Step[] {
    return [...this.#steps.values()]
      .sort((a, b) => b.amount - a.amount)
      .map(({ what, where, amount }) => ({ what, where, amount: amount / datagrams, share: amount / this.#total }));
  }
}

/** Own time of each function, in ns, greatest first. */
export function cpuSteps({ nodes, samples, timeDeltas }: CpuProfile, datagrams = 1): Step[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const callers = new Map(
    nodes.flatMap(({ callFrame, children = [] }) => children.map((id) => [id, callFrame] as const)),
  );
  const ranking = new Ranking();
  // A delta is the time since the sample before, spent (as far as sampling can tell) where this one was taken.
  for (const [i, id] of samples.entries()) {
    ranking.add(frames.get(id)!, callers.get(id), Math.max(0, timeDeltas[i]!) * 1000);
  }
  return ranking.steps(datagrams);
}

/** Bytes that each function allocated, greatest first. */
export function heapSteps({ head }: { head: HeapNode }, datagrams = 1): Step[] {
  const ranking = new Ranking();
  const rest: { node: HeapNode; caller: CallFrame | undefined }[] = [{ node: head, caller: undefined }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { node, caller } = next;
    if (node.selfSize > 0) ranking.add(node.callFrame, caller, node.selfSize);
    for (const child of node.children) rest.push({ node: child, caller: node.callFrame });
  }
  return ranking.steps(datagrams);
}

/** @throws Error for a file that is neither */
export function stepsOf(file: string, datagrams: number): { unit: string; steps: Step[] } {
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  if ('timeDeltas' in profile) return { unit: 'ns', steps: cpuSteps(profile, datagrams) };
  if ('head' in profile) return { unit: 'bytes', steps: heapSteps(profile, datagrams) };
  throw new Error(`${file}: neither a .cpuprofile nor a .heapprofile`);
}

/** The steps that matter, and the rest as one. */
export function headOf(steps: readonly Step[], count: number): Step[] {
  const rest = steps.slice(count);
  const sum = (pick: (step: Step) => number) => rest.reduce((all, step) => all + pick(step), 0);
  const last = { what: `${rest.length} others`, where: '', amount: sum((s) => s.amount), share: sum((s) => s.share) };
  return rest.length === 0 ? [...steps] : [...steps.slice(0, count), last];
}

export function stepTable(steps: readonly Step[], unit: string): string {
  const lines = steps.map(
    ({ what, where, amount, share }) =>
      `| \`${what}\` | ${where} | ${amount.toFixed(unit === 'ns' ? 0 : 1)} | ${(share * 100).toFixed(1)} % |`,
  );
  return [`| function | where | ${unit} | share |`, '|---|---|--:|--:|', ...lines].join('\n');
}

if (require.main === module) {
  const [file, datagrams = '1'] = process.argv.slice(2);
  if (file === undefined) {
    console.error('usage: profile.ts FILE [DATAGRAMS]');
    process.exit(64);
  }
  const { unit, steps } = stepsOf(file, Number(datagrams));
  console.log(stepTable(headOf(steps, 40), unit));
}
