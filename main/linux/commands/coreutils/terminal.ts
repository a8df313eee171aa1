// clear(1), reset(1), tput(1)
import { SANE_MODES, type Program } from '../../kernel/index.ts';
import { command, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';

/** clear(1) */
export const clear: Program = command({ short: 'T:Vx' }, async (it) => {
  await it.out.put(it.options.has('x') ? '\u001b[H\u001b[2J' : '\u001b[H\u001b[2J\u001b[3J');
});

/** reset(1) */
export const reset: Program = command({ short: 'qIQ' }, async (it) => {
  it.proc.tty?.setModes(SANE_MODES);
  await it.out.put('\u001bc\u001b[!p\u001b[?3;4l\u001b[4l\u001b>');
});

/** Capabilities of xterm-256color that scripts use; %1 and %2 stand for the arguments, +1 for one more. */
const TEXTS: Readonly<Record<string, string>> = {
  bel: '\u0007',
  blink: '\u001b[5m',
  bold: '\u001b[1m',
  civis: '\u001b[?25l',
  clear: '\u001b[H\u001b[2J\u001b[3J',
  cnorm: '\u001b[?12l\u001b[?25h',
  cr: '\r',
  cub: '\u001b[%1D',
  cub1: '\b',
  cud: '\u001b[%1B',
  cud1: '\n',
  cuf: '\u001b[%1C',
  cuf1: '\u001b[C',
  cup: '\u001b[%1+1;%2+1H',
  cuu: '\u001b[%1A',
  cuu1: '\u001b[A',
  cvvis: '\u001b[?12;25h',
  dch: '\u001b[%1P',
  dch1: '\u001b[P',
  dim: '\u001b[2m',
  dl: '\u001b[%1M',
  dl1: '\u001b[M',
  ech: '\u001b[%1X',
  ed: '\u001b[J',
  el: '\u001b[K',
  el1: '\u001b[1K',
  home: '\u001b[H',
  hpa: '\u001b[%1+1G',
  ich: '\u001b[%1@',
  il: '\u001b[%1L',
  il1: '\u001b[L',
  ind: '\n',
  invis: '\u001b[8m',
  kbs: '\u007f',
  kcub1: '\u001bOD',
  kcud1: '\u001bOB',
  kcuf1: '\u001bOC',
  kcuu1: '\u001bOA',
  kdch1: '\u001b[3~',
  kend: '\u001bOF',
  khome: '\u001bOH',
  knp: '\u001b[6~',
  kpp: '\u001b[5~',
  op: '\u001b[39;49m',
  rc: '\u001b8',
  rev: '\u001b[7m',
  ri: '\u001bM',
  ritm: '\u001b[23m',
  rmam: '\u001b[?7l',
  rmcup: '\u001b[?1049l\u001b[23;0;0t',
  rmkx: '\u001b[?1l\u001b>',
  rmso: '\u001b[27m',
  rmul: '\u001b[24m',
  rs1: '\u001bc',
  sc: '\u001b7',
  setab: '48',
  setaf: '38',
  sgr0: '\u001b(B\u001b[m',
  sitm: '\u001b[3m',
  smam: '\u001b[?7h',
  smcup: '\u001b[?1049h\u001b[22;0;0t',
  smkx: '\u001b[?1h\u001b=',
  smso: '\u001b[7m',
  smul: '\u001b[4m',
  vpa: '\u001b[%1+1d',
};
const NUMBERS: Readonly<Record<string, number>> = { colors: 256, it: 8, pairs: 65_536 };
const FLAGS = new Set(['am', 'bce', 'ccc', 'km', 'mc5i', 'mir', 'msgr', 'npc', 'xenl']);
const DUMB = new Set(['bel', 'cr', 'cud1', 'ind', 'am']);

/** tput(1) */
export const tput: Program = command(
  { short: 'ST:Vx', version: 'ncurses 6.4.20221231', permute: false },
  async (it) => {
    const { proc, options, operands } = it;
    const term = options.value('T') ?? proc.env.get('TERM') ?? '';
    if (options.has('V')) return void (await it.out.line('ncurses 6.4.20221231'));
    if (term === '') {
      await proc.stderr.write('tput: No value for $TERM and no -T specified\n');
      return 2;
    }
    if (!/^(?:xterm|screen|tmux|vt|linux|ansi|dumb|rxvt)/.test(term)) {
      await proc.stderr.write(`tput: unknown terminal "${term}"\n`);
      return 3;
    }
    const lines = options.has('S')
      ? (await readAll(proc.stdin))
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
      : [operands];
    if (lines[0]?.[0] === undefined) {
      await proc.stderr.write('usage: tput [-V] [-S] [-T term] capname\n');
      return 2;
    }
    for (const [name, ...args] of lines) {
      const status = await capability(it, term, name!, args);
      if (status !== 0) return status;
    }
    return 0;
  },
);

async function capability(
  it: Invocation,
  term: string,
  name: string,
  args: readonly string[],
): Promise<number> {
  const { proc } = it;
  const tty = proc.stdout.tty ?? proc.stderr.tty ?? proc.stdin.tty ?? proc.tty;
  if (name === 'init' || name === 'reset') {
    if (name === 'reset') tty?.setModes(SANE_MODES);
    await it.out.put('\u001b[!p\u001b[?3;4l\u001b[4l\u001b>');
    return 0;
  }
  if (name === 'longname') {
    await it.out.put('xterm with 256 colors');
    return 0;
  }
  if (name === 'cols' || name === 'lines') {
    const size = tty?.size ?? { columns: 80, rows: 24 };
    const asked = Number(proc.env.get(name === 'cols' ? 'COLUMNS' : 'LINES') ?? '');
    await it.out.line(String(asked > 0 ? asked : name === 'cols' ? size.columns : size.rows));
    return 0;
  }
  const knows = term !== 'dumb' || DUMB.has(name);
  if (NUMBERS[name] !== undefined) {
    const colors = /256/.test(term) ? 256 : term === 'dumb' || term.startsWith('vt') ? -1 : 8;
    await it.out.line(String(name === 'colors' ? colors : NUMBERS[name]));
    return 0;
  }
  if (FLAGS.has(name)) return knows ? 0 : 1;
  const text = TEXTS[name];
  if (text === undefined) {
    await proc.stderr.write(`tput: unknown terminfo capability '${name}'\n`);
    return 4;
  }
  if (!knows) return 1;
  if (name === 'setaf' || name === 'setab') {
    await it.out.put(color(name, Number(args[0] ?? 0)));
    return 0;
  }
  await it.out.put(
    text.replace(/%([12])(\+1)?/g, (_, index: string, more: string | undefined) =>
      String(Number(args[Number(index) - 1] ?? 0) + (more === undefined ? 0 : 1)),
    ),
  );
  return 0;
}

/** Colours 0 to 7 and 8 to 15 have codes of their own. */
function color(name: 'setaf' | 'setab', index: number): string {
  const base = name === 'setaf' ? 30 : 40;
  if (index < 8) return `\u001b[${base + index}m`;
  if (index < 16) return `\u001b[${base + 60 + index - 8}m`;
  return `\u001b[${base + 8};5;${index}m`;
}
