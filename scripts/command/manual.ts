/** The man page, in mdoc(7). */
import { EXAMPLES, NOTES } from '../../src/cli/texts';
import type { CommandInfo, Flag, Tree, Word } from './tree';

/** Of the last change to the text below; the rest follows the commands. */
const DATE = 'November 26, 2026';

/** Characters of a line of text. */
const MOST = 76;

export function manual({ description, commands }: Tree): string {
  const real = commands.filter(({ name }) => name !== 'help' && name !== 'version');
  return [
    '.\\" Written by `npm run docs:command`.',
    `.Dd ${DATE}`,
    '.Dt RECVFROMTO 1',
    '.Os',
    '.Sh NAME',
    '.Nm recvfromto',
    '.Nd UDP that knows which address it was asked on',
    '.Sh SYNOPSIS',
    ...real.flatMap(synopsis),
    '.Nm',
    '.Cm help',
    '.Op Ar command',
    '.Nm',
    '.Cm version',
    '.Sh DESCRIPTION',
    text(description),
    ...real.flatMap(section),
    '.Sh ENVIRONMENT',
    '.Bl -tag -width NO_COLOR',
    '.It Ev NO_COLOR',
    'No colours.',
    '.It Ev FORCE_COLOR',
    'Colours, in pipes and files, too.',
    '.El',
    '.Sh EXIT STATUS',
    'Those of each command stand with it.',
    '64 is always a command line that is wrong, as',
    '.Dv EX_USAGE',
    'of',
    '.In sysexits.h .',
    '.Sh EXAMPLES',
    ...examples(),
    '.Sh SEE ALSO',
    '.Xr dig 1 ,',
    '.Xr ip 7 ,',
    '.Xr udp 7 ,',
    '.Xr ss 8',
    '',
  ].join('\n');
}

function synopsis({ name, flags, words }: CommandInfo): string[] {
  const options = flags.filter(({ names }) => !names.includes('--help'));
  return ['.Nm', `.Cm ${name}`, ...options.map((flag) => `.Op ${flagMacro(flag)}`), ...words.map(word)];
}

function word({ name, required, repeats }: Word): string {
  const more = repeats ? ' ...' : '';
  // The host and the port of send may be one word.
  return required || name === 'host' ? `.Ar ${name}${more}` : `.Op Ar ${name}${more}`;
}

function flagMacro({ names, value }: Flag): string {
  const long = names.at(-1) as string;
  return `Fl ${long.slice(1)}${value === undefined ? '' : ` Ar ${value}`}`;
}

function section({ name, description, flags, words }: CommandInfo): string[] {
  const tags = [
    ...words.map((one) => [`.It Ar ${one.name}`, text(one.description)]),
    ...flags
      .filter(({ names }) => !names.includes('--help'))
      .map((flag) => {
        const names = flag.names.map((one) => `Fl ${one.slice(1)}`).join(' , ');
        const value = flag.value === undefined ? '' : ` Ar ${flag.value}`;
        const preset = flag.preset === undefined ? '' : `; default: ${flag.preset}`;
        return [`.It ${names}${value}`, text(flag.description + preset)];
      }),
  ];
  const notes = NOTES[name as keyof typeof NOTES].map((one) => ['.Pp', text(one)]);
  return [`.Ss recvfromto ${name}`, text(description), '.Bl -tag -width Ds', ...tags.flat(), '.El', ...notes.flat()];
}

function examples(): string[] {
  const lines = EXAMPLES.trim()
    .split('\n')
    .map((line) => line.replace(/^Try: /, '').trim());
  return ['.Bd -literal -offset indent', ...lines.map(escaped), '.Ed'];
}

/** A sentence to a line at least, none longer than 79 characters, as mandoc(1) wants it; nothing in it is a macro. */
function text(words: string): string {
  const whole = /[.!?]$/.test(words) ? words : `${words}.`;
  return escaped(whole)
    .replaceAll(/([.!?]) (?=\S)/g, '$1\n')
    .split('\n')
    .flatMap(wrapped)
    .map(guarded)
    .join('\n');
}

function wrapped(sentence: string): string[] {
  const lines = [''];
  for (const one of sentence.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + one.length > MOST) lines.push(one);
    else lines[lines.length - 1] = line === '' ? one : `${line} ${one}`;
  }
  return lines;
}

function escaped(words: string): string {
  return words.replaceAll('\\', '\\e').replaceAll('…', '...').replaceAll('-', '\\-');
}

/** A dot or an apostrophe at the start of a line would begin a macro. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
