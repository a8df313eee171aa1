// The colours of file names: LS_COLORS, or what ls has built in.
import type { FileStat } from '../../kernel/index.ts';

/** What ls has built in, by LS_COLORS' keys. */
const BUILT_IN: Readonly<Record<string, string>> = {
  di: '01;34',
  ln: '01;36',
  pi: '33',
  so: '01;35',
  bd: '01;33',
  cd: '01;33',
  ex: '01;32',
  su: '37;41',
  sg: '30;43',
  ow: '34;42',
  st: '37;44',
  tw: '30;42',
};

/** LS_COLORS of an environment, or what is built in. */
export class Palette {
  private readonly codes: ReadonlyMap<string, string>;
  private readonly suffixes: readonly (readonly [string, string])[];

  constructor(text: string | undefined) {
    const codes = new Map(Object.entries(BUILT_IN));
    const suffixes: [string, string][] = [];
    for (const pair of (text ?? '').split(':')) {
      const equals = pair.indexOf('=');
      if (equals < 0) continue;
      const [key, code] = [pair.slice(0, equals), pair.slice(equals + 1)];
      if (key.startsWith('*')) suffixes.push([key.slice(1), code]);
      else codes.set(key, code);
    }
    this.codes = codes;
    this.suffixes = suffixes;
  }

  has(key: string): boolean {
    const code = this.codes.get(key) ?? '';
    return code !== '' && code !== '0' && code !== '00';
  }

  of(stat: FileStat, name: string, dangling: boolean): string {
    const code = (key: string): string => (this.has(key) ? this.codes.get(key)! : '');
    switch (stat.type) {
      case 'directory':
        if ((stat.mode & 0o1002) === 0o1002 && this.has('tw')) return code('tw');
        if ((stat.mode & 0o2) !== 0 && this.has('ow')) return code('ow');
        if ((stat.mode & 0o1000) !== 0 && this.has('st')) return code('st');
        return code('di');
      case 'symlink':
        return dangling && this.has('or') ? code('or') : code('ln');
      case 'fifo':
        return code('pi');
      case 'socket':
        return code('so');
      case 'character-device':
        return code('cd');
      case 'block-device':
        return code('bd');
      case 'file':
        if ((stat.mode & 0o4000) !== 0 && this.has('su')) return code('su');
        if ((stat.mode & 0o2000) !== 0 && this.has('sg')) return code('sg');
        if ((stat.mode & 0o111) !== 0 && this.has('ex')) return code('ex');
        return this.suffixes.findLast(([suffix]) => name.endsWith(suffix))?.[1] ?? code('fi');
    }
  }
}

/** The palette of an LS_COLORS, or the one built in. */
export function dircolorsPalette(text: string | undefined): Palette {
  return new Palette(text);
}
