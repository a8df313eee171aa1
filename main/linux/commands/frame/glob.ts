// Shell patterns as fnmatch(3) matches them.
import { escapeRegex } from './regex.ts';

export interface GlobOptions {
  /** `*` and `?` don't match a slash. */
  readonly pathname?: boolean;
  readonly ignoreCase?: boolean;
}

/** A shell pattern as a regular expression for the whole text. */
export function globRegex(pattern: string, options: GlobOptions = {}): RegExp {
  const any = options.pathname === true ? '[^/]' : '[^]';
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '*') source += `${any}*`;
    else if (c === '?') source += any;
    else if (c === '\\' && i + 1 < pattern.length) source += escapeRegex(pattern[++i]!);
    else if (c === '[') {
      const set = /^\[([!^]?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/.exec(pattern.slice(i));
      if (set === null) source += '\\[';
      else {
        const body = set[2]!
          .replaceAll(/\[:([a-z]+):\]/g, (_, name: string) => POSIX[name] ?? '')
          .replaceAll(/[\\\]^]/g, (x) => (x === '\\' ? '\\\\' : `\\${x}`));
        source += `[${set[1] === '' ? '' : '^'}${body}]`;
        i += set[0].length - 1;
      }
    } else source += escapeRegex(c);
  }
  return new RegExp(`^(?:${source})$`, options.ignoreCase === true ? 'i' : '');
}

const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: ' \t\n\r\f\v',
  punct: '!-/:-@[-`{-~',
};
