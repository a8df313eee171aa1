// Variables whose value is computed when it's asked for.
import { RELEASE } from './prompt.ts';
import type { Shell } from './shell.ts';

/** Defines RANDOM, SECONDS, LINENO, FUNCNAME and their like for a shell (again after a fork). */
export function defineDynamicVariables(shell: Shell): void {
  if (shell.dialect.name === 'dash') return; // It has none.
  const { vars } = shell;
  let seed: number | undefined;
  const random = (): string => {
    if (seed === undefined) return String(shell.proc.random.integer(32768));
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return String((seed >>> 16) & 0x7fff);
  };
  vars.define('RANDOM', { get: random, set: (value) => void (seed = Number.parseInt(value, 10) || 0) });
  vars.define('SRANDOM', { get: () => String(shell.proc.random.integer(2 ** 32)) });
  vars.define('SECONDS', {
    get: () => String(Math.floor((shell.proc.clock.now() - shell.startMs) / 1000)),
    set: (value) => void (shell.startMs = shell.proc.clock.now() - (Number.parseInt(value, 10) || 0) * 1000),
  });
  vars.define('EPOCHSECONDS', { get: () => String(Math.floor(shell.proc.clock.now() / 1000)) });
  vars.define('EPOCHREALTIME', { get: () => (shell.proc.clock.now() / 1000).toFixed(6) });
  const first = shell.dialect.name === 'ash' ? 1 : 0; // ash counts the lines of a -c string from 0.
  vars.define('LINENO', { get: () => String(shell.line - (shell.origin === 'command' ? first : 0)) });
  vars.define('BASHPID', { get: () => String(shell.proc.pid) });
  vars.define('BASH_SUBSHELL', { get: () => String(shell.shownDepth) });
  vars.define('BASH_COMMAND', { get: () => shell.currentCommand });
  vars.define('PIPESTATUS', { get: () => shell.pipeStatus.map(String) });
  vars.define('GROUPS', {
    get: () =>
      [
        shell.proc.credentials.gid,
        ...shell.proc.credentials.groups.filter((gid) => gid !== shell.proc.credentials.gid),
      ].map(String),
  });
  vars.define('DIRSTACK', { get: () => [shell.vars.get('PWD') ?? shell.proc.cwd, ...shell.directories] });
  vars.define('FUNCNAME', {
    get: () => (shell.frames.length === 0 ? [] : stack(shell).map(({ name }) => name)),
  });
  vars.define('BASH_SOURCE', { get: () => stack(shell).map(({ file }) => file) });
  vars.define('BASH_LINENO', { get: () => stack(shell).map(({ line }) => String(line)) });
  vars.define('BASH_ARGV0', { get: () => shell.name, set: (value) => void (shell.name = value) });
  vars.define('BASH_VERSINFO', {
    get: () => [...RELEASE.split('.'), '1', 'release', 'x86_64-redhat-linux-gnu'],
  });
  vars.define('SHELLOPTS', { get: () => [...shell.options].toSorted().join(':') });
  vars.define('BASHOPTS', { get: () => [...shell.shopts].toSorted().join(':') });
  vars.define('HISTCMD', { get: () => String(shell.history?.nextNumber ?? 1) });
}

/** Innermost first, with the main program at the end of a script's. */
function stack(shell: Shell): { name: string; file: string; line: number }[] {
  const frames = shell.frames.toReversed().map(({ kind, name, file, callLine }) => ({
    name: kind === 'source' ? 'source' : name,
    file,
    line: callLine,
  }));
  if (shell.origin === 'script') frames.push({ name: 'main', file: shell.name, line: 0 });
  return frames;
}
