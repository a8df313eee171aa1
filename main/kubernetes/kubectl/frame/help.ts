// Help in the layout of kubectl's templates: description, examples, commands, options, usage.
import type { Command } from './command.ts';
import { flagsOf, helpOf } from './documentation.ts';
import { GLOBAL_FLAGS, type FlagHelp } from './help-table.ts';
import type { Flag } from './flags.ts';

/** Narrower than this nothing is wrapped (moby/term as kubectl uses it). */
const COLUMNS_MAX = 120;

/** What `--help` prints, wrapped for a terminal of `columns`; without one not wrapped at all. */
export function helpText(command: Command, path: readonly string[], columns?: number): string {
  const help = helpOf(path.slice(1).join(' '));
  const width = columns === undefined ? undefined : Math.min(columns, COLUMNS_MAX);
  const sections = [wrapText(help?.long ?? command.name, width)];
  if (help?.aliases !== undefined) sections.push(`Aliases:\n${help.aliases.join(', ')}`);
  if (help?.example !== undefined) sections.push(`Examples:\n${indent(help.example)}`);
  for (const { title, commands } of help?.groups ?? []) {
    const pad =
      Math.max(...(help?.groups ?? []).flatMap((group) => group.commands.map(([name]) => name.length))) + 3;
    sections.push(
      `${title}:\n${commands.map(([name, short]) => `  ${name.padEnd(pad)}${short}`).join('\n')}`.trimEnd(),
    );
  }
  const flags = flagsOf(path.slice(1).join(' '), command).filter(
    ({ hidden, usage }) => hidden !== true && usage !== undefined,
  );
  if (flags.length > 0) sections.push(`Options:\n${flags.map((flag) => flagText(flag, width)).join('\n\n')}`);
  if (help !== undefined && help.use !== '') sections.push(`Usage:\n  ${help.use}`);
  const nested = (help?.groups ?? []).length > 0;
  const more = nested
    ? `Use "${path.join(' ')} <command> --help" for more information about a given command.\n`
    : '';
  sections.push(
    `${more}Use "kubectl options" for a list of global command-line options (applies to all commands).`,
  );
  return `${sections.join('\n\n')}\n`;
}

/** What `kubectl options` prints. */
export function optionsText(home: string, columns?: number): string {
  const width = columns === undefined ? undefined : Math.min(columns, COLUMNS_MAX);
  const entry = ([short, name, preset, usage]: FlagHelp): string => {
    const head = `    ${short === '' ? '' : `-${short}, `}--${name}=${preset.replace('/root/', `${home}/`)}:`;
    return `${head}\n${wrapUsage(usage, width)}`;
  };
  return `The following options can be passed to any command:\n\n${GLOBAL_FLAGS.map(entry).join('\n\n')}\n\n`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

function flagText(flag: Flag, width: number | undefined): string {
  const head = `    ${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}=${defaultText(flag)}:`;
  return `${head}\n${wrapUsage(flag.usage ?? '', width)}`;
}

function defaultText({ kind, default: preset }: Flag): string {
  if (kind === 'string') return `'${preset ?? ''}'`;
  if (kind === 'stringSlice' || kind === 'stringArray') return preset ?? '[]';
  return preset ?? (kind === 'bool' ? 'false' : kind === 'duration' ? '0s' : '0');
}

function wrapUsage(usage: string, width: number | undefined): string {
  const lines = usage
    .split('\n')
    .flatMap((line) => (width === undefined ? [line] : wrapLine(line, width - 8)));
  return lines.map((line) => `\t${line}`).join('\n');
}

function wrapText(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width))
    .join('\n');
}

/** Breaks at blanks so that no line is longer than `width` where that can be. */
function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [index, word] of text.split(' ').entries()) {
    if (index > 0 && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = index === 0 ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
