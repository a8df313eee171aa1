// Images as files: docker load, save and tag; ctr images import, export and tag.
import { ErrnoError } from '../../../network/index.ts';
import { RuntimeError, type Containerd } from '../../containerd/index.ts';
import { Failure, type Invocation } from '../frame/command.ts';
import { readAll } from '../frame/input.ts';
import { canonicalReference, splitReference } from './runtime.ts';

/** docker load [-i FILE]: the file, or stdin. */
export async function dockerLoad(
  it: Invocation,
  runtime: Containerd,
  file: string | undefined,
): Promise<number> {
  if (file === undefined && it.proc.stdin.tty !== undefined)
    throw new Failure('requested load from stdin, but stdin is empty');
  let archive: Uint8Array;
  try {
    archive = await readAll(file === undefined ? it.proc.stdin : it.open(file));
  } catch (error) {
    if (!(error instanceof ErrnoError) || file === undefined) throw error;
    throw new Failure(`open ${file}: ${error.message.toLowerCase()}`);
  }
  for (const image of attempt(() => runtime.importArchive(archive))) {
    const { repository, tag } = splitReference(image.repoTags.at(-1) ?? image.id, true);
    await it.out.line(`Loaded image: ${repository}:${tag}`);
  }
  return 0;
}

/** docker save [-o FILE] IMAGE... */
export async function dockerSave(
  it: Invocation,
  runtime: Containerd,
  file: string | undefined,
  images: readonly string[],
): Promise<number> {
  if (images.length === 0) throw new Failure('"docker save" requires at least 1 argument.');
  const references = images.map((image) => requireImage(runtime, image));
  if (file === undefined && it.proc.stdout.tty !== undefined)
    throw new Failure('cowardly refusing to save to a terminal. Use the -o flag or redirect');
  const archive = attempt(() => runtime.exportImages(references));
  if (file === undefined) await it.out.put(archive);
  else it.proc.fs.writeFile(file, archive, { mode: 0o600 });
  return 0;
}

/** docker tag SOURCE TARGET */
export function dockerTag(runtime: Containerd, names: readonly string[]): number {
  const [source, target] = names;
  if (source === undefined || target === undefined || names.length > 2)
    throw new Failure(
      '"docker tag" requires exactly 2 arguments.\nSee \'docker tag --help\'.\n\nUsage:  docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\nCreate a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    );
  attempt(() => runtime.tagImage(requireImage(runtime, source), canonicalReference(target)));
  return 0;
}

function requireImage(runtime: Containerd, name: string): string {
  const canonical = canonicalReference(name);
  if (runtime.imageStatus(canonical) !== undefined) return canonical;
  if (runtime.imageStatus(name) !== undefined) return name;
  throw new Failure(
    `Error response from daemon: No such image: ${name.includes(':') ? name : `${name}:latest`}`,
  );
}

function attempt<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new Failure(error.message);
  }
}

/** ctr images import FILE; `-` is stdin. Throws RuntimeError. */
export async function ctrImport(it: Invocation, runtime: Containerd, file: string): Promise<number> {
  let archive: Uint8Array;
  try {
    archive = await readAll(it.open(file));
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new Failure(`open ${file}: ${error.message.toLowerCase()}`);
  }
  for (const image of runtime.importArchive(archive))
    for (const tag of image.repoTags.slice(-1))
      await it.out.line(`unpacking ${tag} (${image.repoDigests[0]?.split('@')[1] ?? image.id})...done`);
  return 0;
}

/** ctr images export FILE REF... Throws RuntimeError. */
export async function ctrExport(
  it: Invocation,
  runtime: Containerd,
  file: string,
  references: readonly string[],
): Promise<number> {
  const archive = runtime.exportImages(references);
  if (file === '-') await it.out.put(archive);
  else it.proc.fs.writeFile(file, archive);
  return 0;
}
