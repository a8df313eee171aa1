// stty(1)
import { SANE_MODES, type Program, type Tty, type TtyCharacters, type TtyModes } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';

const TRY = "\nTry 'stty --help' for more information.";
const SPEED = '38400';

/** Settings that the line discipline heeds, by their names. */
const HEEDED = {
  icrnl: 'inputNewline',
  ixon: 'flowControl',
  ixany: 'anyKeyStarts',
  opost: 'outputNewline',
  isig: 'signals',
  icanon: 'canonical',
  echo: 'echo',
  echoe: 'echoErase',
  crterase: 'echoErase',
  echoke: 'echoKill',
  crtkill: 'echoKill',
  echonl: 'echoNewline',
  noflsh: 'keepsInput',
  tostop: 'stopsWriters',
  echoctl: 'echoControl',
  ctlecho: 'echoControl',
} as const satisfies Readonly<Record<string, keyof TtyModes>>;

/** As `stty -a` lists them, line by line; a dash is how `sane` has it. */
const LINES: readonly string[][] = [
  '-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts',
  '-ignbrk brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff -iuclc -ixany imaxbel -iutf8',
  'opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0',
  'isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt echoctl echoke -flusho -extproc',
].map((line) => line.split(' '));
const CHARACTERS: readonly (keyof TtyCharacters | 'swtch')[] = [
  'intr',
  'quit',
  'erase',
  'kill',
  'eof',
  'eol',
  'eol2',
  'swtch',
  'start',
  'stop',
  'susp',
  'rprnt',
  'werase',
  'lnext',
  'discard',
];

/** stty(1): what the line discipline heeds, and the rest remembered. */
export const stty: Program = command(
  {
    short: 'agF:',
    long: ['all>a', 'save>g', 'file:>F'],
    permute: false,
    usage: '[-F DEVICE | --file=DEVICE] [SETTING]...',
    summary: 'Print or change terminal characteristics.',
    version: '(GNU coreutils) 9.1',
    prepare: (args) => (args.every((arg) => /^-(?:a|g|F.*)$|^--/.test(arg)) ? args : separated(args)),
  },
  async (it) => {
    const { options, operands } = it;
    const path = options.value('F');
    const terminal = path === undefined ? it.proc.stdin.tty : it.proc.fs.open(path, { read: true }).tty;
    if (terminal === undefined)
      throw new Failure(`${path ?? "'standard input'"}: Inappropriate ioctl for device`);
    if (options.has('a')) await it.out.put(everything(terminal));
    else if (options.has('g')) await it.out.line(saved(terminal.modes));
    else if (operands.length === 0) await it.out.put(changed(terminal));
    else await apply(it, terminal, operands);
  },
);

/** Settings may begin with a dash: they aren't options. */
function separated(args: readonly string[]): string[] {
  const device = args[0] === '-F' ? 2 : /^(?:-F.|--file=)/.test(args[0] ?? '') ? 1 : 0;
  return [...args.slice(0, device), '--', ...args.slice(device)];
}

function shownCharacter(code: number): string {
  if (code === 0) return '<undef>';
  if (code === 127) return '^?';
  return code < 32 ? `^${String.fromCharCode(code + 64)}` : String.fromCharCode(code);
}

function characterOf({ characters }: TtyModes, name: keyof TtyCharacters | 'swtch'): number {
  return name === 'swtch' ? 0 : characters[name];
}

/** `icanon` or `-icanon`, as it is now. */
function flagText(modes: TtyModes, sane: string): string {
  const name = sane.replace(/^-/, '');
  const heeded: keyof TtyModes | undefined = HEEDED[name as keyof typeof HEEDED];
  const saneOn = !sane.startsWith('-');
  const isOn = heeded === undefined ? saneOn !== modes.inert.has(name) : modes[heeded] === true;
  return isOn ? name : `-${name}`;
}

function minAndTime({ inert }: TtyModes): string[] {
  const value = (name: string, usual: number): string =>
    [...inert].find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? String(usual);
  return [`min = ${value('min', 1)};`, `time = ${value('time', 0)};`];
}

function everything({ modes, size }: Tty): string {
  const characters = CHARACTERS.map((name) => `${name} = ${shownCharacter(characterOf(modes, name))};`);
  const head = `speed ${SPEED} baud; rows ${size.rows}; columns ${size.columns}; line = 0;\n`;
  const flags = LINES.map((line) => wrap(line.map((sane) => flagText(modes, sane))));
  return head + wrap([...characters, ...minAndTime(modes)]) + flags.join('');
}

/** Only what isn't as `stty sane` leaves it. */
function changed({ modes }: Tty): string {
  const characters = CHARACTERS.filter(
    (name) => characterOf(modes, name) !== characterOf(SANE_MODES, name),
  ).map((name) => `${name} = ${shownCharacter(characterOf(modes, name))};`);
  if (!modes.canonical) characters.push(...minAndTime(modes));
  const flags = LINES.map((line) =>
    wrap(line.map((sane) => flagText(modes, sane)).filter((now, i) => now !== line[i])),
  );
  return `speed ${SPEED} baud; line = 0;\n${wrap(characters)}${flags.join('')}`;
}

/** Lines of at most 80 columns. */
function wrap(words: readonly string[]): string {
  let text = '';
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length >= 80) {
      text += `${line}\n`;
      line = word;
    } else line += line === '' ? word : ` ${word}`;
  }
  return line === '' ? text : `${text}${line}\n`;
}

