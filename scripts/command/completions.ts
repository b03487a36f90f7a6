/** Completions for bash, zsh and fish: they read no file and start nothing, so that the key answers at once. */
import type { CommandInfo, Flag, Tree } from './tree';

const HEAD = '# Written by `npm run docs:command`.';
const all = (flags: readonly Flag[]) => flags.flatMap(({ names }) => names);
const withValue = (flags: readonly Flag[]) => flags.filter(({ value }) => value !== undefined);

/** Which positions take the name of a host. */
const HOSTS: Readonly<Record<string, string>> = { host: 'host', hosts: 'host' };

export function bash({ commands, flags }: Tree): string {
  const names = commands.map(({ name }) => name);
  return `# bash completion for recvfromto, from bash 3.2 on
${HEAD}
_recvfromto() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${[...names, ...all(flags)].join(' ')}" -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map((command) => bashCommand(command, names)).join('\n')}
  esac
}
complete -F _recvfromto recvfromto
`;
}

function bashCommand({ name, flags, words }: CommandInfo, names: readonly string[]): string {
  const known = withValue(flags).filter((flag) => flag.words.length > 0);
  const free = withValue(flags).filter((flag) => flag.words.length === 0);
  const values = [
    ...known.map(
      (flag) =>
        `        ${flag.names.join(' | ')}) COMPREPLY=($(compgen -W "${flag.words.join(' ')}" -- "$word")); return ;;`,
    ),
    ...(free.length > 0 ? [`        ${all(free).join(' | ')}) return ;;`] : []),
  ];
  const cases = values.length === 0 ? '' : `      case $before in\n${values.join('\n')}\n      esac\n`;
  const hosts = words.some((word) => word.name in HOSTS)
    ? '      [[ $word == -* ]] || { COMPREPLY=($(compgen -A hostname -- "$word")); return; }\n'
    : '';
  const offered = name === 'help' ? names.filter((one) => one !== 'help' && one !== 'version') : all(flags);
  return `    ${name})\n${cases}${hosts}      COMPREPLY=($(compgen -W "${offered.join(' ')}" -- "$word"))\n      ;;`;
}

export function zsh({ commands, flags }: Tree): string {
  return `#compdef recvfromto
${HEAD}
_recvfromto() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C \\
${flags.map((flag) => `    ${zshFlag(flag)} \\`).join('\n')}
    '1: :->command' \\
    '*:: :->words'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
      )
      _describe -t commands command commands
      ;;
    words)
      case $line[1] in
${commands.map(zshCommand).join('\n')}
      esac
      ;;
  esac
}
_recvfromto "$@"
`;
}

function zshCommand({ name, flags, words }: CommandInfo): string {
  const positions =
    name === 'help'
      ? ["'1:command:(serve send probe audit doctor)'"]
      : words.map((word, at) => `'${word.repeats ? '*' : at + 1}:${word.name}:${word.name in HOSTS ? '_hosts' : ''}'`);
  const parts = [...flags.map(zshFlag), ...positions].map((part) => `            ${part}`);
  return `        ${name})\n          _arguments \\\n${parts.join(' \\\n')}\n          ;;`;
}

function zshFlag({ names, description, value, words, repeats }: Flag): string {
  const told = description.replaceAll(/[[\]:]/g, (sign) => `\\${sign}`);
  const argument = value === undefined ? '' : `:${value}:${words.length > 0 ? `(${words.join(' ')})` : ''}`;
  const body = `[${told}]${argument}`;
  if (repeats) return quote(`*${names[0]}${body}`);
  if (names.length === 1) return quote(`${names[0]}${body}`);
  return `'(${names.join(' ')})'{${names.join(',')}}${quote(body)}`;
}

export function fish({ commands, flags }: Tree): string {
  const names = commands.map(({ name }) => name).join(' ');
  const first = `not __fish_seen_subcommand_from ${names}`;
  return `# fish completion for recvfromto
${HEAD}
complete -c recvfromto -f
${flags.map((flag) => fishFlag(first, flag)).join('\n')}
${commands.map(({ name, summary }) => `complete -c recvfromto -n ${quote(first)} -a ${name} -d ${quote(summary)}`).join('\n')}
${commands.flatMap(fishCommand).join('\n')}
`;
}

function fishCommand({ name, flags, words }: CommandInfo): string[] {
  const when = `__fish_seen_subcommand_from ${name}`;
  const hosts = words.some((word) => word.name in HOSTS);
  return [
    ...flags.map((flag) => fishFlag(when, flag)),
    ...(hosts ? [`complete -c recvfromto -n ${quote(when)} -a '(__fish_print_hostnames)'`] : []),
    ...(name === 'help' ? [`complete -c recvfromto -n ${quote(when)} -a 'serve send probe audit doctor'`] : []),
  ];
}

function fishFlag(when: string, { names, description, value, words }: Flag): string {
  const parts = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const argument = value === undefined ? '' : ` -x${words.length > 0 ? ` -a ${quote(words.join(' '))}` : ''}`;
  return `complete -c recvfromto -n ${quote(when)} ${parts.join(' ')}${argument} -d ${quote(description)}`;
}

/** For all three shells: what would end the quotes is written as the apostrophe of typesetters. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
