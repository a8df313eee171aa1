// The objects that -f and -k name: files, folders, standard input, addresses, kustomizations.
import { ErrnoError } from '../../../network/index.ts';
import type { Process } from '../../../linux/kernel/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Invocation } from '../frame/command.ts';
import type { Kubectl } from '../kubectl.ts';
import { parseManifest, type FileObject } from './builder.ts';
import { fetchUrl } from './fetch-url.ts';
import { buildKustomization } from './kustomization/build.ts';

const FILE_ENDINGS = ['.json', '.yaml', '.yml'];

/** The objects of `-f` and `-k`; undefined when neither is given. Throws CommandError in kubectl's words. */
export async function readManifests({ kubectl, flags }: Invocation): Promise<FileObject[] | undefined> {
  const files = flags.list('filename');
  const kustomize = flags.string('kustomize');
  if (files.length === 0 && kustomize === '') return undefined;
  if (files.length > 0 && kustomize !== '') throw new CommandError('only one of -f or -k can be specified');
  if (kustomize === '') return readFiles(kubectl, files, flags.bool('recursive'));
  return (await buildKustomization(kubectl, kustomize)).map((object) => ({ object, source: kustomize }));
}

/** The objects of `-f` arguments, lists taken apart. Throws CommandError in kubectl's words. */
export async function readFiles(
  kubectl: Kubectl,
  paths: readonly string[],
  recursive = false,
): Promise<FileObject[]> {
  const { proc } = kubectl;
  const objects: FileObject[] = [];
  for (const path of paths) {
    if (path === '-') objects.push(...parseManifest(await proc.stdin.readText(), 'STDIN'));
    else if (/^https?:\/\//.test(path)) objects.push(...parseManifest(await fetchUrl(kubectl, path), path));
    else
      for (const file of filesAt(proc, path, recursive))
        objects.push(...parseManifest(proc.fs.readText(file), file));
  }
  return objects;
}

function filesAt(proc: Process, path: string, recursive: boolean): string[] {
  try {
    if (proc.fs.stat(path).type !== 'directory') return [path];
    const files: string[] = [];
    for (const { name, type } of proc.fs.readdir(path)) {
      const inside = `${path.replace(/\/$/, '')}/${name}`;
      if (type === 'directory') {
        if (recursive) files.push(...filesAt(proc, inside, true));
      } else if (FILE_ENDINGS.some((ending) => name.endsWith(ending))) files.push(inside);
    }
    return files;
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === 'ENOENT') throw new CommandError(`the path "${path}" does not exist`);
    throw new CommandError(`open ${path}: ${error.message.toLowerCase()}`);
  }
}
