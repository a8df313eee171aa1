// /proc/PID: one process as text and links.
import type { Process } from './process.ts';
import { ErrnoError } from '../../network/index.ts';
import {
  fixed,
  refuseWrite,
  GeneratedDirectory,
  GeneratedFile,
  GeneratedLink,
  GeneratedNode,
  type GeneratedTree,
  type Listing,
} from './generated-tree.ts';
import { describe } from './adapted-description.ts';
import type { Description } from './description.ts';
import type { FileStat } from './file-system.ts';
import type { MachineKernel } from './make-kernel.ts';
import { limitsText } from './limits.ts';
import { mountInfo, mountLine } from './mount-text.ts';
import { oomScore } from './oom-killer.ts';
import { currentPath, type Place } from './mount-table.ts';
import { namespacesOf } from './namespaces.ts';
import { nameOf } from './process-table.ts';
import { ioText, statLine, statmLine, statusText } from './proc-status.ts';
import { VirtualProcess } from './virtual-process.ts';

/** The directory of `process` as `viewer` sees it. */
export function processDirectory(
  tree: GeneratedTree,
  kernel: MachineKernel,
  process: VirtualProcess,
  viewer: Process | undefined,
  netFiles: (process: VirtualProcess) => Listing,
): GeneratedDirectory {
  const { uid, gid } = process.credentials;
  const nodes = commonFiles(tree, kernel, process, viewer);
  const taskDirectory = (): GeneratedDirectory => new GeneratedDirectory(tree, fixed(nodes), 0o555, uid, gid);
  const { pids } = (viewer instanceof VirtualProcess ? viewer : kernel.init).surroundings;
  const whole: Record<string, () => GeneratedNode> = {
    ...nodes,
    net: () => new GeneratedDirectory(tree, netFiles(process), 0o555),
    task: () =>
      new GeneratedDirectory(tree, fixed({ [process.numbers.in(pids)]: taskDirectory }), 0o555, uid, gid),
  };
  return new GeneratedDirectory(tree, fixed(whole), 0o555, uid, gid);
}

/** What a process and each of its tasks (here: one) have. */
function commonFiles(
  tree: GeneratedTree,
  kernel: MachineKernel,
  process: VirtualProcess,
  viewer: Process | undefined,
): Record<string, () => GeneratedNode> {
  const { pids, cgroupRoot } = (viewer instanceof VirtualProcess ? viewer : kernel.init).surroundings;
  const asked = { kernel, process, viewer, pids };
  const file =
    (make: () => string, store?: (text: string, writer: Process) => void): (() => GeneratedFile) =>
    () =>
      new GeneratedFile(
        tree,
        make,
        store === undefined ? refuseWrite : (text, writer) => store(text.trim(), writer),
        store === undefined ? 0o444 : 0o644,
        process.credentials,
      );
  const secret = (make: () => string) => () =>
    new GeneratedFile(tree, make, undefined, 0o400, process.credentials);
  const link = (text: () => string, destination: (link: Place) => Place) => () =>
    new MagicLink(tree, process, text, destination);
  const isAlive = (): boolean => process.status === undefined;
  return {
    cgroup: file(() => `0::${process.cgroup.pathFrom(cgroupRoot)}\n`),
    cmdline: file(() => (isAlive() ? process.argv.map((word) => `${word}\0`).join('') : '')),
    comm: file(
      () => `${process.command}\n`,
      (text, writer) => {
        if (writer !== process) throw new ErrnoError('EINVAL');
        process.command = nameOf(text);
      },
    ),
    cpuset: file(() => '/\n'),
    cwd: link(
      () => currentPath(process.cwdPlace) ?? `${process.cwdPlace.path} (deleted)`,
      () => process.cwdPlace,
    ),
    environ: secret(() => Array.from(process.env, ([name, value]) => `${name}=${value}\0`).join('')),
    exe: link(
      () => executableOf(process),
      (at) => ({ ...at, node: process.image ?? refuse('ENOENT') }),
    ),
    fd: () => fdDirectory(tree, process),
    fdinfo: () => fdInfoDirectory(tree, process),
    gid_map: file(() => WHOLE_MAP),
    io: secret(() => ioText(process)),
    limits: file(() => limitsText(process.limits)),
    loginuid: file(() => '4294967295'),
    maps: file(() => (isAlive() ? mapsText(process) : '')),
    mountinfo: file(() => mountInfo(process.mounts.list())),
    mounts: file(() =>
      process.mounts
        .list()
        .map(({ mount }) => mountLine(mount))
        .join(''),
    ),
    ns: () => namespaceDirectory(tree, process),
    oom_adj: file(() => `${Math.round((process.oomScoreAdj * 17) / 1000)}\n`),
    oom_score: file(() => `${oomScore(process, kernel.memoryBytes)}\n`),
    oom_score_adj: file(
      () => `${process.oomScoreAdj}\n`,
      (text, writer) => setOomScoreAdj(process, text, writer),
    ),
    root: link(
      () => '/',
      () => process.mounts.root,
    ),
    schedstat: file(
      () => `${Math.round(process.cpuMs * 1e6)} 0 ${process.calls.reads + process.calls.writes}\n`,
    ),
    sessionid: file(() => '4294967295'),
    stat: file(() => statLine(asked)),
    statm: file(() => statmLine(process)),
    status: file(() => statusText(asked)),
    uid_map: file(() => WHOLE_MAP),
    wchan: file(() => (process.running || !isAlive() ? '0' : 'do_wait')),
  };
}

