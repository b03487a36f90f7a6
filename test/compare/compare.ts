/** A report of `doctor --deep --json` beside the model of its system's kernel. */
import type { DeepFact } from '../../src/cli/doctor/deep/facts';
import type { Facts } from '../../src/cli/doctor/facts';
import { style } from '../../src/cli/style';
import { type Row, table } from '../../src/cli/table';
import { tried } from './cells';

export interface Compared {
  readonly name: string;
  readonly machine: string | null;
  readonly model: string | null;
  /** undefined where one of them could not try it. */
  readonly agree: boolean | undefined;
}

export function compare(machine: readonly DeepFact[], model: readonly DeepFact[]): Compared[] {
  return machine.map(({ name, observed }) => {
    const other = model.find((one) => one.name === name)?.observed ?? null;
    const agree = observed === null || other === null ? undefined : observed === other;
    return { name, machine: observed, model: other, agree };
  });
}

/** @param model its name, or undefined where there is none of that system and CPU */
export function lines(facts: Facts, model: string | undefined, compared: readonly Compared[]): string[] {
  const { system, capabilities } = facts;
  const head = `${system.os} ${system.release}, ${capabilities.platform}-${capabilities.arch}, ${system.runtime.name} ${system.runtime.version}`;
  const rows = compared.map(({ name, machine, model: other, agree }): Row => {
    return [`${agree === undefined ? '–' : agree ? '✓' : '✗'} ${name}`, machine ?? 'not tried', other ?? 'not tried'];
  });
  return [
    head,
    '',
    ...(model === undefined
      ? ['There is no model of this system and CPU.']
      : table(['Case', 'the machine', `the model, ${model}`], rows, style(false))),
    '',
    ...cellLines(facts),
    ...(model === undefined ? [] : ['', verdict(compared)]),
  ];
}

function verdict(compared: readonly Compared[]): string {
  const wrong = compared.filter(({ agree }) => agree === false).map(({ name }) => name);
  if (wrong.length > 0) return `The model is wrong in: ${wrong.join(', ')}.`;
  const both = compared.filter(({ agree }) => agree === true).length;
  return `The model agrees with the machine in all ${both} cases that both could try.`;
}

function cellLines(facts: Facts): string[] {
  const { platform, arch } = facts.capabilities;
  return tried(facts).map(({ feature, right }) => {
    const cell = `${platform} ${arch}, ${feature}`;
    if (right === undefined) return `  – ${cell}: the report does not tell`;
    return right ? `  ✓ ${cell}: becomes run` : `  ✗ ${cell}: tried, and wrong`;
  });
}
