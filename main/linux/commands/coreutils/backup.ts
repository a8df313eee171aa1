// The backups cp, mv, ln and install make of what they replace (--backup, -b, -S).
import { Failure, UsageError, type Invocation } from '../frame/command.ts';
import { quote } from '../frame/quote.ts';
import { lstatOf } from './files.ts';

/** Moves what is at `path` aside if the options ask for it; gives back the backup's name. */
export function backUp(it: Invocation, path: string): string | undefined {
  const { options } = it;
  const { fs } = it.proc;
  if (!options.has('b', 'backup', 'S') || lstatOf(fs, path) === undefined) return undefined;
  const suffix = options.value('S') ?? it.proc.env.get('SIMPLE_BACKUP_SUFFIX') ?? '~';
  const control = options.value('backup') ?? it.proc.env.get('VERSION_CONTROL') ?? 'existing';
  if (!['none', 'off', 'numbered', 't', 'existing', 'nil', 'simple', 'never'].includes(control))
    throw new UsageError(
      `invalid argument ${quote(control)} for ${quote('backup type')}\nValid arguments are:\n  - ‘none’, ‘off’\n  - ‘simple’, ‘never’\n  - ‘existing’, ‘nil’\n  - ‘numbered’, ‘t’`,
    );
  if (control === 'none' || control === 'off') return undefined;
  let number = 0;
  while (lstatOf(fs, `${path}.~${number + 1}~`) !== undefined) number++;
  const numbered =
    control === 'numbered' ||
    control === 't' ||
    (number > 0 && (control === 'existing' || control === 'nil'));
  const name = numbered ? `${path}.~${number + 1}~` : path + suffix;
  if (name === path) throw new Failure('cannot make a backup of that name');
  fs.rename(path, name);
  return name;
}
