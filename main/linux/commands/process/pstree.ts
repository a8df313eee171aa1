// pstree(1)
import type { Process, ProcessInfo, Program } from '../../kernel/index.ts';
import { listUsers, userName } from '../frame/accounts.ts';
import { command, type Invocation } from '../frame/command.ts';

/** Columns where there is no terminal to ask. */
const WIDTH = 132;

interface Node {
  /** Name with what stands behind it. */
  readonly text: string;
  readonly children: readonly Node[];
  /** How many alike were drawn together. */
  readonly count: number;
}

interface Lines {
  readonly single: string;
  readonly first: string;
  readonly branch: string;
  readonly bar: string;
  readonly last: string;
}

const ASCII: Lines = { single: '---', first: '-+-', branch: ' |-', bar: ' | ', last: ' `-' };
const UTF8: Lines = { single: '───', first: '─┬─', branch: ' ├─', bar: ' │ ', last: ' └─' };

/** pstree(1): alike children are drawn once, with their number. */
export const pstree: Program = command(
  {
    short: 'aAcghH:lnNpsStTuUVZ',
    long: [
      'arguments>a',
      'ascii>A',
      'compact-not>c',
      'show-pgids>g',
      'long>l',
      'numeric-sort>n',
      'show-pids>p',
      'show-parents>s',
      'thread-names>t',
      'hide-threads>T',
      'uid-changes>u',
      'unicode>U',
    ],
    usage: '[OPTION]... [ PID | USER ]',
    versionText: 'pstree (PSmisc) 23.6\n',
  },
  async (it) => {
    const { proc, options } = it;
    const processes = proc.kernel.listProcesses(proc);
    const roots = await rootsOf(it, processes);
    if (roots === undefined) return 1;
    const utf8 = options.has('U') || (proc.stdout.tty !== undefined && /utf-?8/i.test(localeOf(proc)));
    const lines = utf8 && !options.has('A') ? UTF8 : ASCII;
    const width = options.has('l') ? Infinity : (proc.stdout.tty?.size.columns ?? WIDTH);
    for (const root of roots) {
      const tree = treeOf(it, root, processes, undefined);
      const drawn = options.has('a') ? withArguments(tree, lines, '', '') : draw(tree, lines);
      for (const line of drawn)
        await it.out.line(line.length > width ? `${line.slice(0, width - 1)}+` : line);
    }
    return 0;
  },
);

function localeOf({ env }: Process): string {
  return env.get('LC_ALL') ?? env.get('LC_CTYPE') ?? env.get('LANG') ?? '';
}

async function rootsOf(
  it: Invocation,
  processes: readonly ProcessInfo[],
): Promise<ProcessInfo[] | undefined> {
  const [who] = it.operands;
  if (who === undefined) return processes.filter(({ parentPid, pid }) => pid === 1 || parentPid === 0);
  if (/^\d+$/.test(who)) {
    const found = processes.filter(({ pid }) => pid === Number(who));
    return it.options.has('s') ? found.map((info) => ancestor(info, processes)) : found;
  }
  const user = listUsers(it.proc).find(({ name }) => name === who);
  if (user === undefined) {
    await it.proc.stderr.write(`No such user name: ${who}\n`);
    return undefined;
  }
  const own = processes.filter(({ credentials }) => credentials.uid === user.uid);
  if (own.length === 0) {
    await it.proc.stderr.write('No processes found.\n');
    return undefined;
  }
  return own.filter(({ parentPid }) => !own.some(({ pid }) => pid === parentPid));
}

function ancestor(info: ProcessInfo, processes: readonly ProcessInfo[]): ProcessInfo {
  const parent = processes.find(({ pid }) => pid === info.parentPid);
  return parent === undefined ? info : ancestor(parent, processes);
}

function treeOf(
  it: Invocation,
  info: ProcessInfo,
  processes: readonly ProcessInfo[],
  parentUid: number | undefined,
): Node {
  const { options, proc } = it;
  const { uid } = info.credentials;
  const marks = [
    ...(options.has('p') ? [String(info.pid)] : []),
    ...(options.has('g') ? [String(info.processGroup)] : []),
    ...(options.has('u') && parentUid !== undefined && parentUid !== uid ? [userName(proc, uid)] : []),
  ];
  const args = options.has('a')
    ? info.argv
        .slice(1)
        .map((arg) => ` ${arg}`)
        .join('')
    : '';
  const text =
    info.command +
    (options.has('a')
      ? `${marks.map((mark) => `,${mark}`).join('')}${args}`
      : marks.length > 0
        ? `(${marks.join(',')})`
        : '');
  const children = processes
    .filter(({ parentPid, pid }) => parentPid === info.pid && pid !== info.pid)
    .sort((a, b) =>
      options.has('n') || a.command === b.command ? a.pid - b.pid : a.command < b.command ? -1 : 1,
    )
    .map((child) => treeOf(it, child, processes, uid));
  return { text, children: options.has('c', 'a', 'p') ? children : compacted(children), count: 1 };
}

function compacted(children: readonly Node[]): Node[] {
  const result: Node[] = [];
  for (const child of children) {
    const same = result.findIndex((other) => shape(other) === shape(child));
    if (same >= 0) result[same] = { ...result[same]!, count: result[same]!.count + 1 };
    else result.push(child);
  }
  return result;
}

function shape({ text, children }: Node): string {
  return `${text}[${children.map((child) => `${child.count}${shape(child)}`).join()}]`;
}

/** The lines of a node; the first begins with its own name. */
function draw(node: Node, lines: Lines): string[] {
  const open = node.count > 1 ? `${node.count}*[` : '';
  const close = node.count > 1 ? ']' : '';
  const head = open + node.text;
  const { children } = node;
  if (children.length === 0) return [head + close];
  const blank = ' '.repeat(head.length);
  const drawn: string[] = [];
  for (const [index, child] of children.entries()) {
    const isLast = index === children.length - 1;
    const [first = '', ...rest] = draw(child, lines);
    const lead =
      index === 0
        ? head + (isLast ? lines.single : lines.first)
        : blank + (isLast ? lines.last : lines.branch);
    drawn.push(lead + first, ...rest.map((line) => blank + (isLast ? '   ' : lines.bar) + line));
  }
  if (close !== '') drawn[drawn.length - 1] += close;
  return drawn;
}

/** `-a`: one process a line. */
function withArguments(node: Node, lines: Lines, lead: string, below: string): string[] {
  const drawn = [lead + node.text];
  for (const [index, child] of node.children.entries()) {
    const isLast = index === node.children.length - 1;
    const [branch, bar] = isLast
      ? [`${below} ${lines.last}`, `${below}    `]
      : [`${below} ${lines.branch}`, `${below} ${lines.bar}`];
    drawn.push(...withArguments(child, lines, branch, bar));
  }
  return drawn;
}
