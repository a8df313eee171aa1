// Help in the layout of kubectl's templates: description, examples, commands, options, usage.
import type { Command } from './command.ts';
import type { Flag } from './flags.ts';

const WIDTH = 120;

/** What `--help` prints. */
export function helpText(command: Command, path: readonly string[]): string {
  const sections = [command.long ?? command.short];
  if (command.example !== undefined) {
    sections.push(`Examples:\n${command.example.split('\n').map((line) => `  ${line}`).join('\n')}`);
  }
  const visible = (command.commands ?? []).filter(({ hidden }) => hidden !== true);
  if (visible.length > 0) {
    const width = Math.max(...visible.map(({ name }) => name.length), 11) + 3;
    sections.push(`Available Commands:\n${visible.map(({ name, short }) => `  ${name.padEnd(width)}${short}`).join('\n')}`);
  }
  const flags = (command.flags ?? []).filter(({ hidden }) => hidden !== true).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (flags.length > 0) sections.push(`Options:\n${flags.map(flagText).join('\n\n')}`);
  sections.push(`Usage:\n  kubectl ${command.use}`);
  const closing = visible.length > 0 ? `Use "${path.join(' ')} <command> --help" for more information about a given command.\n` : '';
  sections.push(`${closing}Use "kubectl options" for a list of global command-line options (applies to all commands).`);
  return `${sections.join('\n\n')}\n`;
}

function flagText(flag: Flag): string {
  const head = `    ${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}=${defaultText(flag)}:`;
  return flag.usage === undefined ? head : `${head}\n${wrap(flag.usage)}`;
}

function defaultText({ kind, default: preset }: Flag): string {
  if (kind === 'string' || kind === 'enumOrBool') return `'${preset ?? ''}'`;
  if (kind === 'stringSlice' || kind === 'stringArray') return preset ?? '[]';
  return preset ?? (kind === 'bool' ? 'false' : kind === 'duration' ? '0s' : '0');
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - 8) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `\t${each}`).join('\n');
}
