/**
 * The commands, their arguments and options, as commander reads them: the one place from which parsing, --help, the man
 * page and the shells' completions come. Knows no sockets and prints nothing.
 */
import { Command, CommanderError, Option } from 'commander';
import {
  type AuditOptions,
  type DoctorOptions,
  type Group,
  group,
  hostAndPort,
  type Invocation,
  LONGEST,
  MOST,
  type ProbeOptions,
  readers,
  type SendOptions,
  type ServeOptions,
  withoutBrackets,
} from './options';
import { protocolNames } from './probe/names';
import { DESCRIPTIONS, EXAMPLES, NOTES } from './texts';
import { type CommandName, UsageError } from './usage';

type Found = (call: Invocation) => void;
/** What commander hands over: switches that are off are left out. */
type Given<Options, Words extends keyof Options = never> = Partial<Omit<Options, Words>> & Numbers<Options>;
/** Those that have a default. */
type Numbers<Options> = { [Name in keyof Options as Options[Name] extends number ? Name : never]: Options[Name] };

/** Columns of help where the screen has more. */
const WIDTH = 80;

/** @param args without node and the script. @throws UsageError */
export function invocation(args: readonly string[], version: string, width = WIDTH): Invocation {
  if (args.length === 0) return invocation(['--help'], version, width);
  let call: Invocation | undefined;
  let text = '';
  const tree = program(version, (found) => {
    call = found;
  });
  for (const command of [tree, ...tree.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (piece) => {
        text += piece;
      },
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(width, WIDTH),
    });
  }
  try {
    tree.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.version') return { command: 'version', text: text.trimEnd() };
    if (error.exitCode === 0) return { command: 'help', text: text.trimEnd() };
    throw new UsageError(oneLine(error.message), commandOf(args, tree));
  }
  return call as Invocation;
}

/** @param found is handed what is to be run */
export function program(version: string, found: Found = () => {}): Command {
  const tree = new Command('recvfromto')
    .description('UDP that knows which address it was asked on, and answers from it.')
    .version(version, '-v, --version', 'the version')
    .helpOption('-h, --help', 'this, or the help of a command')
    .helpCommand(false)
    .configureHelp({ minWidthToWrap: 25, subcommandTerm: (command) => command.name() })
    .addHelpText('after', EXAMPLES);
  for (const add of [serve, send, probe, audit, doctor]) add(tree, found);
  tree
    .command('help')
    .description('the help of a command')
    .argument('[command]', 'serve, send, probe, audit or doctor')
    .action((name?: string) => {
      if (name === undefined) tree.help();
      const command = tree.commands.find((one) => one.name() === name);
      if (command === undefined) throw new UsageError(`there is no command ${name}`);
      command.help();
    });
  tree
    .command('version')
    .description('the version')
    .action(() => found({ command: 'version', text: version }));
  return tree;
}

function command(tree: Command, name: CommandName, summary: string): Command {
  return tree
    .command(name)
    .summary(summary)
    .description(DESCRIPTIONS[name])
    .helpOption('-h, --help', 'this')
    .addHelpText('after', ({ command: one }) => folded(NOTES[name], one));
}

function serve(tree: Command, found: Found): void {
  const { integer, refuse } = readers('serve');
  const join = (word: string, groups: readonly Group[] = []) => [...groups, group(word, refuse)];
  command(tree, 'serve', 'an echo server on all addresses; a line per datagram')
    .addOption(
      new Option('-p, --port <port>', 'port to listen on; 0: any that is free')
        .default(5300)
        .argParser(integer('--port', 0, 65535)),
    )
    .option('--host <address>', 'only this address; default: all, IPv4 and IPv6')
    .addOption(
      new Option('--join <group>', 'joins a multicast group, as in 239.1.2.3@eth0; may repeat').argParser(join),
    )
    .option('--upper', 'answers in upper case')
    .option('--quiet', 'no line per datagram')
    .option('--json', 'a JSON object per line: datagrams, and at the end a summary')
    .action((given: Given<ServeOptions, 'groups'> & { join?: Group[] }) => {
      const { port, host = 'any', join: groups = [], upper = false, quiet = false, json = false } = given;
      if (host === '') refuse('--host needs an address, or any');
      const only = host === 'any' ? undefined : withoutBrackets(host);
      found({ command: 'serve', options: { port, host: only, groups, upper, quiet, json } });
    });
}

