// truncate(1), factor(1), numfmt(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { parseSize } from '../frame/format.ts';
import { quote } from '../frame/quote.ts';

/** truncate(1) */
export const truncate: Program = command(
  {
    short: 'cor:s:',
    long: ['no-create>c', 'io-blocks>o', 'reference:>r', 'size:>s'],
    usage: 'OPTION... FILE...',
    summary: 'Shrink or extend the size of each FILE to the specified size.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const { options, proc } = it;
    const text = options.value('s');
    const reference = options.value('r');
    if (text === undefined && reference === undefined)
      throw new UsageError('you must specify either ‘--size’ or ‘--reference’');
    if (it.operands.length === 0) throw new UsageError('missing file operand');
    const [, sign = '', digits = ''] = /^([-+<>/%]?)(.*)$/.exec(text ?? '')!;
    const amount = reference === undefined ? parseSize(digits) : proc.fs.stat(reference).sizeBytes;
    if (amount === undefined) throw new Failure(`Invalid number: ${quote(text!)}`);
    for (const path of it.operands) {
      if (!proc.fs.exists(path) && options.has('c')) continue;
      const file = proc.fs.open(path, { write: true, create: true }, 0o666);
      const now = file.stat().sizeBytes;
      const size = {
        '': amount,
        '+': now + amount,
        '-': Math.max(0, now - amount),
        '<': Math.min(now, amount),
        '>': Math.max(now, amount),
        '/': Math.floor(now / amount) * amount,
        '%': Math.ceil(now / amount) * amount,
      }[sign]!;
      file.truncate(size);
    }
  },
);

/** factor(1) */
export const factor: Program = command(
  {
    usage: '[NUMBER]...',
    summary: 'Print the prime factors of each specified integer NUMBER.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const texts =
      it.operands.length > 0
        ? it.operands
        : (await it.proc.stdin.readText()).split(/\s+/).filter((word) => word !== '');
    for (const text of texts) {
      if (!/^\d+$/.test(text)) {
        await it.warn(`${quote(text)} is not a valid positive integer`);
        continue;
      }
      const factors: string[] = [];
      let rest = Number(text);
      for (let divisor = 2; divisor * divisor <= rest; divisor++)
        for (; rest % divisor === 0; rest /= divisor) factors.push(String(divisor));
      if (rest > 1) factors.push(String(rest));
      await it.out.line(`${text}:${factors.map((one) => ` ${one}`).join('')}`);
    }
  },
);

/** numfmt(1) */
export const numfmt: Program = command(
  {
    short: 'd:z',
    long: [
      'to:',
      'from:',
      'suffix:',
      'padding:',
      'field:',
      'round:',
      'grouping',
      'header::',
      'delimiter:>d',
      'format:',
      'invalid:',
      'to-unit:',
      'from-unit:',
    ],
    usage: '[OPTION]... [NUMBER]...',
    summary: 'Reformat NUMBER(s), or the numbers from standard input if none are specified.',
    version: '(GNU coreutils) 9.1',
    usageExit: 2,
  },
  async (it) => {
    const { options } = it;
    const to = options.value('to');
    const from = options.value('from');
    const units = ['', 'K', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
    const convert = (text: string): string => {
      const match = /^(-?\d+(?:\.\d+)?)([KkMGTPEZY]?)(i?)$/.exec(text.trim());
      if (match === null) throw new Failure(`invalid number: ${quote(text)}`, 2);
      const scale =
        match[2] === ''
          ? 1
          : (from === 'si' || (from === 'auto' && match[3] === '') ? 1000 : 1024) **
            units.indexOf(match[2]!.toUpperCase());
      let value = Number(match[1]) * scale;
      if (to === undefined || to === 'none') return String(Math.round(value * 1e6) / 1e6);
      const base = to === 'si' ? 1000 : 1024;
      let unit = 0;
      while (Math.abs(value) >= base && unit < units.length - 1) {
        value /= base;
        unit++;
      }
      const shown =
        unit === 0
          ? String(Math.ceil(value))
          : value < 10
            ? (Math.ceil(value * 10 - 1e-9) / 10).toFixed(1)
            : String(Math.ceil(value - 1e-9));
      return shown + units[unit]! + (to === 'iec-i' && unit > 0 ? 'i' : '');
    };
    const pad = (text: string): string =>
      Number(options.value('padding') ?? 0) < 0
        ? text.padEnd(-Number(options.value('padding')))
        : text.padStart(Number(options.value('padding') ?? 0));
    if (it.operands.length > 0)
      for (const text of it.operands) await it.out.line(pad(convert(text) + (options.value('suffix') ?? '')));
    else
      for await (const line of it.proc.stdin.lines()) {
        const field = Number(options.value('field') ?? 1) - 1;
        let index = 0;
        await it.out.line(line.replaceAll(/\S+/g, (word) => (index++ === field ? convert(word) : word)));
      }
  },
);