const WHOLE_MAP = '         0          0 4294967295\n';

function refuse(code: 'ENOENT' | 'EACCES'): never {
  throw new ErrnoError(code);
}

function executableOf(process: VirtualProcess): string {
  const path = process.executablePath ?? process.argv[0];
  if (process.status !== undefined || path?.startsWith('/') !== true) throw new ErrnoError('ENOENT');
  return process.image?.removed === true ? `${path} (deleted)` : path;
}

/** The program, its heap and its stack, at made-up addresses. */
function mapsText(process: VirtualProcess): string {
  const path = process.executablePath ?? '';
  const line = (range: string, mode: string, name: string): string =>
    `${`${range} ${mode} 00000000 ${name.startsWith('/') ? '08:01' : '00:00'} ${name.startsWith('/') ? (process.image?.inode ?? 0) : 0}`.padEnd(73)}${name}\n`;
  const heapEnd = (0x55e0_0010_0000 + process.memoryBytes).toString(16);
  return (
    line('55e000000000-55e000020000', 'r-xp', path) +
    line('55e000020000-55e000022000', 'rw-p', path) +
    line(`55e000100000-${heapEnd}`, 'rw-p', '[heap]') +
    line('7ffc00000000-7ffc00021000', 'rw-p', '[stack]') +
    line('7ffc00100000-7ffc00102000', 'r-xp', '[vdso]')
  );
}

/** Whether one process may look into another: ptrace(2), PTRACE_MODE_READ. */
function mayTrace(viewer: Process | undefined, process: VirtualProcess): boolean {
  if (viewer === undefined || viewer === process || viewer.can('SYS_PTRACE')) return true;
  if (viewer.credentials.uid !== process.credentials.uid) return false;
  return Array.from(process.bounding).every((capability) => viewer.bounding.has(capability));
}

/** A link whose target is found without its text, by those who may look into the process. */
class MagicLink extends GeneratedLink {
  private readonly process: VirtualProcess;
  private readonly destination: (link: Place) => Place;
  constructor(
    tree: GeneratedTree,
    process: VirtualProcess,
    text: () => string,
    destination: (link: Place) => Place,
    mode = 0o777,
  ) {
    super(tree, text, mode, process.credentials);
    this.process = process;
    this.destination = destination;
  }
  override readlink(viewer?: Process): string {
    if (!mayTrace(viewer, this.process)) throw new ErrnoError('EACCES');
    return super.readlink(viewer);
  }
  override magic(link: Place, viewer?: Process): Place {
    if (!mayTrace(viewer, this.process)) throw new ErrnoError('EACCES');
    return this.destination(link);
  }
}

