// crictl's command line, in the manner of urfave/cli, and what its commands work with.
import { stringify as toYaml } from 'yaml';
import type { Process } from '../../../kernel/index.ts';
import type { Container, Containerd, Sandbox } from '../../../containerd/index.ts';

/** Gives up with a text after FATA. */
export class CrictlError extends Error {}

export interface Words {
  readonly operands: readonly string[];
  has(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/** `table` holds `name,short` and `name,short=` (takes a value). With `stops`, the first operand ends the flags. Throws CrictlError. */
export function readWords(args: readonly string[], table: string, stops: boolean): Words {
  const known = new Map<string, { name: string; takesValue: boolean }>();
  for (const entry of table.split(' ').filter((each) => each !== '')) {
    const names = entry.replace(/=$/, '').split(',');
    for (const name of names) known.set(name, { name: names[0]!, takesValue: entry.endsWith('=') });
  }
  const found: [string, string][] = [];
  const operands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      operands.push(word);
      if (!stops) continue;
      operands.push(...args.slice(index + 1));
      break;
    }
    const [, name = '', value] = match;
    const flag = known.get(name);
    if (flag !== undefined) {
      if (flag.takesValue && value === undefined && index + 1 >= args.length)
        throw new CrictlError(`flag needs an argument: ${word}`);
      found.push([flag.name, value ?? (flag.takesValue ? args[++index]! : 'true')]);
      continue;
    }
    // -it, -qa: switches of one letter together.
    const letters = Array.from(name, (letter) => known.get(letter));
    if (word.startsWith('--') || letters.some((each) => each === undefined || each.takesValue))
      throw new CrictlError(`flag provided but not defined: -${name}`);
    for (const each of letters) found.push([each!.name, 'true']);
  }
  return {
    operands,
    has: (name) => found.some(([each, value]) => each === name && value !== 'false'),
    value: (name) => found.findLast(([each]) => each === name)?.[1],
    values: (name) => found.filter(([each]) => each === name).map(([, value]) => value),
  };
}

/** What a command works with. */
export interface CrictlWorld {
  readonly proc: Process;
  readonly runtime: Containerd;
  readonly words: Words;
  readonly isDebug: boolean;
  readonly print: (text: string) => Promise<void>;
}

/** Prints a value in the format that -o names. */
export async function printValue(world: CrictlWorld, value: unknown): Promise<void> {
  const format = world.words.value('output') ?? 'json';
  await world.print(format === 'yaml' ? toYaml(value) : `${JSON.stringify(value, undefined, 2)}\n`);
}

/** A container by its id, a beginning of it, or (as people do) not at all. Throws CrictlError. */
export function findByPrefix<T extends Container | Sandbox>(all: readonly T[], id: string): T | undefined {
  return (
    all.find((one) => one.id === id) ?? (id === '' ? undefined : all.find((one) => one.id.startsWith(id)))
  );
}

/** crictl's tables: columns of at least 20, three blanks between. */
export function tabular(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row
      .slice(0, -1)
      .forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 20, cell.length + 3)));
  return rows
    .map(
      (row) =>
        `${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join('')}\n`,
    )
    .join('');
}
