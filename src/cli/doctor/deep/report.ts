/** What `doctor --deep` found, as a person reads it. Pure. */
import { plain } from '../../quoted';
import type { Style } from '../../style';
import { type Row, table } from '../../table';
import type { DeepFact } from './facts';

const MARKS: Readonly<Record<DeepFact['result'], string>> = {
  'as expected': '✓',
  otherwise: '!',
  new: '·',
  'not tried': '–',
};

export function deepReport(facts: readonly DeepFact[], style: Style, screen?: number): string[] {
  const rows = facts.map((fact): Row => [`${mark(fact, style)} ${fact.name}`, seen(fact), wanted(fact, style)]);
  const otherwise = facts.filter(({ result }) => result === 'otherwise').length;
  return [
    ...table(['Deep: the kernel itself', 'did', 'expected'], rows, style, screen),
    style.dim('  ✓ as expected  ! otherwise  · nothing was expected  – could not be tried'),
    ...(otherwise > 0
      ? ['  Otherwise is no fault of this machine: please send the output of doctor --deep --json.']
      : []),
  ];
}

function seen({ observed, detail }: DeepFact): string {
  return plain(observed ?? detail);
}

function wanted({ expected, result }: DeepFact, style: Style): string {
  if (expected === null) return style.dim('?');
  return result === 'as expected' ? style.dim('the same') : plain(expected.value);
}

function mark({ result }: DeepFact, style: Style): string {
  const sign = MARKS[result];
  return result === 'as expected' ? style.green(sign) : result === 'otherwise' ? style.yellow(sign) : style.dim(sign);
}