/** /proc/PID/fd/N: opening it opens the same file, or shares what can't be opened by a path. */
class OpenFileLink extends MagicLink {
  constructor(tree: GeneratedTree, process: VirtualProcess, description: Description) {
    super(
      tree,
      process,
      () => textOf(description),
      (link) => ({ ...link, node: description.node ?? new OpenFileNode(tree, description) }),
      0o700,
    );
  }
}

function textOf({ path, node }: Description): string {
  if (path === undefined) return 'anon_inode:[unknown]';
  return node?.removed === true && path.startsWith('/') ? `${path} (deleted)` : path;
}

/** A pipe, terminal or socket in use, as a file. */
class OpenFileNode extends GeneratedNode {
  readonly type: FileStat['type'];
  private readonly description: Description;
  constructor(tree: GeneratedTree, description: Description) {
    super(tree, 0o600);
    this.description = description;
    this.type = description.stat().type;
  }
  override stat(): FileStat {
    return this.description.stat();
  }
  override open(): Description {
    if (this.type === 'socket') throw new ErrnoError('ENXIO');
    return this.description;
  }
}

/** A directory with an entry for every descriptor. */
function descriptorDirectory(
  tree: GeneratedTree,
  process: VirtualProcess,
  mode: number,
  make: (description: Description) => GeneratedNode,
): GeneratedDirectory {
  const { uid, gid } = process.credentials;
  const listing: Listing = {
    names: () =>
      Array.from(process.fds.keys())
        .sort((a, b) => a - b)
        .map(String),
    lookup(name) {
      const file = /^\d+$/.test(name) ? process.fds.get(Number(name)) : undefined;
      return file === undefined ? undefined : make(describe(file));
    },
  };
  return new GeneratedDirectory(tree, listing, mode, uid, gid);
}

function fdDirectory(tree: GeneratedTree, process: VirtualProcess): GeneratedDirectory {
  return descriptorDirectory(
    tree,
    process,
    0o500,
    (description) => new OpenFileLink(tree, process, description),
  );
}

function fdInfoDirectory(tree: GeneratedTree, process: VirtualProcess): GeneratedDirectory {
  return descriptorDirectory(tree, process, 0o555, (description) => {
    const position = description.position ?? 0;
    const flags = description.openFlags.toString(8);
    const inode = description.stat().inode;
    const text = `pos:\t${position}\nflags:\t0${flags}\nmnt_id:\t20\nino:\t${inode}\n`;
    return new GeneratedFile(tree, () => text, undefined, 0o400, process.credentials);
  });
}

function namespaceDirectory(tree: GeneratedTree, process: VirtualProcess): GeneratedDirectory {
  const nodes = Object.fromEntries(
    namespacesOf(process).map(([name, kind, subject]) => [
      name,
      (): GeneratedNode => {
        const text = `${kind}:[${process.table.namespaceNumber(subject)}]`;
        return new MagicLink(
          tree,
          process,
          () => text,
          (link) => ({ ...link, node: new NamespaceNode(tree, text) }),
        );
      },
    ]),
  );
  const { uid, gid } = process.credentials;
  return new GeneratedDirectory(tree, fixed(nodes), 0o511, uid, gid);
}

/** What an ns link leads to: nothing to read, but an inode that tells two namespaces apart. */
class NamespaceNode extends GeneratedNode {
  readonly type = 'file';
  private readonly number: number;
  constructor(tree: GeneratedTree, text: string) {
    super(tree, 0o444);
    this.number = Number(/\d+/.exec(text)![0]);
  }
  override stat(): FileStat {
    return { ...super.stat(), inode: this.number, device: 4 };
  }
}

function setOomScoreAdj(process: VirtualProcess, text: string, writer: Process): void {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= -1000 && value <= 1000)) throw new ErrnoError('EINVAL');
  if (value < process.oomScoreAdj && !writer.can('SYS_RESOURCE')) throw new ErrnoError('EACCES');
  process.oomScoreAdj = value;
}
