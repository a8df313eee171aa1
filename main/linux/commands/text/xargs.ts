// xargs(1)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { LineReader } from '../frame/input.ts';
import { runChild } from '../frame/child.ts';

const ARGUMENTS_BYTES_MAX = 131_072;

/** xargs(1) */
export const xargs: Program = command(
  {
    short: '0a:d:E:I:i::L:l::n:P:prs:tx',
    long: [
      'null>0',
      'arg-file:>a',
      'delimiter:>d',
      'eof::>E',
      'replace::>i',
      'max-lines::>l',
      'max-args:>n',
      'max-procs:>P',
      'interactive>p',
      'no-run-if-empty>r',
      'max-chars:>s',
      'verbose>t',
      'show-limits',
      'exit>x',
      'open-tty>o',
    ],
    permute: false,
    usage: '[OPTION]... COMMAND [INITIAL-ARGS]...',
    summary: 'Run COMMAND with arguments INITIAL-ARGS and more arguments read from input.',
    version: '(GNU findutils) 4.9.0',
  },
  async (it) => {
    const runner = new Runner(it);
    const batch: string[] = [];
    let size = 0;
    for await (const item of runner.items()) {
      if (runner.full(batch.length, size + item.length)) {
        await runner.run(batch.splice(0));
        size = 0;
      }
      batch.push(item);
      size += item.length + 1;
      if (runner.full(batch.length + 1, size)) {
        await runner.run(batch.splice(0));
        size = 0;
      }
    }
    if (batch.length > 0 || (!runner.ran && !it.options.has('r') && runner.replacement === undefined))
      await runner.run(batch);
    await runner.finish();
    return it.exitCode;
  },
);

class Runner {
  readonly replacement: string | undefined;
  ran = false;
  private readonly it: Invocation;
  private readonly argumentsMax: number;
  private readonly parallel: number;
  private readonly running = new Set<Promise<void>>();

  constructor(it: Invocation) {
    this.it = it;
    const { options } = it;
    this.replacement = options.value('I') ?? (options.has('i') ? (options.value('i') ?? '{}') : undefined);
    const count = options.value('n') ?? options.value('L');
    if (count !== undefined && !/^[1-9]\d*$/.test(count)) {
      throw new Failure(
        /^\d+$/.test(count)
          ? `value ${count} for -n option should be >= 1`
          : `invalid number "${count}" for -n option\nTry 'xargs --help' for more information.`,
      );
    }
    this.argumentsMax = this.replacement !== undefined ? 1 : Number(count ?? Infinity);
    this.parallel = Number(options.value('P') ?? 1) || Infinity;
  }

  full(count: number, size: number): boolean {
    return count > this.argumentsMax || (size > ARGUMENTS_BYTES_MAX && count > 1);
  }

  async *items(): AsyncGenerator<string> {
    const { options, proc } = this.it;
    const path = options.value('a');
    const file = path === undefined ? proc.stdin : proc.fs.open(path);
    const delimiter = options.has('0') ? '\0' : options.value('d');
    if (delimiter !== undefined) {
      const c =
        delimiter === '\\n' ? '\n' : delimiter === '\\0' ? '\0' : delimiter === '\\t' ? '\t' : delimiter;
      const reader = new LineReader(file, c);
      for (let line = await reader.next(); line !== undefined; line = await reader.next()) yield line.text;
      return;
    }
    const reader = new LineReader(file);
    const eof = options.value('E');
    for (let line = await reader.next(); line !== undefined; line = await reader.next()) {
      const items =
        this.replacement === undefined && !options.has('L')
          ? this.split(line.text)
          : [this.unquote(line.text.replace(/^\s+/, ''))].filter((text) => text !== '');
      for (const item of items) {
        if (item === eof) return;
        yield item;
      }
    }
  }

  private unquote(text: string): string {
    return this.split(text, true).join(' ');
  }

  private split(text: string, whole = false): string[] {
    const items: string[] = [];
    let item: string | undefined;
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if (c === "'" || c === '"') {
        const end = text.indexOf(c, i + 1);
        if (end < 0)
          throw new Failure(
            `unmatched ${c === "'" ? 'single' : 'double'} quote; by default quotes are special to xargs unless you use the -0 option`,
          );
        item = (item ?? '') + text.slice(i + 1, end);
        i = end;
      } else if (c === '\\' && i + 1 < text.length) item = (item ?? '') + text[++i];
      else if (/\s/.test(c) && !whole) {
        if (item !== undefined) items.push(item);
        item = undefined;
      } else item = (item ?? '') + c;
    }
    if (item !== undefined) items.push(item);
    return items;
  }

  async run(items: readonly string[]): Promise<void> {
    this.ran = true;
    const { it } = this;
    const initial = it.operands.length > 0 ? it.operands : ['echo'];
    const argv =
      this.replacement === undefined
        ? [...initial, ...items]
        : initial.map((arg, index) =>
            index === 0 ? arg : arg.replaceAll(this.replacement!, items[0] ?? ''),
          );
    if (it.options.has('t', 'p')) await it.proc.stderr.write(`${argv.join(' ')}\n`);
    const one = this.start(it.proc, argv);
    if (this.parallel === 1) return one;
    const tracked: Promise<void> = one.finally(() => this.running.delete(tracked));
    this.running.add(tracked);
    if (this.running.size >= this.parallel) await Promise.race(this.running);
  }

  async finish(): Promise<void> {
    await Promise.all(this.running);
  }

  private async start(proc: Process, argv: string[]): Promise<void> {
    const { it } = this;
    try {
      const status = await runChild(proc, { argv, stdin: 'null' });
      if (status.kind === 'signaled')
        throw new Failure(`${argv[0]}: terminated by signal ${status.number}`, 125);
      if (status.exitCode === 255) throw new Failure(`${argv[0]}: exited with status 255; aborting`, 124);
      if (status.exitCode !== 0) it.exitCode = 123;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new Failure(`${argv[0]}: ${error.message}`, error.code === 'ENOENT' ? 127 : 126);
    }
  }
}