/** What -g prints and a later stty takes back: the four flag words and the characters. */
function saved(modes: TtyModes): string {
  const words = LINES.slice(1).map((line) =>
    line.reduce((bits, sane, i) => bits + (flagText(modes, sane).startsWith('-') ? 0 : 2 ** i), 0),
  );
  const control = LINES[0]!.reduce(
    (bits, sane, i) => bits + (flagText(modes, sane).startsWith('-') ? 0 : 2 ** i),
    0,
  );
  const characters = CHARACTERS.map((name) => characterOf(modes, name));
  return [words[0]!, words[1]!, control, words[2]!, ...characters].map((word) => word.toString(16)).join(':');
}

function restore(terminal: Tty, text: string): void {
  const fields = text.split(':').map((field) => Number.parseInt(field, 16));
  const words = [fields[2]!, fields[0]!, fields[1]!, fields[3]!];
  for (const [index, line] of LINES.entries())
    for (const [i, sane] of line.entries())
      setFlag(terminal, sane.replace(/^-/, ''), Math.floor(words[index]! / 2 ** i) % 2 === 1);
  for (const [i, name] of CHARACTERS.entries())
    if (name !== 'swtch') setCharacter(terminal, name, fields[4 + i]!);
}

function setFlag(terminal: Tty, name: string, on: boolean): boolean {
  const heeded: keyof TtyModes | undefined = HEEDED[name as keyof typeof HEEDED];
  if (heeded !== undefined) {
    terminal.setModes({ [heeded]: on });
    return true;
  }
  const sane = LINES.flat().find((each) => each.replace(/^-/, '') === name);
  if (sane === undefined) return false;
  const inert = new Set(terminal.modes.inert);
  if (on === !sane.startsWith('-')) inert.delete(name);
  else inert.add(name);
  terminal.setModes({ inert });
  return true;
}

function setCharacter(terminal: Tty, name: keyof TtyCharacters, code: number): void {
  terminal.setModes({ characters: { ...terminal.modes.characters, [name]: code } });
}

function codeOf(text: string): number {
  if (text === '^-' || text === 'undef' || text === '') return 0;
  if (text === '^?') return 127;
  if (/^\^.$/s.test(text)) return text.toUpperCase().charCodeAt(1) & 31;
  if (text.length === 1) return text.charCodeAt(0);
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text) & 255;
  throw new Failure(`invalid integer argument '${text}'`);
}

async function apply(it: Invocation, terminal: Tty, settings: readonly string[]): Promise<void> {
  for (let i = 0; i < settings.length; i++) {
    const setting = settings[i]!;
    const argument = (): string => {
      const value = settings[++i];
      if (value === undefined) throw new Failure(`missing argument to '${setting}'${TRY}`);
      return value;
    };
    if (CHARACTERS.includes(setting as keyof TtyCharacters)) {
      const code = codeOf(argument());
      if (setting !== 'swtch') setCharacter(terminal, setting as keyof TtyCharacters, code);
    } else if (setting === 'size') await it.out.line(`${terminal.size.rows} ${terminal.size.columns}`);
    else if (setting === 'speed') await it.out.line(SPEED);
    else if (/^(?:rows|columns|cols)$/.test(setting)) resize(terminal, setting, argument());
    else if (setting === 'min' || setting === 'time') remember(terminal, setting, argument());
    else if (/^(?:[io]?speed|line)$/.test(setting)) argument();
    else if (/^[0-9a-f]+(?::[0-9a-f]+){18}$/.test(setting)) restore(terminal, setting);
    else if (
      !combination(terminal, setting) &&
      !setFlag(terminal, setting.replace(/^-/, ''), !setting.startsWith('-'))
    )
      if (!/^\d+$/.test(setting)) throw new Failure(`invalid argument '${setting}'${TRY}`);
  }
}

function resize(terminal: Tty, setting: string, text: string): void {
  if (!/^\d+$/.test(text)) throw new Failure(`invalid integer argument: '${text}'`);
  const { size } = terminal;
  terminal.setSize(setting === 'rows' ? { ...size, rows: Number(text) } : { ...size, columns: Number(text) });
}

function remember(terminal: Tty, name: string, text: string): void {
  if (!/^\d+$/.test(text)) throw new Failure(`invalid integer argument: '${text}'`);
  const inert = new Set([...terminal.modes.inert].filter((each) => !each.startsWith(`${name}=`)));
  if (text !== (name === 'min' ? '1' : '0')) inert.add(`${name}=${text}`);
  terminal.setModes({ inert });
}

/** Settings that stand for several; false if this is none. */
function combination(terminal: Tty, setting: string): boolean {
  switch (setting) {
    case 'sane':
      terminal.setModes(SANE_MODES);
      return true;
    case 'raw':
    case '-cooked':
      terminal.setModes({
        canonical: false,
        signals: false,
        outputNewline: false,
        inputNewline: false,
        flowControl: false,
      });
      return true;
    case '-raw':
    case 'cooked':
      terminal.setModes({
        canonical: true,
        signals: true,
        outputNewline: true,
        inputNewline: true,
        flowControl: true,
      });
      return true;
    case 'cbreak':
    case '-cbreak':
      terminal.setModes({ canonical: setting !== 'cbreak' });
      return true;
    case 'nl':
    case '-nl':
      terminal.setModes({ inputNewline: setting !== 'nl', outputNewline: setting !== 'nl' });
      return true;
    case 'ek':
      setCharacter(terminal, 'erase', SANE_MODES.characters.erase);
      setCharacter(terminal, 'kill', SANE_MODES.characters.kill);
      return true;
    case 'crt':
    case 'dec':
      terminal.setModes({ echoErase: true, echoControl: true, echoKill: true });
      return true;
    case 'evenp':
    case '-evenp':
    case 'oddp':
    case '-oddp':
    case 'pass8':
    case '-pass8':
    case 'litout':
    case '-litout':
    case 'drain':
    case '-drain':
      return true;
    default:
      return false;
  }
}
