/**
 * The ways between hosts: what gets lost, and when the rest arrives. Each way has chance of its own, so that traffic on one
 * changes nothing on another.
 */
import { invalidArgType, outOfRange } from '../errors';
import type { Clock } from './clock';
import { type Random, random, seedFor } from './random';
import type { LinkSettings } from './types';

export type Settings = { readonly [Name in keyof LinkSettings]-?: number };

const DEFAULTS: Settings = { loss: 0, delay: 0, jitter: 0, reorder: 0, duplicate: 0 };
/** ms after which one that was held back comes although nothing has overtaken it. */
const HELD = 10;
/** ms; more than this a timer does not take. */
const LONGEST = 0x7fffffff - HELD;

/** What chance has decided. */
export interface Verdict {
  /** 0: lost. */
  readonly copies: number;
  readonly reordered: boolean;
}

interface Flight {
  readonly number: number;
  readonly arrive: () => void;
  ripe: boolean;
  done: boolean;
}

class Path {
  settings: Settings;
  readonly random: Random;
  /** In the order in which they arrive. */
  readonly queue: Flight[] = [];
  /** To be overtaken. */
  held: Flight[] = [];

  constructor(settings: Settings, seed: number) {
    this.settings = settings;
    this.random = random(seed);
  }
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function linkSettings(given: LinkSettings, base: Settings = DEFAULTS): Settings {
  const settings = { ...base };
  for (const name of Object.keys(DEFAULTS) as (keyof Settings)[]) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
    const most = name === 'delay' || name === 'jitter' ? LONGEST / 2 : 1;
    if (!(value >= 0 && value <= most)) throw outOfRange(name, `>= 0 && <= ${most}`, value);
    settings[name] = value;
  }
  return settings;
}

export class Wire {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #defaults: Settings;
  readonly #paths = new Map<string, Path>();
  readonly #waiting: (() => void)[] = [];
  /** On the way. */
  travelling = 0;
  /** Flights so far. */
  count = 0;

  constructor(clock: Clock, seed: number, defaults: Settings) {
    this.#clock = clock;
    this.#seed = seed;
    this.#defaults = defaults;
  }

  /** @throws as {@link linkSettings} */
  set(from: string, to: string, settings: LinkSettings): void {
    const path = this.#path(from, to);
    path.settings = linkSettings(settings, path.settings);
  }

  /** Sends something on its way; `arrive` is called for each copy that gets there. */
  carry(from: string, to: string, arrive: () => void): Verdict {
    const path = this.#path(from, to);
    const { settings, random: chance } = path;
    // All are drawn each time: another probability of one thing leaves the others as they were.
    const [loss, duplicate, reorder, ...jitter] = Array.from({ length: 5 }, () => chance());
    if (loss < settings.loss) return { copies: 0, reordered: false };
    const copies = duplicate < settings.duplicate ? 2 : 1;
    const reordered = reorder < settings.reorder;
    for (let copy = 0; copy < copies; copy++) {
      const delay = settings.delay + settings.jitter * jitter[copy];
      this.#launch(path, arrive, delay, reordered && copy === 0);
    }
    return { copies, reordered };
  }

  /** Settles when one more has arrived, or nothing is on the way any more. */
  arrival(): Promise<void> {
    return new Promise((done) => this.#waiting.push(done));
  }

  clear(): void {
    this.#clock.clear();
    this.#paths.clear();
    this.travelling = 0;
    this.#tell();
  }

  #path(from: string, to: string): Path {
    const name = JSON.stringify([from, to]);
    let path = this.#paths.get(name);
    if (path === undefined) {
      path = new Path(this.#defaults, seedFor(this.#seed, name));
      this.#paths.set(name, path);
    }
    return path;
  }

  #launch(path: Path, arrive: () => void, delay: number, held: boolean): void {
    const flight: Flight = { number: this.count++, arrive, ripe: false, done: false };
    this.travelling++;
    if (held) {
      path.held.push(flight);
      this.#clock.after(delay + HELD, () => {
        path.held = path.held.filter((other) => other !== flight);
        this.#land(flight);
      });
      return;
    }
    path.queue.push(flight);
    if (delay === 0) this.#ripen(path, flight);
    else this.#clock.after(delay, () => this.#ripen(path, flight));
  }

  /** Its time has come; those that left before it arrive first. */
  #ripen(path: Path, flight: Flight): void {
    flight.ripe = true;
    while (path.queue[0]?.ripe) {
      const next = path.queue.shift() as Flight;
      this.#land(next);
      const overtaken = path.held.filter(({ number }) => number < next.number);
      path.held = path.held.filter(({ number }) => number > next.number);
      for (const late of overtaken) this.#land(late);
    }
  }

  #land(flight: Flight): void {
    if (flight.done) return;
    flight.done = true;
    this.travelling--;
    flight.arrive();
    this.#tell();
  }

  #tell(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}