function send(tree: Command, found: Found): void {
  const { integer, literal, refuse } = readers('send');
  command(tree, 'send', 'sends a datagram, prints the answer and its source')
    .usage('[options] <host> <port> [text]')
    .argument('[host]', 'a name or an address; host:port and [v6]:port are understood')
    .argument('[port]', '1 to 65535')
    .argument('[text]', 'default: hello; what a pipe holds, in echo text | recvfromto send …; -: all of stdin')
    .allowExcessArguments()
    .addOption(
      new Option('--from <address>', 'address of this host to send from; else routing decides').argParser(
        literal('--from'),
      ),
    )
    .addOption(
      new Option('--count <n>', 'sends n, one after the other, and prints a summary')
        .default(1)
        .argParser(integer('--count', 1, MOST)),
    )
    .addOption(
      new Option('--timeout <ms>', 'how long to wait for each answer')
        .default(2000)
        .argParser(integer('--timeout', 1, LONGEST)),
    )
    .option('--json', 'a JSON object per line: answers, and at the end a summary')
    .action((_host, _port, _text, given: Given<SendOptions, 'host' | 'port' | 'text'>, { args }: Command) => {
      const words = sendWords(args, refuse, integer);
      found({ command: 'send', options: { from: undefined, ...given, json: given.json === true, ...words } });
    });
}

function sendWords(
  words: readonly string[],
  refuse: (message: string) => never,
  integer: ReturnType<typeof readers>['integer'],
): Pick<SendOptions, 'host' | 'port' | 'text'> {
  const [first = '', ...rest] = words;
  const joined = hostAndPort(first);
  const [host, port, text, extra] = joined === undefined ? words : [joined.host, joined.port, ...rest];
  if (!host || port === undefined) return refuse('needs a host and a port');
  if (extra !== undefined) refuse(`one text only: quote it, as in '${text} ${extra}'`);
  return { host: withoutBrackets(host), port: integer('port', 1, 65535)(port), text };
}

function probe(tree: Command, found: Found): void {
  const { integer, literal } = readers('probe');
  const from = (word: string, all: readonly string[] = []) => [...all, literal('--from')(word)];
  command(tree, 'probe', 'asks any UDP server, and says from where it answers')
    .argument('<port>', 'the port of the server', integer('port', 1, 65535))
    .argument('[hosts...]', 'whom to ask; default: every address of this machine')
    .option('--protocol <name>', `the question: ${protocolNames.join(', ')}, hex:…; default: by the port`)
    .addOption(new Option('--from <address>', 'an address of this machine to ask from; may repeat').argParser(from))
    .addOption(
      new Option('--timeout <ms>', 'how long to wait after each try')
        .default(500)
        .argParser(integer('--timeout', 1, LONGEST)),
    )
    .addOption(
      new Option('--tries <n>', 'how often to ask before giving up').default(3).argParser(integer('--tries', 1, 100)),
    )
    .option('--json', 'the same as JSON')
    .action((port: number, hosts: string[], given: Omit<Given<ProbeOptions, 'hosts'>, 'port'>) => {
      const { protocol, from: sources = [], timeout, tries, json = false } = given;
      const options = { port, hosts: hosts.map(withoutBrackets), protocol, from: sources, timeout, tries, json };
      found({ command: 'probe', options });
    });
}

function audit(tree: Command, found: Found): void {
  command(tree, 'audit', 'which programs here are bound to all addresses (Linux)')
    .option('--json', 'the same as JSON')
    .action(({ json = false }: Given<AuditOptions>) => found({ command: 'audit', options: { json } }));
}

function doctor(tree: Command, found: Found): void {
  command(tree, 'doctor', 'proves here that answers leave from the asked address')
    .option('--deep', 'also tries where kernels differ from each other')
    .option('--json', 'the same facts as JSON')
    .addOption(new Option('--case <name>', 'one case of --deep alone').hideHelp())
    .action(({ json = false, deep = false, case: only }: Given<DoctorOptions, 'only'> & { case?: string }) => {
      found({ command: 'doctor', options: { json, deep, only } });
    });
}

/** Paragraphs in lines that fit. */
function folded(paragraphs: readonly string[], of: Command): string {
  const { getOutHelpWidth = () => WIDTH } = of.configureOutput();
  const help = of.createHelp();
  return paragraphs.map((one) => `\n${help.boxWrap(one, Math.min(getOutHelpWidth() ?? WIDTH, WIDTH))}`).join('\n');
}

/** commander's `error: … \n(Did you mean …?)`, in one line. */
function oneLine(message: string): string {
  const [what = '', hint = ''] = message.replace(/^error: /, '').split('\n');
  const [, meant] = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(hint) ?? [];
  const [, option] = /^option '(?:-\w, )?(--\w+) <.*' argument missing$/.exec(what) ?? [];
  const text = option === undefined ? what.replace(/\.$/, '') : `${option} needs a value`;
  return meant === undefined ? text : `${text}; did you mean ${meant}?`;
}

/** Which command's --help to point to. */
function commandOf(args: readonly string[], tree: Command): CommandName | undefined {
  const known = tree.commands.map((one) => one.name()).filter((name) => name !== 'help' && name !== 'version');
  return known.find((name) => name === args[0]) as CommandName | undefined;
}
