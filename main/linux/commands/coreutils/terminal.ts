// clear(1), reset(1), stty(1)
import type { Program } from '../../kernel/index.ts';
import { command, Failure } from '../frame/command.ts';

/** clear(1) */
export const clear: Program = command({ short: 'T:Vx' }, async (it) => {
  await it.out.put(it.options.has('x') ? '\u001b[H\u001b[2J' : '\u001b[H\u001b[2J\u001b[3J');
});

/** reset(1) */
export const reset: Program = command({ short: 'qIQ' }, async (it) => {
  it.proc.tty?.setModes({
    canonical: true,
    echo: true,
    signals: true,
    outputNewline: true,
    inputNewline: true,
  });
  await it.out.put('\u001bc\u001b[!p\u001b[?3;4l\u001b[4l\u001b>');
});

/** stty(1): size, sane, raw, and the flags that are simulated (icanon echo isig opost icrnl). */
export const stty: Program = command(
  {
    short: 'agF:',
    long: ['all>a', 'save>g', 'file:>F'],
    permute: false,
    usage: '[-F DEVICE | --file=DEVICE] [SETTING]...',
    summary: 'Print or change terminal characteristics.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) => (args.every((arg) => /^-(?:a|g|F.*)$|^--/.test(arg)) ? args : ['--', ...args]),
  },
  async (it) => {
    const terminal = it.proc.stdin.tty;
    if (terminal === undefined) throw new Failure("'standard input': Inappropriate ioctl for device");
    const { modes, size } = terminal;
    const flag = (on: boolean, name: string): string => (on ? name : `-${name}`);
    if (it.options.has('a')) {
      await it.out.put(
        `speed 38400 baud; rows ${size.rows}; columns ${size.columns}; line = 0;\nintr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; susp = ^Z;\n${flag(modes.inputNewline, 'icrnl')} ${flag(modes.outputNewline, 'opost')} ${flag(modes.outputNewline, 'onlcr')}\n${flag(modes.signals, 'isig')} ${flag(modes.canonical, 'icanon')} ${flag(modes.echo, 'echo')}\n`,
      );
      return;
    }
    if (it.options.has('g'))
      return void (await it.out.line(
        [modes.canonical, modes.echo, modes.signals, modes.outputNewline, modes.inputNewline]
          .map(Number)
          .join(':'),
      ));
    if (it.operands.length === 0)
      return void (await it.out.put(`speed 38400 baud; line = 0;\n${modes.echo ? '' : '-echo\n'}`));
    for (const setting of it.operands) {
      if (setting === 'size') await it.out.line(`${size.rows} ${size.columns}`);
      else if (setting === 'sane' || setting === 'cooked' || setting === '-raw')
        terminal.setModes({
          canonical: true,
          echo: true,
          signals: true,
          outputNewline: true,
          inputNewline: true,
        });
      else if (setting === 'raw')
        terminal.setModes({ canonical: false, signals: false, outputNewline: false, inputNewline: false });
      else if (/^-?(?:icanon|cbreak)$/.test(setting))
        terminal.setModes({ canonical: setting === 'icanon' || setting === '-cbreak' });
      else if (/^-?echo$/.test(setting)) terminal.setModes({ echo: setting === 'echo' });
      else if (/^-?isig$/.test(setting)) terminal.setModes({ signals: setting === 'isig' });
      else if (/^-?(?:opost|onlcr)$/.test(setting))
        terminal.setModes({ outputNewline: !setting.startsWith('-') });
      else if (/^-?icrnl$/.test(setting)) terminal.setModes({ inputNewline: !setting.startsWith('-') });
      else if (/^[01](?::[01]){4}$/.test(setting)) {
        const [canonical, echo, signals, outputNewline, inputNewline] = setting
          .split(':')
          .map((bit) => bit === '1');
        terminal.setModes({
          canonical: canonical!,
          echo: echo!,
          signals: signals!,
          outputNewline: outputNewline!,
          inputNewline: inputNewline!,
        });
      } else if (
        !/^(?:rows|columns|cols|min|time|intr|erase|-?ix(?:on|off|any)|-?echo[a-z]+|\d+)$/.test(setting)
      )
        throw new Failure(`invalid argument '${setting}'\nTry 'stty --help' for more information.`);
    }
  },
);
