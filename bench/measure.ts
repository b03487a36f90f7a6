/**
 * Measures one case: all of its servers are started, and take turns (A B C A B C …) of a fraction of a second, so that a
 * machine that becomes slower for a while slows all of them. Each server is started anew a few times, as a JIT compiler may
 * turn out otherwise the next time.
 */
import type { Sample } from './results';
import type { Case, Context, Turn } from './scenarios/case';
import { type Server, type Subject, start } from './subjects';

export interface Effort {
  readonly generations: number;
  readonly rounds: number;
  readonly ms: number;
  readonly warmMs: number;
  /** In how many parts the servers are warmed up. */
  readonly passes: number;
}

/** Warmed up in many short passes: what a turn begins to compile is finished while others have theirs, tier by tier. */
export const FULL: Effort = { generations: 2, rounds: 2, ms: 200, warmMs: 1200, passes: 12 };
export const QUICK: Effort = { generations: 1, rounds: 1, ms: 50, warmMs: 40, passes: 1 };
/** What a turn of a case that wants more than the usual is cut to in --quick. */
const QUICK_SHARE = 0.2;

export interface Measured {
  readonly samples: Sample[];
  readonly failures: string[];
}

/** How much of everything this case gets. */
function effortFor(one: Case, quick: boolean): Effort {
  if (!quick) {
    const { generations = FULL.generations, rounds = FULL.rounds, ms = FULL.ms, warmMs = FULL.warmMs } = one;
    return { generations, rounds, ms, warmMs, passes: FULL.passes };
  }
  return { ...QUICK, ms: one.ms === undefined ? QUICK.ms : one.ms * QUICK_SHARE };
}

/** For all cases. Beside it npm installs, and profiles are taken: all of it in forty minutes. */
export const WHOLE_SECONDS = 2300;

/** Do servers run while the subjects take turns? */
const hasServers = ({ server, start: own }: Case): boolean => server !== undefined || own !== undefined;

/** To start a server, and to start a load and let it settle. */
const START_MS = 150;
const AROUND_MS = 60;

function duration(one: Case, subjects: number, { generations, rounds, ms, warmMs, passes }: Effort): number {
  const { aroundMs = AROUND_MS } = one;
  const before = !hasServers(one) ? 0 : START_MS + (warmMs > 0 ? warmMs + passes * aroundMs : 0);
  return subjects * generations * (before + rounds * (ms + aroundMs));
}

/** About how long a case takes: the time there is is shared out by this. */
export const plannedMs = (one: Case, quick: boolean): number =>
  duration(one, one.subjects.length, effortFor(one, quick));

/** What shortens turns, before there are fewer of them. */
export const SCALES = [1, 0.8, 0.65];

/** The most that can be done in that time: shorter turns first, then fewer, then fewer starts. One turn is always done. */
function fitting(one: Case, subjects: number, wanted: Effort, limitMs: number): Effort {
  for (let generations = wanted.generations; generations > 0; generations--) {
    for (let rounds = wanted.rounds; rounds > 0 && generations * rounds > 1; rounds--) {
      for (const scale of SCALES) {
        const effort = { ...wanted, generations, rounds, ms: wanted.ms * scale, warmMs: wanted.warmMs * scale };
        if (duration(one, subjects, effort) <= limitMs) return effort;
      }
    }
  }
  return { ...wanted, generations: 1, rounds: 1 };
}

/** Of what a program complained of, the line that says it: others show code. */
function gist(message: string): string {
  const lines = message.split('\n');
  return [lines[0], ...lines.filter((line, i) => i > 0 && /^\w*error\b/i.test(line)).slice(0, 1)].join(' ');
}

/** Those who take part, with what runs for them. A subject that fails sits out the rest. */
class Party {
  readonly failures: string[] = [];
  readonly samples: Sample[] = [];
  readonly #servers = new Map<Subject, Server>();
  readonly #out = new Set<Subject>();
  readonly #one: Case;
  readonly #context: Context;
  readonly #subjects: readonly Subject[];

  constructor(one: Case, subjects: readonly Subject[], context: Context) {
    this.#one = one;
    this.#subjects = subjects;
    this.#context = context;
  }

  async start(): Promise<void> {
    const { server: options, network, start: own } = this.#one;
    const { tools, dist } = this.#context;
    const placed = (command: readonly string[]) => {
      const pinned = tools.pinned('server', command);
      return network ? tools.network!.inside(pinned) : pinned;
    };
    await this.#each(async (subject) => {
      if (own !== undefined) this.#servers.set(subject, await own(subject, this.#context));
      else if (options !== undefined) this.#servers.set(subject, await start(subject, options, dist, placed));
    });
  }

  /** In a few passes: while the others have their turns, a compiler finishes what it began in its own. */
  async warm({ warmMs, passes }: Effort): Promise<void> {
    const warm = this.#one.warm ?? this.#one.run;
    for (let pass = 0; pass < passes; pass++) {
      await this.#each(async (subject) => {
        await warm(this.#turn(subject, warmMs / passes));
      });
    }
  }

  /** One turn for everybody. */
  async turns(ms: number): Promise<void> {
    await this.#each(async (subject) => {
      const metrics = await this.#one.run(this.#turn(subject, ms));
      this.samples.push({ case: this.#one.name, subject: subject.id, metrics });
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map(({ program }) => program.stop()));
    this.#servers.clear();
  }

  #turn(subject: Subject, ms: number): Turn {
    const server = this.#servers.get(subject);
    return {
      subject,
      context: this.#context,
      ms: Math.round(ms), // what is started for so long takes nothing else
      get server(): Server {
        if (server === undefined) throw new Error('this case starts no server');
        return server;
      },
    };
  }

  async #each(step: (subject: Subject) => Promise<void>): Promise<void> {
    for (const subject of this.#subjects) {
      if (this.#out.has(subject)) continue;
      try {
        await step(subject);
      } catch (error) {
        this.#out.add(subject);
        this.failures.push(`${this.#one.name}: ${subject.label} failed: ${gist((error as Error).message)}`);
      }
    }
  }
}

/** @param ms how long it may take; everybody has one turn in any case */
export async function measureCase(one: Case, all: readonly Subject[], context: Context, ms: number): Promise<Measured> {
  const subjects = all.filter(({ id }) => one.subjects.includes(id));
  const party = new Party(one, subjects, context);
  const effort = fitting(one, subjects.length, effortFor(one, context.quick), ms);
  for (let generation = 0; generation < effort.generations; generation++) {
    try {
      await party.start();
      if (effort.warmMs > 0 && hasServers(one)) await party.warm(effort);
      for (let round = 0; round < effort.rounds; round++) await party.turns(effort.ms);
    } finally {
      await party.stop();
    }
  }
  return party;
}
