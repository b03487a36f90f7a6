/** What `probe` found, as a person reads it. Pure. */
import { plain } from '../quoted';
import type { Style } from '../style';
import { type Row, table } from '../table';
import { count, counted, place } from '../units';
import type { AnswerFact, Facts, Verdict } from './facts';

const MARKS: Readonly<Record<Verdict, string>> = {
  right: '✓',
  wrong: '✗',
  otherPort: '✗',
  silent: '–',
  refused: '–',
  failed: '–',
};

const NOTHING: Readonly<Partial<Record<Verdict, string>>> = {
  silent: 'no answer',
  refused: 'nobody listens',
  failed: 'not asked',
};

export function report(facts: Facts, style: Style, screen?: number): string[] {
  const { answers, addressesNotAsked: left } = facts;
  const rows = answers.map(
    (fact): Row => [name(fact), fact.askedBy ?? '', source(fact, facts.port, style), words(fact)],
  );
  const lines = table(['Asked at', 'asked by', 'answers from', 'answer'], rows, style, screen);
  const more = left > 0 ? [style.dim(`  … and ${count(left)} more, not asked`)] : [];
  const head = `Port ${facts.port}, asked in ${facts.protocol === 'any' ? 'every protocol known here' : facts.protocol}`;
  return [style.bold(head), '', ...lines, ...more, '', ...verdict(facts, style), ...predicted(facts, style)];
}

function name({ asked, host }: AnswerFact): string {
  return plain(host === null || host === asked ? asked : `${host} (${asked})`);
}

/** `itself`: the address that was asked; a column of equal addresses hides the one that is not. */
function source({ verdict, from, proves, asked }: AnswerFact, port: number, style: Style): string {
  if (from === null) return style.dim(`${MARKS[verdict]} ${NOTHING[verdict]}`);
  const paint = verdict !== 'right' ? style.red : proves === false ? style.dim : style.green;
  const address = verdict === 'right' && from.port === port ? 'itself' : verdict === 'wrong' ? from.address : asked;
  return paint(`${MARKS[verdict]} ${plain(from.port === port ? address : place(address, from.port))}`);
}

function words({ says, error, proves, verdict }: AnswerFact): string {
  if (error !== null) return plain(error);
  if (verdict === 'right' && proves === false) return `${plain(says ?? '')} (the kernel would do the same)`;
  return plain(says ?? '');
}

function verdict({ verdict: found, answers }: Facts, style: Style): string[] {
  const wrong = answers.filter((fact) => fact.verdict === 'wrong');
  const ports = answers.filter((fact) => fact.verdict === 'otherPort');
  const right = answers.filter((fact) => fact.verdict === 'right');
  if (wrong.length > 0) {
    const where = counted(wrong.length, 'answer');
    return [
      style.red(
        `This server answers from other addresses than it is asked on: ${where} of ${wrong.length + right.length}.`,
      ),
      'It is bound to all addresses, and leaves it to the kernel from which one to answer.',
    ];
  }
  if (ports.length > 0) return [style.red('This server answers from another port than it is asked on.')];
  if (found === 'right') {
    const own = answers.some(({ proves }) => proves === true);
    return [
      style.green(`Every answer came from the asked address: ${right.length} of ${right.length}.`),
      ...(own ? [] : ['What hosts answer to other clients, only those can see.']),
    ];
  }
  const silent = answers.every((fact) => fact.verdict === 'refused')
    ? 'Nobody listens there.'
    : 'There was no answer that proves anything.';
  return [style.yellow(silent)];
}

/** Whom a server that leaves it to the kernel hurts: shown where one was found. */
function predicted({ verdict: found, answers }: Facts, style: Style): string[] {
  const concerned = answers.filter(({ verdict, predicted: all }) => verdict === 'wrong' && all.length > 0);
  if (found !== 'wrong' || concerned.length === 0) return [];
  const lines = concerned.map(({ asked, predicted: all }) => {
    const hurt = all.filter((one) => one.verdict === 'wrong');
    if (hurt.length === 0) return `  ${style.green('✓')} ${plain(asked)}: right for every network`;
    const list = hurt.map(({ network, source: from }) => `${network} from ${from}`).join('; ');
    return `  ${style.red('✗')} ${plain(asked)}: ${plain(list)}`;
  });
  return ['', style.bold('Predicted for clients on the network (nothing was sent to them):'), ...lines];
}
