/** The command tree, as the files made of it want it. */
import type { Command, Option } from 'commander';
import { protocolNames } from '../../src/cli/probe/names';
import { program } from '../../src/cli/program';

export interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  /** What stands behind it, as in `--port <port>`; undefined for a switch. */
  readonly value: string | undefined;
  /** The words that it takes, where they are known. */
  readonly words: readonly string[];
  /** Where it has one. */
  readonly preset: string | undefined;
  readonly repeats: boolean;
}

export interface Word {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly repeats: boolean;
}

export interface CommandInfo {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly words: readonly Word[];
}

const HELP: Flag = {
  names: ['-h', '--help'],
  description: 'help',
  value: undefined,
  words: [],
  preset: undefined,
  repeats: false,
};

export interface Tree {
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly commands: readonly CommandInfo[];
}

export function tree(): Tree {
  const root = program('');
  return { description: root.description(), flags: flags(root), commands: root.commands.map(info) };
}

function info(command: Command): CommandInfo {
  const words = command.registeredArguments.map((one): Word => {
    return { name: one.name(), description: one.description, required: one.required, repeats: one.variadic };
  });
  const summary = command.summary() || command.description();
  return { name: command.name(), summary, description: command.description(), flags: flags(command), words };
}

function flags(command: Command): Flag[] {
  return [...command.options.filter(({ hidden }) => !hidden).map(flag), HELP];
}

function flag(option: Option): Flag {
  const { short, long, description, defaultValue } = option;
  const [, value] = /<(.+)>/.exec(option.flags) ?? [];
  return {
    names: [short, long].filter((name) => name !== undefined),
    description,
    value,
    words: long === '--protocol' ? protocolNames : [],
    preset: defaultValue === undefined ? undefined : String(defaultValue),
    repeats: description.endsWith('may repeat'),
  };
}
