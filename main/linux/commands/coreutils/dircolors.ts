// dircolors(1): LS_COLORS for a shell to evaluate.
import { ErrnoError } from '../../../network/index.ts';
import type { Program } from '../../kernel/index.ts';
import { command, Failure, UsageError } from '../frame/command.ts';
import { readAllText } from '../frame/input.ts';
import { quote } from '../frame/quote.ts';

const KINDS: Readonly<Record<string, string>> = {
  NORMAL: 'no',
  NORM: 'no',
  FILE: 'fi',
  RESET: 'rs',
  DIR: 'di',
  LINK: 'ln',
  SYMLINK: 'ln',
  MULTIHARDLINK: 'mh',
  FIFO: 'pi',
  PIPE: 'pi',
  SOCK: 'so',
  DOOR: 'do',
  BLK: 'bd',
  BLOCK: 'bd',
  CHR: 'cd',
  CHAR: 'cd',
  ORPHAN: 'or',
  MISSING: 'mi',
  SETUID: 'su',
  SETGID: 'sg',
  CAPABILITY: 'ca',
  STICKY_OTHER_WRITABLE: 'tw',
  OTHER_WRITABLE: 'ow',
  STICKY: 'st',
  EXEC: 'ex',
};

const TYPES =
  'rs=0:di=01;34:ln=01;36:mh=00:pi=40;33:so=01;35:do=01;35:bd=40;33;01:cd=40;33;01:or=40;31;01:mi=00:su=37;41:sg=30;43:ca=00:tw=30;42:ow=34;42:st=37;44:ex=01;32:';
const GROUPS: readonly (readonly [string, string])[] = [
  [
    '01;31',
    'tar tgz arc arj taz lha lz4 lzh lzma tlz txz tzo t7z zip z dz gz lrz lz lzo xz zst tzst bz2 bz tbz tbz2 tz deb rpm jar war ear sar rar alz ace zoo cpio 7z rz cab wim swm dwm esd',
  ],
  [
    '01;35',
    'avif jpg jpeg mjpg mjpeg gif bmp pbm pgm ppm tga xbm xpm tif tiff png svg svgz mng pcx mov mpg mpeg m2v mkv webm webp ogm mp4 m4v mp4v vob qt nuv wmv asf rm rmvb flc avi fli flv gl dl xcf xwd yuv cgm emf ogv ogx',
  ],
  ['00;36', 'aac au flac m4a mid midi mka mp3 mpc ogg ra wav oga opus spx xspf'],
];

function builtIn(): string {
  return (
    TYPES +
    GROUPS.map(([code, names]) =>
      names
        .split(' ')
        .map((name) => `*.${name}=${code}:`)
        .join(''),
    ).join('')
  );
}

/** dircolors(1) */
export const dircolors: Program = command(
  {
    short: 'bcp',
    long: ['sh>b', 'bourne-shell>b', 'csh>c', 'c-shell>c', 'print-database>p', 'print-ls-colors'],
    usage: '[OPTION]... [FILE]',
    summary: 'Output commands to set the LS_COLORS environment variable.',
    version: '(GNU coreutils) 9.1',
  },
  async (it) => {
    const [path, extra] = it.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ${quote(extra)}`);
    let colors = builtIn();
    if (path !== undefined) {
      try {
        colors = parseDatabase(await readAllText(it.open(path)));
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        throw new Failure(`${path}: ${error.message}`);
      }
    }
    if (it.options.has('p')) {
      const names = new Map(Object.entries(KINDS).map(([name, key]) => [key, name]));
      for (const pair of colors.split(':').filter((one) => one !== '')) {
        const [key = '', code = ''] = pair.split('=');
        await it.out.line(`${key.startsWith('*') ? key.slice(1) : (names.get(key) ?? key)} ${code}`);
      }
      return;
    }
    const csh =
      it.options.last('b', 'c') === 'c' ||
      (!it.options.has('b', 'c') && (it.proc.env.get('SHELL') ?? '').endsWith('csh'));
    await it.out.put(csh ? `setenv LS_COLORS '${colors}'\n` : `LS_COLORS='${colors}';\nexport LS_COLORS\n`);
  },
);

/** A database as dircolors -p prints it. TERM lines don't choose here: every terminal has colours. */
function parseDatabase(text: string): string {
  let out = '';
  for (const line of text.split('\n')) {
    const [name = '', code = ''] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (name === '' || name === 'TERM' || name === 'COLORTERM' || code === '') continue;
    const kind = KINDS[name.toUpperCase()];
    out += kind === undefined ? `${name.startsWith('*') ? '' : '*'}${name}=${code}:` : `${kind}=${code}:`;
  }
  return out;
}
