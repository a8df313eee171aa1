// /etc/sudoers: who may run what as whom. sudoers(5).
import { ErrnoError } from '../../../network/index.ts';
import type { FileSystemView } from '../../kernel/index.ts';

/** What stands where there is no such file. */
const FALLBACK = 'root ALL=(ALL:ALL) ALL\n%wheel ALL=(ALL) NOPASSWD: ALL\n%sudo ALL=(ALL) NOPASSWD: ALL\n';

export interface Rule {
  readonly who: string;
  /** `ALL : ALL`, as sudo -l shows it. */
  readonly runAs: readonly string[];
  readonly noPassword: boolean;
  readonly commands: readonly string[];
}

/** All rules, those of /etc/sudoers.d last. */
export function sudoRules(files: FileSystemView): Rule[] {
  const text = read(files, '/etc/sudoers') ?? FALLBACK;
  const more = files.exists('/etc/sudoers.d')
    ? files
        .readdir('/etc/sudoers.d')
        .filter(({ name }) => !/[.~]/.test(name))
        .map(({ name }) => read(files, `/etc/sudoers.d/${name}`) ?? '')
    : [];
  return [text, ...more].join('\n').replaceAll('\\\n', ' ').split('\n').flatMap(parseRule);
}

function read(files: FileSystemView, path: string): string | undefined {
  try {
    return files.readText(path);
  } catch (error) {
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

function parseRule(line: string): Rule[] {
  if (/^\s*(?:#|@|Defaults\b|\w+_Alias\b)/.test(line)) return [];
  const match = /^\s*(\S+)\s+[^=\s]+\s*=\s*(?:\(([^)]*)\))?\s*(.*)$/.exec(line);
  if (match === null) return [];
  const [, who = '', runAs = 'root', rest = ''] = match;
  const noPassword = /^\s*(?:[A-Z]+:\s*)*NOPASSWD:/.test(rest);
  const commands = rest
    .replaceAll(/\b(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT):/g, '')
    .split(',')
    .map((command) => command.trim())
    .filter((command) => command !== '');
  const users = (runAs.split(':')[0] ?? 'ALL').split(',').map((user) => user.trim());
  return [{ who, runAs: users.length === 0 ? ['ALL'] : users, noPassword, commands }];
}

/** Rules for a user of these groups. */
export function rulesFor(
  rules: readonly Rule[],
  user: string,
  uid: number,
  groups: readonly string[],
): Rule[] {
  return rules.filter(
    ({ who }) =>
      who === 'ALL' ||
      who === user ||
      who === `#${uid}` ||
      (who.startsWith('%') && groups.includes(who.slice(1))),
  );
}

/** The last rule that covers a command as somebody; undefined: none does. */
export function ruleCovering(
  rules: readonly Rule[],
  path: string,
  args: readonly string[],
  runAs: string,
): Rule | undefined {
  let found: Rule | undefined;
  for (const rule of rules) {
    if (!rule.runAs.includes('ALL') && !rule.runAs.includes(runAs)) continue;
    for (const spec of rule.commands) {
      const negated = spec.startsWith('!');
      if (covers(spec.replace(/^!/, '').trim(), path, args)) found = negated ? undefined : rule;
    }
  }
  return found;
}

function covers(spec: string, path: string, args: readonly string[]): boolean {
  if (spec === 'ALL') return true;
  const [command = '', ...wanted] = spec.split(/\s+/);
  const fits = (pattern: string, text: string): boolean =>
    new RegExp(
      `^${pattern
        .replaceAll(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    ).test(text);
  const same = command.endsWith('/') ? path.startsWith(command) : fits(command, path);
  if (!same) return false;
  if (wanted.length === 0) return true;
  return wanted.join(' ') === '""' ? args.length === 0 : fits(wanted.join(' '), args.join(' '));
}
