// docker cp: files between a container and the machine, and as a tar stream.
import { ErrnoError } from '../../../../network/index.ts';
import type { FileSystemView } from '../../../kernel/index.ts';
import { CliError, parseFlags } from './flags.ts';
import { usage } from './objects.ts';
import { findShown, type World } from './world.ts';

/** Copies a file, a link or a tree; owners become `owner` (root's if absent). */
export function copyTree(
  from: FileSystemView,
  source: string,
  to: FileSystemView,
  target: string,
  owner?: { readonly uid: number; readonly gid: number },
  mode?: number,
): void {
  const stat = from.lstat(source);
  const parent = target.slice(0, target.lastIndexOf('/'));
  if (parent !== '' && !to.exists(parent)) to.mkdir(parent, { recursive: true, mode: 0o755 });
  if (stat.type === 'directory') {
    if (!to.exists(target)) to.mkdir(target, { recursive: true, mode: mode ?? stat.mode });
    for (const { name } of from.readdir(source))
      copyTree(
        from,
        `${source === '/' ? '' : source}/${name}`,
        to,
        `${target === '/' ? '' : target}/${name}`,
        owner,
        mode,
      );
  } else if (stat.type === 'symlink') {
    if (to.exists(target)) to.unlink(target);
    to.symlink(from.readlink(source), target);
    return;
  } else if (stat.type === 'file') {
    to.writeFile(target, from.readFile(source), { mode: mode ?? stat.mode });
    to.chmod(target, mode ?? stat.mode);
  } else return;
  if (owner !== undefined && (owner.uid !== 0 || owner.gid !== 0)) to.chown(target, owner.uid, owner.gid);
}

export async function copy(world: World, args: readonly string[]): Promise<number> {
  const flags = parseFlags(`${world.program} cp`, args, 'a,archive L,follow-link q,quiet');
  const [source, target] = flags.operands;
  if (source === undefined || target === undefined)
    throw usage(
      world,
      'cp',
      'exactly 2 arguments',
      '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
      'Copy files/folders between a container and the local filesystem',
    );
  const [near, far] = [placeOf(source), placeOf(target)];
  const { proc, engine } = world;
  if (near.container === undefined && far.container === undefined)
    throw new CliError('must specify at least one container source');
  if (near.container !== undefined && far.container !== undefined)
    throw new CliError('copying between containers is not supported');
  const shown = findShown(world, (near.container ?? far.container)!);
  if (shown.own === undefined)
    throw new CliError(
      "drydock: docker cp with a container of the kubelet's isn't simulated, use kubectl cp",
    );
  const files = engine.filesOf(shown.id);
  try {
    if (near.container !== undefined) {
      if (!files.exists(near.path)) throw new CliError(`Error: No such container:path: ${source}`);
      if (target === '-') {
        await proc.stdout.write(tarOf(files, near.path));
        return 0;
      }
      copyTree(files, clean(near.path), proc.fs, inside(proc.fs, proc.fs.resolve(target), near.path, target));
      if (!flags.has('quiet')) await world.complain('');
      return 0;
    }
    if (source === '-') throw new CliError("drydock: docker cp from standard input isn't simulated");
    if (!proc.fs.exists(source))
      throw new CliError(`lstat ${proc.fs.resolve(source)}: no such file or directory`);
    const from = proc.fs.resolve(source);
    copyTree(proc.fs, from, files, inside(files, far.path, source, target));
    return 0;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new CliError(`Error response from daemon: ${error.path ?? ''}: ${error.message.toLowerCase()}`);
  }
}

function placeOf(text: string): { readonly container: string | undefined; readonly path: string } {
  const colon = text.indexOf(':');
  if (colon <= 0 || text.startsWith('/') || text.startsWith('.')) return { container: undefined, path: text };
  const path = text.slice(colon + 1);
  return { container: text.slice(0, colon), path: path.startsWith('/') ? path : `/${path}` };
}

function clean(path: string): string {
  return path.length > 1 ? path.replace(/\/\.?$/, '') : path;
}

/** Into a folder that is there it goes under its own name, unless only its contents are meant (`SRC/.`). */
function inside(fs: FileSystemView, target: string, source: string, asked: string): string {
  const isFolder = fs.exists(target) && fs.stat(target).type === 'directory';
  if (!isFolder && !asked.endsWith('/')) return target;
  if (source.endsWith('/.')) return clean(target);
  const name = clean(source);
  return `${target === '/' ? '' : clean(target)}/${name.slice(name.lastIndexOf('/') + 1)}`;
}

/** ustar: tar(5). */
function tarOf(fs: FileSystemView, path: string): Buffer {
  const parts: Buffer[] = [];
  const add = (from: string, name: string): void => {
    const stat = fs.lstat(from);
    const isFolder = stat.type === 'directory';
    const content = stat.type === 'file' ? Buffer.from(fs.readFile(from)) : Buffer.alloc(0);
    const head = Buffer.alloc(512);
    head.write(isFolder ? `${name}/` : name, 0, 100, 'utf8');
    const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
    head.write(
      `${((isFolder ? 0o40000 : 0o100000) | stat.mode).toString(8).padStart(7, '0')}\0`,
      100,
      'latin1',
    );
    head.write(octal(stat.uid, 8), 108, 'latin1');
    head.write(octal(stat.gid, 8), 116, 'latin1');
    head.write(octal(content.length, 12), 124, 'latin1');
    head.write(octal(Math.floor(stat.modifyMs / 1000), 12), 136, 'latin1');
    head.write('        ', 148, 'latin1');
    head.write(isFolder ? '5' : stat.type === 'symlink' ? '2' : '0', 156, 'latin1');
    if (stat.type === 'symlink') head.write(fs.readlink(from), 157, 100, 'utf8');
    head.write('ustar\x0000', 257, 'latin1');
    head.write('root', 265, 'latin1');
    head.write('root', 297, 'latin1');
    head.write(octal(0, 8), 329, 'latin1');
    head.write(octal(0, 8), 337, 'latin1');
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    parts.push(head, content, Buffer.alloc((512 - (content.length % 512)) % 512));
    if (isFolder) for (const entry of fs.readdir(from)) add(`${from}/${entry.name}`, `${name}/${entry.name}`);
  };
  add(clean(path), clean(path).slice(clean(path).lastIndexOf('/') + 1));
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
