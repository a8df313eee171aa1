// sysctl(8)
import { ErrnoError } from '../../../network/index.ts';
import type { Process, Program } from '../../kernel/index.ts';
import { command, Failure, type Invocation } from '../frame/command.ts';
import { quoteAlways } from '../frame/quote.ts';

/** sysctl(8), through /proc/sys. */
export const sysctl: Program = command(
  {
    short: 'aAbeNnp::qwdf:r:xX',
    long: [
      'all>a',
      'binary>b',
      'ignore>e',
      'names>N',
      'values>n',
      'load::>p',
      'system',
      'write>w',
      'quiet>q',
      'pattern:>r',
    ],
    usage: '[options] [variable[=value] ...]',
    version: 'from procps-ng 4.0.2',
  },
  async (it) => {
    const { proc, options } = it;
    if (options.has('a', 'A', 'X')) return listAll(it, options.value('r'));
    if (options.has('p', 'system')) {
      const files = options.has('system')
        ? systemFiles(proc)
        : [options.value('p') ?? it.operands[0] ?? '/etc/sysctl.conf', ...it.operands.slice(1)];
      for (const path of files) await load(it, path);
      return it.exitCode;
    }
    if (it.operands.length === 0)
      throw new Failure("no variables specified\nTry `sysctl --help' for more information.");
    for (const operand of it.operands) {
      const equals = operand.indexOf('=');
      if (equals >= 0) await set(it, operand.slice(0, equals).trim(), operand.slice(equals + 1).trim());
      else if (options.has('w')) await it.warn(`"${operand}" must be of the form name=value`);
      else await show(it, operand);
    }
    return it.exitCode;
  },
);

function pathOf(name: string): string {
  // With a slash first, dots belong to names; else they separate (sysctl(8)).
  return `/proc/sys/${
    name.includes('/') && !name.includes('.')
      ? name
      : name
          .split('.')
          .map((part) => part.replaceAll('/', '.'))
          .join('/')
  }`;
}

function dotted(name: string): string {
  return name.includes('/') && !name.includes('.')
    ? name
        .split('/')
        .map((part) => part.replaceAll('.', '/'))
        .join('.')
    : name;
}

async function show(it: Invocation, name: string): Promise<void> {
  const { fs } = it.proc;
  const path = pathOf(name);
  try {
    if (fs.stat(path).type === 'directory') {
      for (const one of tree(it.proc, path)) await print(it, one);
      return;
    }
    await print(it, path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (it.options.has('e') && error.code === 'ENOENT') return;
    if (error.code === 'ENOENT') await it.warn(`cannot stat ${path}: ${error.message}`);
    else await it.warn(`permission denied on key ${quoteAlways(dotted(name))}`);
  }
}

async function print(it: Invocation, path: string): Promise<void> {
  const name = path
    .slice('/proc/sys/'.length)
    .split('/')
    .map((part) => part.replaceAll('.', '/'))
    .join('.');
  if (it.options.has('N')) return void (await it.out.line(name));
  const text = it.proc.fs.readText(path).replace(/\n$/, '');
  for (const line of text.split('\n')) await it.out.line(it.options.has('n') ? line : `${name} = ${line}`);
}

function tree(proc: Process, path: string): string[] {
  return proc.fs
    .readdir(path)
    .flatMap((entry) =>
      entry.type === 'directory' ? tree(proc, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
    );
}

async function listAll(it: Invocation, pattern: string | undefined): Promise<number> {
  const regex = pattern === undefined ? undefined : new RegExp(pattern);
  for (const path of tree(it.proc, '/proc/sys')) {
    if (regex !== undefined && !regex.test(path.slice('/proc/sys/'.length).replaceAll('/', '.'))) continue;
    try {
      await print(it, path);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error; // Write-only keys are passed over.
    }
  }
  return 0;
}

async function set(it: Invocation, name: string, value: string): Promise<void> {
  const path = pathOf(name);
  const { fs } = it.proc;
  try {
    if (!fs.exists(path)) {
      if (it.options.has('e')) return;
      return await it.warn(`cannot stat ${path}: No such file or directory`);
    }
    fs.writeFile(path, `${value}\n`);
    if (it.options.has('q')) return;
    await it.out.line(it.options.has('n') ? value : `${dotted(name)} = ${value}`);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS')
      await it.warn(
        error.code === 'EROFS'
          ? `setting key "${dotted(name)}": ${error.message}`
          : `permission denied on key "${dotted(name)}"`,
      );
    else await it.warn(`setting key "${dotted(name)}": ${error.message}`);
  }
}

function systemFiles(proc: Process): string[] {
  const found: string[] = [];
  for (const directory of ['/usr/lib/sysctl.d', '/run/sysctl.d', '/etc/sysctl.d']) {
    if (proc.fs.exists(directory))
      found.push(
        ...proc.fs
          .readdir(directory)
          .filter((entry) => entry.name.endsWith('.conf'))
          .map((entry) => `${directory}/${entry.name}`),
      );
  }
  if (proc.fs.exists('/etc/sysctl.conf')) found.push('/etc/sysctl.conf');
  return found;
}

async function load(it: Invocation, path: string): Promise<void> {
  if (it.options.has('system')) await it.out.line(`* Applying ${path} ...`);
  let text: string;
  try {
    text = path === '-' ? await it.proc.stdin.readText() : it.proc.fs.readText(path);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`cannot open "${path}": ${error.message}`);
  }
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue;
    const match = /^-?\s*([^=]+?)\s*=\s*(.*)$/.exec(trimmed);
    if (match === null) await it.complain(`${path}(${index + 1}): invalid syntax, continuing...`);
    else await set(it, match[1]!, match[2]!);
  }
}
